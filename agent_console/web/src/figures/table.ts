/** Answers about figures as rows of a table. Pure. */

import type { Change, Dimension, Figure, FigureAnswer, FigurePoint, Only, Series } from '@/api/figures'

/** A figure that can be explained: of whom, and of which time. */
export interface Cell {
  readonly figure: Figure
  readonly start: string
  readonly end: string
  readonly only: Only
  readonly changes: FigurePoint['changes']
}

/** The figure that a cell is compared with, as one that can be explained itself. */
export const thenCell = (cell: Cell, { start, end, figure }: Change): Cell => ({
  ...cell,
  ...{ start, end, figure },
  changes: {},
})

export interface Row {
  readonly key: string
  readonly series: Series | null
  readonly point: FigurePoint
  readonly depth: number
  readonly cell: Cell
  readonly changes: FigurePoint['changes']
  /** The figures of the period's parts. */
  readonly parts: readonly Cell[]
}

/** Parents before their children, in the order in which they came; a child whose parent is not there stands alone. */
export function inTree(
  groups: readonly Series[],
): readonly { readonly series: Series; readonly depth: number }[] {
  const known = new Set(groups.map((group) => group.key))
  const found: { series: Series; depth: number }[] = []
  const add = (series: Series, depth: number): void => {
    if (found.some((one) => one.series === series)) return
    found.push({ series, depth })
    for (const child of groups) if (child.parent === series.key) add(child, depth + 1)
  }
  for (const group of groups) if (group.parent === null || !known.has(group.parent)) add(group, 0)
  return found
}

const cellOf = ({ figure, start, end, changes }: FigurePoint, only: Only): Cell => ({
  ...{ figure, start, end },
  ...{ only, changes },
})

function rowOf(
  series: Series,
  point: FigurePoint,
  depth: number,
  only: Only,
  parts: readonly FigurePoint[],
): Row {
  return {
    key: series.key,
    series,
    point,
    depth,
    cell: cellOf(point, only),
    changes: point.changes,
    parts: parts.map((part) => cellOf(part, only)),
  }
}

/** The row of everything together. */
export function totalRow(whole: FigureAnswer, parts: FigureAnswer | null, only: Only): Row | null {
  const [point] = whole.total.points
  return point === undefined ? null : rowOf(whole.total, point, 0, only, parts?.total.points ?? [])
}

/** A row a group; without groups a row for each part of the period. */
export function tableRows(
  whole: FigureAnswer,
  parts: FigureAnswer | null,
  by: Dimension | null,
  only: Only,
): readonly Row[] {
  if (by === null) {
    return (parts?.total.points ?? []).map((point) => ({
      key: point.start,
      series: null,
      point,
      depth: 0,
      cell: cellOf(point, only),
      changes: point.changes,
      parts: [],
    }))
  }
  const cut = new Map(parts?.groups.map((group) => [group.key, group.points]))
  return inTree(whole.groups).flatMap(({ series, depth }) => {
    const [point] = series.points
    const own: Only = { ...only, [by]: series.key }
    return point === undefined ? [] : [rowOf(series, point, depth, own, cut.get(series.key) ?? [])]
  })
}

/** The highest first, or the lowest; without a figure last. */
export function sortedRows(rows: readonly Row[], direction: 'down' | 'up' | null): readonly Row[] {
  if (direction === null) return rows
  const sign = direction === 'down' ? -1 : 1
  return rows.toSorted((a, b) => {
    const [left, right] = [a.cell.figure.value, b.cell.figure.value]
    if (left === null || right === null) return Number(left === null) - Number(right === null)
    return sign * (left - right)
  })
}

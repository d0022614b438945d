/** Answers about figures as charts. Pure. */

import type { Comparison, Measure } from '@/api/figures'
import type { ChartOption } from '@/charts/options'
import { STROKES, SYMBOLS } from '@/charts/palette'

import type { Row } from './table'
import { normOf } from './words'

/** More lines than this cannot be told apart; those of the largest counts are drawn. */
export const MOST_SERIES = 8

export interface ChartWords {
  readonly norm: string
  /** The period that is looked at. */
  readonly now: string
  readonly compare: Readonly<Record<Comparison, string>>
  /** Of a value with its unit. */
  readonly value: (value: number) => string
  readonly rowName: (row: Row) => string
}

const UNIT: Readonly<Record<Measure['unit'], string>> = { percent: '%', seconds: 's', count: '' }

interface ValueAxis {
  readonly type: 'value'
  readonly min: number
  readonly max?: number
  readonly minInterval?: number
  readonly axisLabel: { readonly formatter: string }
}

/** The rows whose counts are the largest, in their order. */
export function largest(rows: readonly Row[], most: number): readonly Row[] {
  const size = (row: Row): number => row.cell.figure.denominator ?? row.cell.figure.numerator
  const kept = new Set(rows.toSorted((a, b) => size(b) - size(a)).slice(0, most))
  return rows.filter((row) => kept.has(row))
}

function valueAxis(measure: Measure, values: readonly (number | null)[], bar: boolean): ValueAxis {
  const known = values.filter((value) => value !== null)
  const lowest = known.length === 0 ? null : Math.min(...known)
  const norm = normOf(measure)
  const percent = measure.unit === 'percent'
  // a rate that is always high would be a flat line at the top
  const floor = !bar && percent && lowest !== null && lowest > 50 ? Math.floor((lowest - 5) / 10) * 10 : 0
  return {
    type: 'value',
    min: Math.max(0, floor),
    ...(percent ? { max: 100 } : {}),
    // the norm is on the chart, however far from it the figures are
    ...(!percent && norm !== null && Math.max(0, ...known) < norm ? { max: Math.ceil(norm * 1.1) } : {}),
    ...(measure.unit === 'count' ? { minInterval: 1 } : {}),
    axisLabel: { formatter: `{value}${UNIT[measure.unit]}` },
  }
}

function normLine(measure: Measure, words: ChartWords, across: 'xAxis' | 'yAxis'): object {
  const norm = normOf(measure)
  if (norm === null) return {}
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      lineStyle: { type: 'dashed', width: 2, color: '#b97f00' },
      label: { formatter: words.norm, position: 'end', fontSize: 13, color: '#80610e' },
      data: [{ [across]: norm }],
    },
  }
}

/** Beside the chart, where no line crosses it. */
const NORM_LABEL_PX = 96

const BASE: ChartOption = {
  aria: { enabled: true, decal: { show: false } },
  grid: { left: 8, right: 20, top: 44, bottom: 8, containLabel: true },
  legend: { type: 'scroll', top: 4, left: 0 },
}

type Drawn = NonNullable<ChartOption['series']>

interface Line {
  readonly name: string
  readonly values: readonly (number | null)[]
  readonly faint: boolean
}

function series(line: Line, index: number, bar: boolean): Drawn {
  const stroke = line.faint ? 'dashed' : STROKES[Math.floor(index / SYMBOLS.length) % STROKES.length]
  return {
    name: line.name,
    type: bar ? 'bar' : 'line',
    data: [...line.values],
    symbol: SYMBOLS[index % SYMBOLS.length],
    symbolSize: 8,
    showSymbol: line.values.length <= 62,
    barMaxWidth: 36,
    lineStyle: { width: line.faint ? 2 : 2.5, type: stroke },
    ...(bar && line.faint ? { itemStyle: { opacity: 0.55 } } : {}),
  } as Drawn
}

/** Lines or bars over the parts of the period. */
export function overTime(
  measure: Measure,
  names: readonly string[],
  lines: readonly Line[],
  bar: boolean,
  words: ChartWords,
): ChartOption {
  return {
    ...BASE,
    ...(normOf(measure) === null ? {} : { grid: { ...BASE.grid, right: NORM_LABEL_PX } }),
    tooltip: { trigger: 'axis', confine: true, valueFormatter: (value) => told(value, words) },
    xAxis: { type: 'category', data: [...names], boundaryGap: bar, axisLabel: { hideOverlap: true } },
    yAxis: valueAxis(
      measure,
      lines.flatMap((line) => line.values),
      bar,
    ),
    ...(names.length > 62 ? { dataZoom: [{ type: 'inside' }] } : {}),
    series: lines.map((line, index) => ({
      ...series(line, index, bar),
      ...(index === 0 ? normLine(measure, words, 'yAxis') : {}),
    })) as Drawn,
  }
}

/** A bar a group, with those of other periods beside it. */
export function overGroups(
  measure: Measure,
  rows: readonly Row[],
  compare: readonly Comparison[],
  words: ChartWords,
): ChartOption {
  const lines: Line[] = [
    { name: words.now, values: rows.map((row) => row.cell.figure.value), faint: false },
    ...compare.map((to) => ({
      name: words.compare[to],
      values: rows.map((row) => row.changes[to]?.figure.value ?? null),
      faint: true,
    })),
  ]
  return {
    ...BASE,
    legend: { ...BASE.legend, show: lines.length > 1 },
    tooltip: { trigger: 'axis', confine: true, valueFormatter: (value) => told(value, words) },
    xAxis: valueAxis(
      measure,
      lines.flatMap((line) => line.values),
      true,
    ),
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(words.rowName),
      axisLabel: { width: 200, overflow: 'truncate' },
    },
    series: lines.map((line, index) => ({
      ...series(line, index, true),
      ...(index === 0 ? normLine(measure, words, 'xAxis') : {}),
    })) as Drawn,
  }
}

const told = (value: unknown, words: ChartWords): string =>
  typeof value === 'number' ? words.value(value) : '—'

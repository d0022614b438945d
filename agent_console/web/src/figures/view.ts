/** What is looked at on the history page, as the address says it, so that it can be kept and sent. Pure. */

import {
  COMPARISONS,
  DIMENSIONS,
  GRAINS,
  type Comparison,
  type Dimension,
  type FigureQuestion,
  type Grain,
} from '@/api/figures'

import { daysOf, grainsFor, PART_OF, SHORTCUTS, usualGrain, type Days, type Shortcut } from './period'

export const SHOWN = ['chart', 'heat'] as const
export const CHARTS = ['line', 'bar'] as const
/** Of a heat map's cells: what an hour comes to on such a day, or all of them together. */
export const FOLDS = ['mean', 'sum'] as const

export interface View {
  readonly show: (typeof SHOWN)[number]
  readonly measure: string
  readonly by: Dimension | null
  /** A named period moves on with the calendar; null: `days`. */
  readonly shortcut: Shortcut | null
  readonly days: Days
  /** `whole`: not cut into parts; null: as suits the period. */
  readonly grain: Grain | 'whole' | null
  readonly compare: readonly Comparison[]
  readonly line: string
  readonly chart: (typeof CHARTS)[number]
  readonly fold: (typeof FOLDS)[number]
}

export const USUAL: Readonly<{ measure: string; heat: string; shortcut: Shortcut }> = {
  measure: 'answer_rate',
  heat: 'offered',
  shortcut: 'this_month',
}

type Query = Readonly<Record<string, unknown>>

function one<T extends string>(value: unknown, of: readonly T[]): T | null {
  return of.find((known) => known === value) ?? null
}

const DAY = /^\d{4}-\d{2}-\d{2}$/
const dayOf = (value: unknown): string | null =>
  typeof value === 'string' && DAY.test(value) && !Number.isNaN(Date.parse(value)) ? value : null
const wordOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 80) : '')

/** Reads an address; whatever makes no sense is as if it were not there. */
export function viewOf(query: Query, today: string): View {
  const show = one(query['show'], SHOWN) ?? 'chart'
  const from = dayOf(query['from'])
  const to = dayOf(query['to'])
  const ranged = from !== null && to !== null && from <= to
  const shortcut = one(query['period'], SHORTCUTS) ?? (ranged ? null : USUAL.shortcut)
  const compared = Array.isArray(query['compare']) ? query['compare'] : [query['compare']]
  return {
    show,
    measure: wordOf(query['measure']) || (show === 'heat' ? USUAL.heat : USUAL.measure),
    by: one(query['by'], DIMENSIONS),
    shortcut,
    days: shortcut === null && ranged ? { from, to } : daysOf(shortcut ?? USUAL.shortcut, today),
    grain: one(query['grain'], [...GRAINS, 'whole'] as const),
    compare: COMPARISONS.filter((known) => compared.includes(known)),
    line: wordOf(query['line']),
    chart: one(query['chart'], CHARTS) ?? 'line',
    fold: one(query['fold'], FOLDS) ?? 'mean',
  }
}

/** The address of a view; what is as usual is left out. */
export function queryOf(view: View): Record<string, string | string[]> {
  return {
    ...(view.show === 'chart' ? {} : { show: view.show }),
    measure: view.measure,
    ...(view.by === null ? {} : { by: view.by }),
    ...(view.shortcut === null ? view.days : { period: view.shortcut }),
    ...(view.grain === null ? {} : { grain: view.grain }),
    ...(view.compare.length === 0 ? {} : { compare: [...view.compare] }),
    ...(view.line === '' ? {} : { line: view.line }),
    ...(view.chart === 'line' ? {} : { chart: view.chart }),
    ...(view.fold === 'mean' ? {} : { fold: view.fold }),
  }
}

/** The parts that a view is cut into; undefined: not at all. A grain too fine for the period gives way. */
export function grainOf(view: View): Grain | undefined {
  if (view.grain === 'whole') return undefined
  const usual = usualGrain(view.days)
  return view.grain !== null && grainsFor(view.days, view.by).includes(view.grain) ? view.grain : usual
}

/** What to ask for the whole of the period: the table's totals. */
export function questionOf(view: View): FigureQuestion {
  return {
    measure: view.measure,
    ...view.days,
    by: view.by ?? undefined,
    compare: view.compare,
    part_of: view.shortcut === null || view.compare.length === 0 ? undefined : PART_OF[view.shortcut],
    only: view.line === '' ? {} : { line: view.line },
  }
}

/** The same as text, as views are kept. */
export function textOf(view: View): string {
  const pairs = Object.entries(queryOf(view)).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, one] as [string, string]),
  )
  return new URLSearchParams(pairs).toString()
}

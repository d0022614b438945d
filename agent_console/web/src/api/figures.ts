/** What the server says of figures, as in docs/console-api.md and core/figures.py. */

import type { Moment } from './types'

export const DIMENSIONS = [
  'line',
  'queue',
  'skill',
  'agent',
  'language',
  'channel',
  'unit',
  'caller_list',
] as const
export type Dimension = (typeof DIMENSIONS)[number]

export const GRAINS = ['quarter_hour', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const
export type Grain = (typeof GRAINS)[number]

/** 环比 and 同比. */
export const COMPARISONS = ['before', 'year_before'] as const
export type Comparison = (typeof COMPARISONS)[number]

export type CountSide = 'numerator' | 'denominator'

/** The groups to look at alone. */
export type Only = Readonly<Partial<Record<Dimension, string>>>

export interface Measure {
  readonly id: string
  readonly name: string
  readonly name_en: string
  readonly unit: 'percent' | 'seconds' | 'count'
  readonly formula: string
  readonly formula_en: string
  readonly remark: string
  readonly remark_en: string
  readonly better: 'higher' | 'lower' | 'neither'
  /** A fraction of one (of percents) or seconds. */
  readonly norm: number | null
  readonly numerator: readonly string[]
  readonly denominator: readonly string[]
  readonly dimensions: readonly Dimension[]
}

export interface Figure {
  /** Sums; of times in milliseconds. */
  readonly numerator: number
  readonly denominator: number | null
  /** As published: percent, seconds or a count; null for nothing over nothing. */
  readonly value: number | null
  readonly text: string
}

export interface Change {
  readonly start: Moment
  readonly end: Moment
  readonly figure: Figure
  /** In percent, or in percentage points for rates. */
  readonly value: number | null
  readonly text: string
  /** Up to when the figure's own period is compared: its end, or now while it goes on. */
  readonly until: Moment
}

export interface FigurePoint {
  readonly start: Moment
  readonly end: Moment
  readonly figure: Figure
  readonly changes: Readonly<Partial<Record<Comparison, Change>>>
}

export interface Series {
  readonly key: string
  readonly name: string
  readonly parent: string | null
  readonly points: readonly FigurePoint[]
}

export interface FigureAnswer {
  readonly measure: Measure
  readonly total: Series
  readonly groups: readonly Series[]
}

/** `from`, `to`: days of the site's zone (the last included), or moments (the last not counted). */
export interface FigureQuestion {
  readonly measure: string
  readonly from: string
  readonly to: string
  readonly grain?: Grain | undefined
  readonly by?: Dimension | undefined
  readonly compare?: readonly Comparison[]
  /** The day, week, ... that the period is or begins, which says what is before it. */
  readonly part_of?: Grain | undefined
  readonly only?: Only
}

export interface CountInfo {
  readonly id: string
  readonly name: string
  readonly name_en: string
  readonly unit: 'number' | 'milliseconds'
  /** The table whose rows are counted. */
  readonly source: string
  readonly sum: number
}

export interface FigureRow {
  readonly id: string
  readonly at: Moment
  /** What it adds to the count: 1, or milliseconds. */
  readonly adds: number
  readonly call_id: string | null
  readonly line: string | null
  readonly queue: string | null
  readonly language: string | null
  readonly agent: string | null
  readonly state: string | null
  readonly seconds: number | null
  readonly talk_seconds: number | null
  readonly caller_number: string
  /** Of a figure that another system gave: the end of its period, its file, and when that was imported. */
  readonly until: Moment | null
  readonly imported_from: string | null
  readonly imported_at: Moment | null
}

export interface Explanation {
  readonly measure: Measure
  readonly question: { readonly start: Moment; readonly end: Moment; readonly only: Only }
  readonly figure: Figure
  readonly numerator: readonly CountInfo[]
  readonly denominator: readonly CountInfo[]
  readonly side: CountSide
  readonly rows: readonly FigureRow[]
  readonly after: string | null
}

/** A line's calls by the hour of today and of the same day last week, and what it had come to then by this time. */
export interface TrendLine {
  readonly line: string | null
  readonly hours: readonly number[]
  readonly hours_then: readonly number[]
  readonly then: Readonly<Partial<Record<'offered' | 'answer_rate' | 'within_rate' | 'asa', Figure>>>
}

export interface Trend {
  readonly day: string
  /** Up to when last week's figures count. */
  readonly then: Moment
  readonly total: TrendLine
  readonly lines: readonly TrendLine[]
}

/** What somebody looks at on the history page, under a name. */
export interface SavedView {
  readonly name: string
  /** Of the page's address. */
  readonly query: string
  readonly saved_at: Moment
}

/** What the server says of test calls (拨测), as in docs/console-api.md and core/trials.py. */

import type { Moment } from './types'

export const MARK_PARTS = ['menu', 'answering', 'manner', 'knowledge', 'call_back'] as const
export type MarkPart = (typeof MARK_PARTS)[number]

export type TrialResult = 'answered' | 'refused' | 'no_answer' | 'failed'

export interface TrialOrder {
  readonly name: string
  readonly number: string
  readonly unit: string
  readonly line: string
  readonly via: string
}

/** The listener's sheet: points by part, and when a person spoke; what is null is not marked. */
export type TrialMarks = Readonly<Record<MarkPart, number | null>> & {
  readonly note: string
  /** From the answer. */
  readonly person_seconds: number | null
}

export interface TestCall {
  readonly trial_id: string
  readonly order: TrialOrder
  readonly began_at: Moment
  readonly result: TrialResult
  /** Of SIP. */
  readonly status: number
  /** From the first ring. */
  readonly answer_seconds: number | null
  readonly sound_seconds: number | null
  readonly spoken_seconds: number
  readonly level_dbfs: number | null
  /** 0 to 1. */
  readonly silent_share: number | null
  /** `1@3.2 0@7.5`: each key with its second after the answer. */
  readonly keys: string
  readonly call_id: string | null
  /** From the answer, as the own ledger says. */
  readonly person_seconds: number | null
  readonly agent: string | null
  readonly reached_line: string | null
  readonly text: string | null
  readonly has_sound: boolean
  readonly marks: TrialMarks
  readonly marked_by: string
}

export interface PlannedTrial {
  readonly order: TrialOrder
  /** 1 is Monday. */
  readonly days: readonly number[]
  readonly times: readonly string[]
  readonly every_minutes: number | null
  readonly next_at: Moment | null
}

export interface TrialsNow {
  readonly plans: readonly PlannedTrial[]
  readonly dialling: TrialOrder | null
  readonly full_marks: Readonly<Record<MarkPart, number>>
  readonly shown_as: string
}

/** Of a unit or a line; times are means. */
export interface TrialSum {
  readonly key: string
  readonly calls: number
  readonly answered: number
  readonly reached: number
  readonly answer_seconds: number | null
  readonly reached_seconds: number | null
  readonly marked: number
  readonly marks: Readonly<Record<MarkPart, number | null>>
  readonly points: number | null
}

export interface TrialWanted {
  readonly since?: Moment
  readonly until?: Moment
  readonly line?: string
  readonly unit?: string
}

export type SumBy = 'unit' | 'line'

/** What to dial: a plan of the site file by name, or a number. */
export type Dialled =
  | { readonly name: string }
  | { readonly number: string; readonly unit: string; readonly keys: string; readonly seconds: number }

/** What the server says of reports (通报), as in docs/console-api.md and core/reports.py. */

import type { Moment } from './types'

export const REPORT_FORMATS = ['html', 'docx', 'xlsx', 'pdf', 'json'] as const
export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** The name that reports have which people asked for. */
export const BY_HAND = 'by-hand'

export interface ReportHead {
  /** Of its schedule, or `BY_HAND`. */
  readonly name: string
  readonly period: string
  readonly title: string
  /** `files`: only files are there, no draft. */
  readonly state: 'draft' | 'final' | 'files'
  readonly made_at: Moment
  readonly final_by: string | null
  readonly final_at: Moment | null
  /** How many figures do not add up. */
  readonly disagreements: number | null
  readonly formats: readonly ReportFormat[]
}

export interface ReportMaking {
  readonly name: string
  readonly period: string
  /** Why it could not be made; null while it is. */
  readonly failed: string | null
}

export interface ReportShelf {
  readonly reports: readonly ReportHead[]
  readonly making: ReportMaking | null
}

export const REPORT_KINDS = ['day', 'week', 'month', 'topic'] as const
export type ReportKind = (typeof REPORT_KINDS)[number]

export interface ReportOrder {
  readonly what: ReportKind
  readonly period: string
  readonly last?: string
  readonly words?: string
  readonly again?: boolean
  /** The text of a file of sub-centres' figures, or of their ranking. */
  readonly scores?: string
}

export interface ReportText {
  readonly kind: 'text'
  readonly id: string
  readonly text: string
  /** 1 or 2: a heading; 0: sentences. */
  readonly level: number
  readonly edited: boolean
}

export interface ReportTable {
  readonly kind: 'table'
  readonly id: string
  readonly title: string
  readonly columns: readonly string[]
  readonly words: readonly boolean[]
  readonly rows: readonly {
    readonly id: string
    readonly cells: readonly string[]
    readonly depth: number
    readonly strong: boolean
    /** 备注: what people said of it. */
    readonly remark: string
  }[]
  readonly source: string
}

export interface ReportChart {
  readonly kind: 'chart'
  readonly id: string
  readonly title: string
  readonly shape: 'pie' | 'bar' | 'line'
  readonly labels: readonly string[]
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[]
  readonly unit: string
}

export interface ReportNote {
  readonly kind: 'note'
  readonly id: string
  readonly text: string
  readonly tone: 'source' | 'check' | 'edit'
  /** 说明: how people explain it; null: not to be explained. */
  readonly remark: string | null
}

export type ReportBlock = ReportText | ReportTable | ReportChart | ReportNote

export interface ReportContent {
  readonly head: ReportHead
  /** Names this content: whoever changes it says on which. */
  readonly revision: string
  readonly issuer: string
  readonly period_text: string
  readonly status: string
  readonly blocks: readonly ReportBlock[]
  readonly disagreements: readonly string[]
}

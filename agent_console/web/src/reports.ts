/** Reports as the page works on them: what is typed over the texts, which period is meant, pictures. Pure. */

import type { ReportBlock, ReportChart, ReportKind, ReportOrder } from '@/api/reports'
import type { ChartOption } from '@/charts/options'
import { daysOn, weekday } from '@/figures/period'

/** Texts and remarks as typed, by id; what is not here is as the server has it. */
export type Typed = Readonly<Record<string, string>>

interface Writable {
  readonly id: string
  readonly text: string
  /** A remark may be taken away, a text never. */
  readonly remark: boolean
}

function writableOf(block: ReportBlock): readonly Writable[] {
  if (block.kind === 'text') return [{ id: block.id, text: block.text, remark: false }]
  if (block.kind === 'table') return block.rows.map(({ id, remark }) => ({ id, text: remark, remark: true }))
  if (block.kind === 'note' && block.remark !== null)
    return [{ id: block.id, text: block.remark, remark: true }]
  return []
}

/** What was typed and is otherwise than the server has it; null takes a remark away. */
export function changesOf(blocks: readonly ReportBlock[], typed: Typed): Record<string, string | null> {
  const changed = blocks.flatMap(writableOf).flatMap(({ id, text, remark }) => {
    const now = typed[id]?.trim()
    if (now === undefined || now === text || (now === '' && !remark)) return []
    return [[id, now === '' ? null : now] as const]
  })
  return Object.fromEntries(changed)
}

/** After somebody else's change: what was typed on texts that they left alone stays. */
export function kept(before: readonly ReportBlock[], now: readonly ReportBlock[], typed: Typed): Typed {
  const old = new Map(before.flatMap(writableOf).map(({ id, text }) => [id, text]))
  const same = new Set(now.flatMap(writableOf).flatMap(({ id, text }) => (old.get(id) === text ? [id] : [])))
  return Object.fromEntries(Object.entries(typed).filter(([id]) => same.has(id)))
}

/** The month before today's, the week before, yesterday: what is usually reported on. */
export function usualPeriod(what: ReportKind, today: string): string {
  if (what === 'month' || what === 'topic') return daysOn(`${today.slice(0, 8)}01`, -1).slice(0, 7)
  if (what === 'week') return weekOf(daysOn(today, -7))
  return daysOn(today, -1)
}

/** The ISO week that a day is in: 2026-W45. */
export function weekOf(day: string): string {
  const thursday = daysOn(day, 3 - weekday(day))
  const year = thursday.slice(0, 4)
  const days = (Date.parse(`${thursday}T00:00:00Z`) - Date.parse(`${year}-01-01T00:00:00Z`)) / 86_400_000
  return `${year}-W${String(Math.floor(days / 7) + 1).padStart(2, '0')}`
}

export interface Wanted {
  readonly what: ReportKind
  readonly period: string
  readonly from: string
  readonly to: string
  readonly words: string
  /** The text of a file of sub-centres' figures; empty: none. */
  readonly scores: string
}

/** As much of it as the server takes. */
export const MOST_SCORES_BYTES = 50_000

/** The order for what is chosen; null while something is missing. */
export function orderOf(wanted: Wanted, again: boolean): ReportOrder | null {
  const { what, period, from, to, words, scores } = wanted
  if (what !== 'topic')
    return period === '' ? null : { what, period, again, ...(scores === '' ? {} : { scores }) }
  if (words.trim() === '' || from === '' || to < from) return null
  return { what, period: from, last: to, words: words.trim(), again }
}

/** Of a report's period which kind it is: 2026-10, 2026-W41, 2026-10-05, topic-…. */
export function kindOf(period: string): ReportKind {
  if (period.startsWith('topic-')) return 'topic'
  if (period.includes('W')) return 'week'
  return period.length === 7 ? 'month' : 'day'
}

/** A report's picture as a chart; its numbers are in the table beside it, or on it. */
export function chartOf({ shape, labels, series, unit }: ReportChart): ChartOption {
  if (shape === 'pie') {
    const values = series[0]?.values ?? []
    return {
      tooltip: { trigger: 'item' },
      legend: { orient: 'vertical', right: 12, top: 'middle' },
      series: [
        {
          type: 'pie',
          radius: ['38%', '72%'],
          center: ['36%', '50%'],
          label: { formatter: '{d}%' },
          data: labels.map((name, place) => ({ name, value: values[place] ?? 0 })),
        },
      ],
    }
  }
  const many = series.length > 1
  const flat = shape === 'bar' // names of topics are long: bars lie
  const names = { type: 'category' as const, data: [...labels], inverse: flat, axisLabel: { interval: 0 } }
  const numbers = { type: 'value' as const, name: flat ? '' : unit }
  return {
    grid: { left: flat ? 128 : 64, right: 48, top: many ? 44 : 32, bottom: 28 },
    ...(many ? { legend: { top: 4 } } : {}),
    tooltip: { trigger: 'axis' },
    xAxis: flat ? numbers : names,
    yAxis: flat ? names : numbers,
    series: series.map(({ name, values }) => ({
      type: flat ? ('bar' as const) : ('line' as const),
      name,
      data: values.map((value) => value ?? '-'),
      barMaxWidth: 22,
      symbolSize: 8,
      label: { show: !many, position: flat ? ('right' as const) : ('top' as const) },
    })),
  }
}

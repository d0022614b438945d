/** Periods as people name them, in days of the hotline's calendar ("2026-11-02"), the last included. Pure. */

import type { Dimension, Grain } from '@/api/figures'

export const SHORTCUTS = [
  'today',
  'yesterday',
  'this_week',
  'last_week',
  'this_month',
  'last_month',
  'this_year',
] as const
export type Shortcut = (typeof SHORTCUTS)[number]

/** The part of the calendar that a named period is, or is the beginning of. */
export const PART_OF: Readonly<Record<Shortcut, Grain>> = {
  today: 'day',
  yesterday: 'day',
  this_week: 'week',
  last_week: 'week',
  this_month: 'month',
  last_month: 'month',
  this_year: 'year',
}

export interface Days {
  readonly from: string
  readonly to: string
}

const DAY_MS = 86_400_000

const parse = (day: string): Date => new Date(`${day}T00:00:00Z`)
const text = (date: Date): string => date.toISOString().slice(0, 10)

export const daysOn = (day: string, days: number): string =>
  text(new Date(parse(day).getTime() + days * DAY_MS))

/** How many days a period has. */
export const lengthOf = ({ from, to }: Days): number =>
  Math.round((parse(to).getTime() - parse(from).getTime()) / DAY_MS) + 1

/** 0 for Monday. */
export const weekday = (day: string): number => (parse(day).getUTCDay() + 6) % 7

/** The period a name stands for on a day. */
export function daysOf(shortcut: Shortcut, today: string): Days {
  const monday = daysOn(today, -weekday(today))
  const first = `${today.slice(0, 8)}01`
  const lastOfBefore = daysOn(first, -1)
  const named: Readonly<Record<Shortcut, Days>> = {
    today: { from: today, to: today },
    yesterday: { from: daysOn(today, -1), to: daysOn(today, -1) },
    this_week: { from: monday, to: today },
    last_week: { from: daysOn(monday, -7), to: daysOn(monday, -1) },
    this_month: { from: first, to: today },
    last_month: { from: `${lastOfBefore.slice(0, 8)}01`, to: lastOfBefore },
    this_year: { from: `${today.slice(0, 4)}-01-01`, to: today },
  }
  return named[shortcut]
}

const A_DAY = {
  quarter_hour: 96,
  hour: 24,
  day: 1,
  week: 1 / 7,
  month: 1 / 30,
  quarter: 1 / 91,
  year: 1 / 365,
}
const MOST_PARTS = 400 // more cannot be told apart on a screen
// By agent or skill the server keeps no sums of parts of days and counts rows: those of two days at the most.
const MOST_COUNTED = { days: 2, parts: 96 }

/** Into which parts a period can be cut so that a chart of them can be read, and comes at once. */
export function grainsFor(days: Days, by: Dimension | null = null): readonly Grain[] {
  const length = lengthOf(days)
  const counted = by === 'agent' || by === 'skill'
  return (Object.keys(A_DAY) as Grain[]).filter((grain) => {
    const parts = length * A_DAY[grain]
    if (counted && A_DAY[grain] > 1 && (length > MOST_COUNTED.days || parts > MOST_COUNTED.parts))
      return false
    return parts <= MOST_PARTS && (parts > 1 || grain === 'day')
  })
}

/** The parts that show most of a period at a glance. */
export function usualGrain(days: Days): Grain {
  const length = lengthOf(days)
  if (length <= 2) return 'hour'
  if (length <= 62) return 'day'
  return length <= 180 ? 'week' : 'month'
}

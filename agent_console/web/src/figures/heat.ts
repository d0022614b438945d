/** Hours of many days folded into one week. Pure. */

import type { FigurePoint } from '@/api/figures'
import { momentText } from '@/format'

import { daysOn, weekday, type Days } from './period'

export interface HeatCell {
  readonly sum: number
  /** How many such hours the period has had up to now. */
  readonly days: number
  /** Those hours, the first day first: what the cell rests on. */
  readonly hours: readonly FigurePoint[]
}

/** Seven rows from Monday, each of 24 hours. */
export type Heat = readonly (readonly HeatCell[])[]

const HOURS = 24
const MOST_DAYS = 100 // of hours that the server gives in one answer: 2,400 of 3,000

/** A period in pieces whose hours the server gives in one answer each. */
export function pieces({ from, to }: Days): readonly Days[] {
  const found: Days[] = []
  for (let first = from; first <= to; first = daysOn(first, MOST_DAYS)) {
    const last = daysOn(first, MOST_DAYS - 1)
    found.push({ from: first, to: last < to ? last : to })
  }
  return found
}

const PARTS: Intl.DateTimeFormatOptions = {
  ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
  ...{ hour: '2-digit', hourCycle: 'h23' },
}

/** Adds up hours by weekday and hour of the hotline's clock; hours that have not begun yet do not count. */
export function foldHours(points: readonly FigurePoint[], nowMs: number): Heat {
  const cells = Array.from({ length: 7 }, () =>
    Array.from({ length: HOURS }, () => ({ sum: 0, days: 0, hours: [] as FigurePoint[] })),
  )
  for (const point of points) {
    const { start, figure } = point
    if (Date.parse(start) > nowMs) continue
    const there = momentText(start, 'sv-SE', PARTS) // Sweden writes "2026-11-02 09"
    const cell = cells[weekday(there.slice(0, 10))]?.[Number(there.slice(11, 13))]
    if (cell === undefined) continue
    cell.sum += figure.value ?? 0
    cell.days += 1
    cell.hours.push(point)
  }
  return cells
}

/** Where an arrow key leads on the map; null for other keys. The edges stop. */
export function keyCell(key: string, day: number, hour: number): readonly [number, number] | null {
  const steps: Readonly<Record<string, readonly [number, number]>> = {
    ArrowUp: [day - 1, hour],
    ArrowDown: [day + 1, hour],
    ArrowLeft: [day, hour - 1],
    ArrowRight: [day, hour + 1],
    Home: [day, 0],
    End: [day, HOURS - 1],
  }
  const step = steps[key]
  if (step === undefined) return null
  return [Math.min(6, Math.max(0, step[0])), Math.min(HOURS - 1, Math.max(0, step[1]))]
}

const HALF = { light: 56, dark: 75 } // percent of the dark colour; letters are hard to read on what lies between

/** How dark a cell is, in percent, of its share of the most; from the half on letters are white. */
export function darkness(share: number): { readonly percent: number; readonly white: boolean } {
  const white = share >= 0.5
  const percent = white ? HALF.dark + (share - 0.5) * 2 * (100 - HALF.dark) : share * 2 * HALF.light
  return { percent: Math.round(percent), white }
}

export const meanOf = ({ sum, days }: Pick<HeatCell, 'sum' | 'days'>): number | null =>
  days === 0 ? null : sum / days

/** A row's or a column's cells together: its sum, and its mean a day as the sum of its cells' means. */
export function together(cells: readonly HeatCell[]): { readonly sum: number; readonly mean: number } {
  return {
    sum: cells.reduce((sum, cell) => sum + cell.sum, 0),
    mean: cells.reduce((sum, cell) => sum + (meanOf(cell) ?? 0), 0),
  }
}

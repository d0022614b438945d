/** Today beside the same day last week, for the wallboard. Pure. */

import type { Figure, TrendLine } from '@/api/figures'

import { FEW_CALLS } from './board'
import { oneDecimal } from './format'

export type Direction = 'up' | 'down' | 'same'

export interface WeekChange {
  /** What it was last week by this time, as printed; seconds without their unit. */
  readonly then: string
  /** "12.3 %", or "1.45" percentage points; empty where it cannot be said. */
  readonly by: string
  readonly direction: Direction
  /** Null where neither way is better. */
  readonly good: boolean | null
}

type Compared = keyof TrendLine['then']

const HIGHER_IS_BETTER: Readonly<Record<Compared, boolean | null>> = {
  offered: null,
  answer_rate: true,
  within_rate: true,
  asa: false,
}

/** How today's value (percent, seconds or a count, as published) stands to last week's; null of too few. */
export function weekChange(
  measure: Compared,
  now: number | null,
  then: Figure | undefined,
): WeekChange | null {
  if (now === null || then === undefined || then.value === null) return null
  if ((then.denominator ?? then.numerator) < FEW_CALLS) return null
  const rate = measure === 'answer_rate' || measure === 'within_rate'
  if (!rate && then.value === 0) return null
  const by = rate ? now - then.value : ((now - then.value) / then.value) * 100
  const digits = rate ? 2 : 0
  const shown = Math.abs(by).toFixed(digits)
  const direction: Direction = Number(shown) === 0 ? 'same' : by > 0 ? 'up' : 'down'
  const better = HIGHER_IS_BETTER[measure]
  return {
    then: measure === 'asa' ? oneDecimal(then.value) : then.text.replace(' ', ''),
    by: rate ? shown : `${shown}%`,
    direction,
    good: better === null || direction === 'same' ? null : (direction === 'up') === better,
  }
}

export interface Bars {
  /** Of today, each 0 to 1; `now` is the hour that is not over yet. */
  readonly bars: readonly { readonly height: number; readonly now: boolean }[]
  /** Last week as the points of a line of steps, in a box of hours by 1, y downwards. */
  readonly steps: string
}

/** A day by the hour against last week's, both on the same scale. */
export function barsOf(line: TrendLine, hourNow: number): Bars {
  const size = Math.max(line.hours.length, line.hours_then.length)
  const most = Math.max(1, ...line.hours, ...line.hours_then)
  const bars = Array.from({ length: size }, (_, hour) => ({
    height: hour > hourNow ? 0 : (line.hours[hour] ?? 0) / most,
    now: hour === hourNow,
  }))
  const steps = line.hours_then.flatMap((count, hour) => {
    const y = (1 - count / most).toFixed(3)
    return [`${hour},${y}`, `${hour + 1},${y}`]
  })
  return { bars, steps: steps.join(' ') }
}

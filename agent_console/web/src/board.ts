/** The wallboard as data: which figures, in which order, how worrying. Pure. */

import type {
  AgentState,
  DayFigures,
  LineFigures,
  LiveView,
  Site,
  SiteLine,
  WaitingCaller,
} from '@/api/types'
import { secondsSince } from '@/live/clock'

export type Level = 'calm' | 'warn' | 'alarm'

/** An answer rate this far under the norm is an alarm. */
const RATE_ALARM_BELOW_NORM = 0.1
/** A wait of so many times the promised seconds is an alarm: 60 s of 15. */
const WAIT_ALARM_TIMES = 4

/** Of fewer calls than this one caller more or less decides: such a rate worries nobody. */
export const FEW_CALLS = 20

/** The calls that a rate counts: those no longer waiting. */
export function closedOf(figures: LineFigures | null): number {
  return figures === null ? 0 : figures.offered - figures.still_open
}

/** How worrying an answer rate over so many calls is. */
export function rateLevel(rate: number | null, norm: number, closed: number): Level {
  if (rate === null || rate >= norm || closed < FEW_CALLS) return 'calm'
  return rate < norm - RATE_ALARM_BELOW_NORM ? 'alarm' : 'warn'
}

export function waitLevel(seconds: number | null, withinSeconds: number): Level {
  if (seconds === null || seconds <= withinSeconds) return 'calm'
  return seconds >= withinSeconds * WAIT_ALARM_TIMES ? 'alarm' : 'warn'
}

/** The moment the longest-waiting caller began to wait. */
export function longestSince(waiting: readonly WaitingCaller[]): string | null {
  let oldest: string | null = null
  for (const caller of waiting) {
    if (oldest === null || Date.parse(caller.since) < Date.parse(oldest)) oldest = caller.since
  }
  return oldest
}

export type Base = 'closed' | 'closed_less_short' | 'answered'

export interface Fraction {
  readonly rate: number | null
  readonly numerator: number
  readonly denominator: number
  readonly base: Base
}

/**
 * A rate with the counts behind it. Sites differ in what they divide by; the formula printed is the one that
 * yields the server's figure.
 */
export function fraction(figures: LineFigures, numerator: number, rate: number | null): Fraction {
  const closed = closedOf(figures)
  const bases: readonly (readonly [Base, number])[] = [
    ['closed', closed],
    ['closed_less_short', closed - (figures.outcomes.short_abandon ?? 0)],
    ['answered', figures.answered],
  ]
  const fits = bases.find(
    ([, denominator]) => denominator > 0 && rate !== null && Math.abs(numerator / denominator - rate) < 1e-4,
  )
  const [base, denominator] = fits ?? ['closed', closed]
  return { rate, numerator, denominator, base }
}

export interface LineRow {
  readonly id: string
  readonly label: string
  readonly name: string
  /** The line that it is counted in too, as it is called. */
  readonly under: string
  readonly waiting: number
  readonly figures: LineFigures | null
  readonly rateLevel: Level
  /** Too few calls for the rates to say much. */
  readonly few: boolean
  readonly waitLevel: Level
}

function ordered(lines: readonly SiteLine[]): readonly { readonly line: SiteLine; readonly under: string }[] {
  const ids = new Set(lines.map((line) => line.id))
  const rows: { line: SiteLine; under: string }[] = []
  const seen = new Set<string>()
  const add = (line: SiteLine, under: string): void => {
    if (seen.has(line.id)) return
    seen.add(line.id)
    rows.push({ line, under })
    for (const child of lines) if (child.parent === line.id) add(child, line.label)
  }
  for (const line of lines) if (line.parent === null || !ids.has(line.parent)) add(line, '')
  return rows
}

/** The line's id with those of all lines under it. */
function family(id: string, lines: readonly SiteLine[]): ReadonlySet<string> {
  const ids = new Set([id])
  let size = 0
  while (size !== ids.size) {
    size = ids.size
    for (const line of lines) if (line.parent !== null && ids.has(line.parent)) ids.add(line.id)
  }
  return ids
}

/** The rows of the line table, each parent before its children; a parent's figures include theirs. */
export function lineRows(
  site: Site,
  figures: DayFigures | null,
  waiting: readonly WaitingCaller[],
  serverNowMs: number,
): readonly LineRow[] {
  const byLine = new Map(figures?.lines.map((line) => [line.line, line]))
  return ordered(site.lines).map(({ line, under }) => {
    const ids = family(line.id, site.lines)
    const callers = waiting.filter((caller) => ids.has(caller.line))
    const since = longestSince(callers)
    const lineFigures = byLine.get(line.id) ?? null
    return {
      id: line.id,
      label: line.label,
      name: line.name,
      under,
      waiting: callers.length,
      figures: lineFigures,
      rateLevel: rateLevel(lineFigures?.answer_rate ?? null, site.answer_rate_norm, closedOf(lineFigures)),
      few: closedOf(lineFigures) < FEW_CALLS,
      waitLevel: waitLevel(since === null ? null : secondsSince(since, serverNowMs), site.within_seconds),
    }
  })
}

/** The states in the order of the board: at work first, away last. */
export const BOARD_STATES: readonly AgentState[] = [
  'ready',
  'reserved',
  'ringing',
  'talking',
  'held',
  'wrap_up',
  'paused',
  'unreachable',
  'signed_out',
]

export function agentsByState(agents: LiveView['agents']): Readonly<Record<AgentState, number>> {
  const counts: Record<AgentState, number> = {
    ready: 0,
    reserved: 0,
    ringing: 0,
    talking: 0,
    held: 0,
    wrap_up: 0,
    paused: 0,
    unreachable: 0,
    signed_out: 0,
  }
  for (const agent of agents) counts[agent.state] += 1
  return counts
}

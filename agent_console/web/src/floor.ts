/** The supervisor's board as data: queues, calls and agents as rows, how they are sorted and found. Pure. */

import type { AgentState, AgentView, DayFigures, Moment, ShiftRow, Site, WaitingCaller } from '@/api/types'
import { longestSince, rateLevel, waitLevel, type Level } from '@/board'
import { secondsSince } from '@/live/clock'
import type { LiveCall } from '@/live/state'

export interface QueueRow {
  readonly id: string
  /** The line whose callers wait here: names the queue. */
  readonly line: string
  readonly waiting: number
  readonly longestSince: Moment | null
  readonly ready: number
  readonly talking: number
  readonly paused: number
  /** Calls that the rate counts. */
  readonly closed: number
  readonly rate: number | null
  readonly rateLevel: Level
}

const AT_CALL: ReadonlySet<AgentState> = new Set(['reserved', 'ringing', 'talking', 'held'])
const AWAY: ReadonlySet<AgentState> = new Set(['paused', 'wrap_up', 'unreachable'])

/** Today's answered calls of a queue: over its lines, each call counted once (a parent's figures hold its children's). */
function answeredOf(
  queue: string,
  site: Site,
  figures: DayFigures | null,
): { readonly answered: number; readonly closed: number } {
  const own = site.lines.filter((line) => line.queue === queue)
  const ids = new Set(own.map((line) => line.id))
  let answered = 0
  let closed = 0
  for (const line of own) {
    if (line.parent !== null && ids.has(line.parent)) continue
    const counts = figures?.lines.find((one) => one.line === line.id)
    answered += counts?.answered ?? 0
    closed += (counts?.offered ?? 0) - (counts?.still_open ?? 0)
  }
  return { answered, closed }
}

export function queueRows(
  site: Site,
  figures: DayFigures | null,
  waiting: readonly WaitingCaller[],
  agents: readonly AgentView[],
): readonly QueueRow[] {
  return [...new Set(site.lines.map((line) => line.queue))].map((queue) => {
    const callers = waiting.filter((caller) => caller.queue === queue)
    const serving = agents.filter((agent) => agent.queues.includes(queue))
    const { answered, closed } = answeredOf(queue, site, figures)
    const rate = closed === 0 ? null : answered / closed
    return {
      id: queue,
      line: site.lines.find((line) => line.queue === queue)?.id ?? queue,
      waiting: callers.length,
      longestSince: longestSince(callers),
      ready: serving.filter((agent) => agent.state === 'ready').length,
      talking: serving.filter((agent) => AT_CALL.has(agent.state)).length,
      paused: serving.filter((agent) => AWAY.has(agent.state)).length,
      closed,
      rate,
      rateLevel: rateLevel(rate, site.answer_rate_norm, closed),
    }
  })
}

export type CallState =
  | 'menu'
  | 'waiting'
  | 'ringing'
  | 'talking'
  | 'held'
  | 'enquiry'
  | 'three_way'
  | 'survey'

export interface CallRow {
  readonly id: string
  readonly call: LiveCall
  readonly state: CallState
  /** Since when the state lasts, as far as it is known. */
  readonly since: Moment
  readonly queue: string | null
  readonly agentName: string
}

function stateOf(call: LiveCall, waits: boolean): CallState {
  if (call.surveyed) return 'survey'
  if (call.answered_at !== null && !waits) {
    if (call.consult != null) return call.consult.state === 'three_way' ? 'three_way' : 'enquiry'
    return call.held ? 'held' : 'talking'
  }
  if (call.agent !== null) return 'ringing'
  return waits ? 'waiting' : 'menu'
}

/** Every live call; who waits longest comes first, then the talks, the longest first. */
export function callRows(
  calls: Readonly<Record<string, LiveCall>>,
  waiting: readonly WaitingCaller[],
  agents: readonly AgentView[],
): readonly CallRow[] {
  const waits = new Map(waiting.map((caller) => [caller.call_id, caller]))
  const names = new Map(agents.map((agent) => [agent.agent, agent.name]))
  return Object.values(calls)
    .filter((call) => call.ended_at === null)
    .map((call) => {
      const waiter = waits.get(call.call_id)
      return {
        id: call.call_id,
        call,
        state: stateOf(call, waiter !== undefined),
        since: waiter?.since ?? call.answered_at ?? call.started_at,
        queue: waiter?.queue ?? null,
        agentName: call.agent === null ? '' : (names.get(call.agent) ?? call.agent),
      }
    })
    .toSorted(
      (a, b) =>
        Number(b.queue !== null) - Number(a.queue !== null) || Date.parse(a.since) - Date.parse(b.since),
    )
}

/** The call that an agent talks on now: not one that rings, nor the past one that is being wrapped up. */
export function talkOf(agent: string, calls: Readonly<Record<string, LiveCall>>): LiveCall | null {
  const on = (call: LiveCall): boolean =>
    call.ended_at === null &&
    call.answered_at !== null &&
    (call.agent === agent || (call.parties.includes(agent) && !call.rings.includes(agent)))
  return Object.values(calls).find(on) ?? null
}

/** Seconds by which a presence may be late on the books and still be none. */
const SAME_SECONDS = 5

/** Why somebody who is due is not here: late so many seconds so far, or here before and gone again (`left`). */
export function absence(shift: ShiftRow, at: Moment): number | 'left' {
  const begun = shift.planned.map(({ from }) => Date.parse(from)).filter((from) => from <= Date.parse(at))
  const sinceSeconds = (Date.parse(at) - Math.max(...begun)) / 1000
  return shift.late_seconds >= sinceSeconds - SAME_SECONDS ? shift.late_seconds : 'left'
}

export interface Sort {
  readonly column: string
  readonly down: boolean
}

/** What a column is sorted by; a column without one keeps the order given. */
export type SortKeys<Row> = Readonly<Record<string, (row: Row) => string | number>>

export function sorted<Row>(rows: readonly Row[], keys: SortKeys<Row>, sort: Sort | null): readonly Row[] {
  const key = sort === null ? undefined : keys[sort.column]
  if (sort === null || key === undefined) return rows
  const turn = sort.down ? -1 : 1
  return rows.toSorted((a, b) => {
    const [one, two] = [key(a), key(b)]
    if (typeof one === 'number' && typeof two === 'number') return turn * (one - two)
    return turn * String(one).localeCompare(String(two), 'zh-CN')
  })
}

/** Up first, then down, then as it was. */
export function nextSort(sort: Sort | null, column: string): Sort | null {
  if (sort?.column !== column) return { column, down: false }
  return sort.down ? null : { column, down: true }
}

/** The rows whose words hold everything that was typed, word by word, ignoring case. */
export function found<Row>(rows: readonly Row[], words: (row: Row) => string, typed: string): readonly Row[] {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean)
  if (wanted.length === 0) return rows
  return rows.filter((row) => {
    const text = words(row).toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}

export function callLevel(row: CallRow, withinSeconds: number, serverNowMs: number): Level {
  return row.queue === null ? 'calm' : waitLevel(secondsSince(row.since, serverNowMs), withinSeconds)
}

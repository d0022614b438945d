/** Whom a call may be handed to, as rows to choose from: the reachable first. Pure. */

import type { AgentState, Target, Targets } from '@/api/types'

export type Way = 'transfer' | 'consult'

export interface TargetRow {
  readonly id: string
  readonly kind: 'agent' | 'queue' | 'outside'
  readonly name: string
  /** Extension, queue name or number: also searched for. */
  readonly number: string
  readonly state: AgentState | null
  readonly waiting: number | null
  readonly ready: number | null
  readonly target: Target
  /** Why nobody can be reached there now: the phone is gone, or the row no longer exists. */
  readonly out: 'unreachable' | 'gone' | null
}

function rank(state: AgentState): number {
  if (state === 'ready') return 0
  return state === 'signed_out' || state === 'unreachable' ? 2 : 1
}

function rowsOf(targets: Targets, self: string | null): readonly TargetRow[] {
  const none = { state: null, waiting: null, ready: null, out: null }
  const agents = targets.agents
    .filter(({ agent }) => agent !== self)
    .toSorted((a, b) => rank(a.state) - rank(b.state))
    .map(({ agent, name, extension, state }) => ({
      ...none,
      id: `agent:${agent}`,
      kind: 'agent' as const,
      name,
      number: extension,
      state,
      target: { agent },
      out: state === 'unreachable' ? ('unreachable' as const) : null,
    }))
  const queues = targets.queues.map(({ queue, title, waiting, ready }) => ({
    ...none,
    id: `queue:${queue}`,
    kind: 'queue' as const,
    name: title,
    number: queue,
    waiting,
    ready,
    target: { queue },
  }))
  const outside = targets.outside.map(({ name, number }) => ({
    ...none,
    id: `number:${number}`,
    kind: 'outside' as const,
    name,
    number,
    target: { number },
  }))
  return [...queues, ...agents, ...outside]
}

/**
 * The rows whose name or number holds what was typed, ignoring case; `self` is left out. Nobody knows who would
 * answer in a queue, so an enquiry has none.
 */
export function targetRows(
  way: Way,
  targets: Targets | null,
  self: string | null,
  typed: string,
): readonly TargetRow[] {
  const wanted = typed.trim().toLowerCase()
  if (targets === null) return []
  return rowsOf(targets, self)
    .filter((row) => way === 'transfer' || row.kind !== 'queue')
    .filter((row) => `${row.name} ${row.number}`.toLowerCase().includes(wanted))
}

/** Fresh rows in the places that the rows had before: nothing moves under the finger. New ones come last. */
export function inPlace(before: readonly TargetRow[], now: readonly TargetRow[]): readonly TargetRow[] {
  const fresh = new Map(now.map((row) => [row.id, row]))
  const known = new Set(before.map((row) => row.id))
  return [
    ...before.map((row) => fresh.get(row.id) ?? { ...row, out: 'gone' as const }),
    ...now.filter((row) => !known.has(row.id)),
  ]
}

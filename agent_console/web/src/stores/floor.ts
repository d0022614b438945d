/** What a supervisor does on the floor: supervising calls, moving waiting callers, forcing states. */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, type ForcedState, type SuperviseVerb } from '@/api/client'
import type { AgentDay, Shift } from '@/api/types'
import { attempt } from '@/errors'

import { useLive } from './live'
import { useSession } from './session'

export const useFloor = defineStore('floor', () => {
  const live = useLive()
  const session = useSession()
  /** The rows on which something is under way. */
  const busy = ref<ReadonlySet<string>>(new Set())
  const shift = shallowRef<Shift | null>(null)
  const shiftFailed = ref(false)
  /** Today's calls by agent: of those who answered one. */
  const days = shallowRef<ReadonlyMap<string, AgentDay>>(new Map())

  const ownSeat = computed(() => session.me?.agent?.agent ?? null)
  /** What the own phone does in somebody's call. */
  const joined = computed(() =>
    ownSeat.value === null ? null : (live.state.supervision[ownSeat.value] ?? null),
  )
  /** The call that the own phone is in, for as long as that call lives. */
  const joinedCall = computed(() => {
    const call = joined.value === null ? undefined : live.state.calls[joined.value.call_id]
    return call === undefined || call.ended_at !== null ? null : call
  })

  /** One thing at a time on one row; a failure is told. */
  async function on(row: string, action: () => Promise<unknown>): Promise<boolean> {
    if (busy.value.has(row)) return false
    busy.value = new Set([...busy.value, row])
    try {
      return await attempt(action)
    } finally {
      busy.value = new Set([...busy.value].filter((one) => one !== row))
    }
  }

  const supervise = (callId: string, verb: SuperviseVerb): Promise<boolean> =>
    on(callId, () => api.supervise(callId, verb))

  async function stop(): Promise<void> {
    if (joined.value !== null) await on(joined.value.call_id, api.superviseStop)
  }

  /** After every break: the phone may have been picked up or hung up meanwhile. */
  async function loadJoined(): Promise<void> {
    const seat = ownSeat.value
    if (seat !== null) await attempt(() => live.loadSupervision(seat))
  }

  const toFront = (callId: string): Promise<boolean> => on(callId, () => api.toFront(callId))
  const toQueue = (callId: string, queue: string): Promise<boolean> =>
    on(callId, () => api.toQueue(callId, queue))
  const force = (agent: string, state: ForcedState, reason: string): Promise<boolean> =>
    on(agent, async () => live.agentIs(await api.force(agent, state, reason)))

  /** Asked for again and again: a failure is shown beside the agents, not told each time. */
  async function loadShift(): Promise<void> {
    try {
      const [planned, today] = await Promise.all([api.shift(), api.agentsToday()])
      shift.value = planned
      days.value = new Map(today.agents.map((one) => [one.agent, one]))
      shiftFailed.value = false
    } catch {
      shiftFailed.value = true
    }
  }

  return {
    busy,
    joined,
    joinedCall,
    shift,
    shiftFailed,
    days,
    supervise,
    stop,
    loadJoined,
    toFront,
    toQueue,
    force,
    loadShift,
  }
})

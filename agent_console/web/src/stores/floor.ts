/** What a supervisor does on the floor: supervising calls, moving waiting callers, forcing states. */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, type ForcedState, type SuperviseVerb } from '@/api/client'
import type { Shift } from '@/api/types'
import { attempt } from '@/errors'

import { useLive } from './live'

/** In these the own phone is in somebody's call. */
export type Listening = Exclude<SuperviseVerb, 'take-over' | 'release'>

export const useFloor = defineStore('floor', () => {
  const live = useLive()
  /** The rows on which something is under way. */
  const busy = ref<ReadonlySet<string>>(new Set())
  const joined = shallowRef<{ readonly callId: string; readonly verb: Listening } | null>(null)
  const shift = shallowRef<Shift | null>(null)
  const shiftFailed = ref(false)

  /** The call that the own phone is in, for as long as that call lives. */
  const joinedCall = computed(() => {
    const call = joined.value === null ? undefined : live.state.calls[joined.value.callId]
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

  async function supervise(callId: string, verb: SuperviseVerb): Promise<void> {
    if (!(await on(callId, () => api.supervise(callId, verb)))) return
    if (verb !== 'release') joined.value = verb === 'take-over' ? null : { callId, verb }
  }

  async function stop(): Promise<void> {
    const callId = joined.value?.callId
    if (callId !== undefined && (await on(callId, api.superviseStop))) joined.value = null
  }

  const toFront = (callId: string): Promise<boolean> => on(callId, () => api.toFront(callId))
  const toQueue = (callId: string, queue: string): Promise<boolean> =>
    on(callId, () => api.toQueue(callId, queue))
  const force = (agent: string, state: ForcedState, reason: string): Promise<boolean> =>
    on(agent, async () => live.agentIs(await api.force(agent, state, reason)))

  /** Asked for again and again: a failure is shown beside the agents, not told each time. */
  async function loadShift(): Promise<void> {
    try {
      shift.value = await api.shift()
      shiftFailed.value = false
    } catch {
      shiftFailed.value = true
    }
  }

  return { busy, joined, joinedCall, shift, shiftFailed, supervise, stop, toFront, toQueue, force, loadShift }
})

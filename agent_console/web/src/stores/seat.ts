/** The agent's own seat: state, call, and the state buttons. */

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

import { api } from '@/api/client'
import type { AgentState, AgentView } from '@/api/types'
import type { CallPhase, LiveCall } from '@/live/state'
import { EMPTY_TRANSCRIPT } from '@/live/transcript'

import { useLive } from './live'
import { useSession } from './session'

export type Command = 'sign-in' | 'resume' | 'pause' | 'sign-out' | 'extend'

/** In which states a button does something. The server has the last word (409). */
const ALLOWED: Readonly<Record<Command, ReadonlySet<AgentState>>> = {
  'sign-in': new Set(['signed_out']),
  resume: new Set(['paused', 'wrap_up']),
  pause: new Set(['ready', 'paused', 'wrap_up', 'talking', 'held', 'ringing', 'reserved', 'unreachable']),
  'sign-out': new Set(['ready', 'paused', 'wrap_up', 'unreachable']),
  extend: new Set(['wrap_up']),
}

/** In these the agent is no longer on the call that the seat names, or was last on. */
const AWAY: ReadonlySet<AgentState> = new Set(['signed_out', 'ready', 'wrap_up', 'paused'])

export const useSeat = defineStore('seat', () => {
  const live = useLive()
  const session = useSession()
  const busy = ref<Command | null>(null)
  const lastCallId = ref<string | null>(null)
  const view = computed<AgentView | null>(() => {
    const mine = session.me?.agent ?? null
    return mine === null ? null : (live.state.agents.find((agent) => agent.agent === mine.agent) ?? mine)
  })

  /** The reason of a break that was asked for during a call, and begins after it. */
  const breakAfter = computed(() => view.value?.pending_reason ?? null)

  /** A call that no queue brought here: handed on by a colleague, or about which a colleague asks. */
  const handed = computed<LiveCall | null>(() => {
    const { agent, state = 'ready', call_id: own } = view.value ?? {}
    if (agent === undefined || !AWAY.has(state)) return null
    const mine = (one: LiveCall): boolean =>
      one.ended_at === null &&
      (one.answered_at !== null || one.rings.includes(agent)) &&
      one.call_id !== own &&
      (one.agent === agent || one.parties.includes(agent))
    return Object.values(live.state.calls).find(mine) ?? null
  })

  /** The call that rings or is talked on; after it, the last one until it is put away or another comes. */
  const call = computed<LiveCall | null>(() => {
    if (handed.value !== null) return handed.value
    const callId = view.value?.call_id ?? lastCallId.value
    return callId === null ? null : (live.state.calls[callId] ?? null)
  })

  const transcript = computed(
    () => (call.value === null ? undefined : live.state.transcripts[call.value.call_id]) ?? EMPTY_TRANSCRIPT,
  )

  const phase = computed<'none' | CallPhase>(() => {
    if (call.value === null) return 'none'
    if (handed.value !== null)
      return handed.value.rings.includes(view.value?.agent ?? '') ? 'ringing' : 'talking'
    const mine = view.value?.call_id === call.value.call_id && !AWAY.has(view.value.state)
    if (call.value.ended_at !== null || !mine) return 'ended'
    return call.value.answered_at === null || view.value?.state === 'ringing' ? 'ringing' : 'talking'
  })

  /** The call is a colleague's, who asks this agent about it or has joined this agent with the caller. */
  const guest = computed(
    () => call.value?.consult != null && call.value.agent !== null && call.value.agent !== view.value?.agent,
  )

  /** The own phone is muted; a colleague's on the same call is the colleague's. */
  const muted = computed(() => call.value?.muted_agents.includes(view.value?.agent ?? '') ?? false)

  function may(command: Command): boolean {
    if (busy.value !== null || view.value === null) return false
    if (command === 'resume' && breakAfter.value !== null) return true // takes the break back
    return ALLOWED[command].has(view.value.state)
  }

  async function run(command: Command, request: () => Promise<AgentView>): Promise<void> {
    if (!may(command)) return
    busy.value = command
    try {
      live.agentIs(await request())
    } finally {
      busy.value = null
    }
  }

  /** Serves all queues of the agent's skills, or only these. */
  const signIn = (queues?: readonly string[]): Promise<void> => run('sign-in', () => api.agentSignIn(queues))
  const signOut = (): Promise<void> => run('sign-out', api.agentSignOut)
  const pause = (reason: string): Promise<void> => run('pause', () => api.agentPause(reason))
  const extendWrapUp = (seconds: number): Promise<void> => run('extend', () => api.extendWrapUp(seconds))

  const endWrapUp = (): Promise<void> => run('resume', api.endWrapUp)

  /** Ready for calls: after a break, without the break that was to come, or at once instead of a wrap-up. */
  const resume = (): Promise<void> =>
    view.value?.state === 'wrap_up' && breakAfter.value === null
      ? endWrapUp()
      : run('resume', api.agentResume)

  /** Remembers the call that is on now, to go on showing it after its end. A call that only rang is not kept. */
  function keep(): void {
    if (phase.value === 'talking' && call.value !== null) lastCallId.value = call.value.call_id
  }

  function putAway(): void {
    lastCallId.value = null
  }

  return {
    view,
    call,
    transcript,
    phase,
    guest,
    muted,
    busy,
    breakAfter,
    may,
    signIn,
    signOut,
    resume,
    endWrapUp,
    pause,
    extendWrapUp,
    keep,
    putAway,
  }
})

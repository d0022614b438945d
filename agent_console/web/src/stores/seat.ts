/** The agent's own seat: state, call, and the state buttons. */

import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'

import { api } from '@/api/client'
import type { AgentState, AgentView } from '@/api/types'
import type { CallPhase, LiveCall } from '@/live/state'
import { EMPTY_TRANSCRIPT } from '@/live/transcript'

import { useLive } from './live'
import { useSession } from './session'

export type Command = 'sign-in' | 'resume' | 'pause' | 'sign-out'

/** In which states a button does something. The server has the last word (409). */
const ALLOWED: Readonly<Record<Command, ReadonlySet<AgentState>>> = {
  'sign-in': new Set(['signed_out']),
  resume: new Set(['paused']),
  pause: new Set(['ready', 'paused', 'wrap_up', 'talking', 'ringing', 'unreachable']),
  'sign-out': new Set(['ready', 'paused', 'wrap_up', 'unreachable']),
}

const AT_CALL: ReadonlySet<AgentState> = new Set(['ringing', 'talking', 'wrap_up'])

export const useSeat = defineStore('seat', () => {
  const live = useLive()
  const session = useSession()
  const busy = ref<Command | null>(null)
  const lastCallId = ref<string | null>(null)
  /** The reason of a break that was asked for during a call, and begins after it. */
  const breakAfter = ref<string | null>(null)

  const view = computed<AgentView | null>(() => {
    const mine = session.me?.agent ?? null
    return mine === null ? null : (live.state.agents.find((agent) => agent.agent === mine.agent) ?? mine)
  })

  /** The call that rings or is talked on; after it, the last one until it is put away or another comes. */
  const call = computed<LiveCall | null>(() => {
    const callId = view.value?.call_id ?? lastCallId.value
    return callId === null ? null : (live.state.calls[callId] ?? null)
  })

  const transcript = computed(
    () => (call.value === null ? undefined : live.state.transcripts[call.value.call_id]) ?? EMPTY_TRANSCRIPT,
  )

  const phase = computed<'none' | CallPhase>(() => {
    if (call.value === null) return 'none'
    const mine = view.value?.call_id === call.value.call_id
    if (call.value.ended_at !== null || !mine) return 'ended'
    return call.value.answered_at === null || view.value?.state === 'ringing' ? 'ringing' : 'talking'
  })

  function may(command: Command): boolean {
    if (busy.value !== null || view.value === null) return false
    if (command === 'resume' && breakAfter.value !== null) return true
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

  const signIn = (): Promise<void> => run('sign-in', api.agentSignIn)
  const signOut = (): Promise<void> => run('sign-out', api.agentSignOut)

  async function resume(): Promise<void> {
    await run('resume', api.agentResume)
    breakAfter.value = null
  }

  /** A break now, or after the call and its wrap-up if there is one. */
  async function pause(reason: string): Promise<void> {
    await run('pause', () => api.agentPause(reason))
    if (AT_CALL.has(view.value?.state ?? 'signed_out')) breakAfter.value = reason
  }

  watch(
    () => view.value?.state,
    (state) => {
      if (state === undefined || !AT_CALL.has(state)) breakAfter.value = null
    },
  )

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
    busy,
    breakAfter,
    may,
    signIn,
    signOut,
    resume,
    pause,
    keep,
    putAway,
  }
})

/** The present, kept up to date over the WebSocket while a page asks for it. */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, ApiError } from '@/api/client'
import type { AgentView, CallView, HelloFrame, Segment, ServerFrame, Topic } from '@/api/types'
import { localNowMs } from '@/live/clock'
import { reduce, withSegments } from '@/live/reducer'
import { LiveSocket, type SocketOwner, type SocketStatus } from '@/live/socket'
import { EMPTY_STATE, type LiveState } from '@/live/state'

import { useSession } from './session'

/** Attempts in vain before we ask whether we are still signed in. */
const ATTEMPTS_BEFORE_ASKING = 3

function socketUrl(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`
}

export const useLive = defineStore('live', () => {
  const state = shallowRef<LiveState>(EMPTY_STATE)
  const status = ref<SocketStatus>('closed')
  const serverStarts = ref(0)
  /** When anything last came, in local milliseconds: what is shown is as old as this. */
  const heardAtMs = ref<number | null>(null)
  let topics: readonly Topic[] = []
  let socket: LiveSocket | null = null

  const broken = computed(() => ['reconnecting', 'crowded', 'refused'].includes(status.value))

  const owner: SocketOwner = {
    hello: (): HelloFrame => {
      const { bootId, heardSeq } = state.value
      return { type: 'hello', topics, boot_id: heardSeq === null ? null : bootId, last_seq: heardSeq }
    },
    frame: (frame: ServerFrame) => {
      if (frame.type === 'welcome' && state.value.bootId !== null && state.value.bootId !== frame.boot_id) {
        serverStarts.value += 1
        void useSession().noticeUpdate()
      }
      heardAtMs.value = localNowMs()
      state.value = reduce(state.value, frame, heardAtMs.value)
    },
    status: (next, attempt) => {
      status.value = next
      if (attempt === ATTEMPTS_BEFORE_ASKING) void askWhetherSignedIn()
    },
    signedOut: () => useSession().forget(),
  }

  /** A refused handshake looks like any other break to a browser: HTTP tells whether the sign-in is gone. */
  async function askWhetherSignedIn(): Promise<void> {
    try {
      await api.me()
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) useSession().forget()
    }
  }

  const hurry = (): void => {
    if (document.visibilityState === 'visible') socket?.hurry()
  }

  function open(wanted: readonly Topic[]): void {
    close()
    topics = wanted
    state.value = EMPTY_STATE
    socket = new LiveSocket(socketUrl(), owner)
    socket.start()
    window.addEventListener('online', hurry)
    document.addEventListener('visibilitychange', hurry)
  }

  function close(): void {
    window.removeEventListener('online', hurry)
    document.removeEventListener('visibilitychange', hurry)
    socket?.stop()
    socket = null
  }

  /** The server's answer to a state button: shown at once, and again when its event comes. */
  function agentIs(view: AgentView): void {
    state.value = {
      ...state.value,
      agents: state.value.agents.map((known) => (known.agent === view.agent ? view : known)),
    }
  }

  /** The server's answer to a command on a call: shown at once, and again when its event comes. */
  function callIs(view: CallView): void {
    const known = state.value.calls[view.call_id]
    if (known === undefined || known.ended_at !== null) return // over meanwhile: what it was is no news
    state.value = { ...state.value, calls: { ...state.value.calls, [view.call_id]: { ...known, ...view } } }
  }

  function nuisanceIs(callId: string, nuisance: boolean): void {
    const known = state.value.calls[callId]
    if (known === undefined) return
    state.value = { ...state.value, calls: { ...state.value.calls, [callId]: { ...known, nuisance } } }
  }

  /** What a call brings along: text that was heard before it came to this page. */
  function textIs(segments: readonly Segment[]): void {
    state.value = withSegments(state.value, segments)
  }

  async function loadAlerts(): Promise<void> {
    const { alerts } = await api.alerts()
    state.value = { ...state.value, alerts }
  }

  /** What the own phone does in somebody's call, as the server says: a page that was loaded anew knows it again. */
  async function loadSupervision(seat: string): Promise<void> {
    const found = await api.supervision()
    state.value = { ...state.value, supervision: { ...state.value.supervision, [seat]: found } }
  }

  return {
    state,
    status,
    serverStarts,
    heardAtMs,
    broken,
    open,
    close,
    agentIs,
    callIs,
    nuisanceIs,
    textIs,
    loadAlerts,
    loadSupervision,
  }
})

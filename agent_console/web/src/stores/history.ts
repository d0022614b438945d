/** Past calls of whoever is signed in, newest first, and the one that is open for reading. */

import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { CallFilter, CallSummary, PastCall } from '@/api/types'

const PAGE = 50
const ATTEMPTS = 4
const BETWEEN_MS = 1_000

export const useHistory = defineStore('history', () => {
  const calls = shallowRef<readonly CallSummary[]>([])
  const more = ref(false)
  const loading = ref(false)
  const failed = ref(false)
  const open = shallowRef<PastCall | null>(null)
  let wanted: string | null = null
  const filter = shallowRef<CallFilter>({})
  /** The utterance (`side:utterance`) for which the open call was opened. */
  const sought = ref<string | null>(null)

  async function guarded(work: () => Promise<void>): Promise<void> {
    loading.value = true
    try {
      await work()
      failed.value = false
    } catch {
      failed.value = true // shown in the list with a way to try again
    } finally {
      loading.value = false
    }
  }

  /** The newest page; older ones that were fetched already stay. */
  const refresh = (): Promise<void> =>
    guarded(async () => {
      const asked = filter.value
      const { calls: newest } = await api.calls(PAGE, undefined, asked)
      if (asked !== filter.value) return // other calls are wanted by now
      const oldest = newest.at(-1)?.started_at
      const known = new Set(newest.map((call) => call.call_id))
      const older = calls.value.filter(
        (call) =>
          !known.has(call.call_id) &&
          oldest !== undefined &&
          Date.parse(call.started_at) < Date.parse(oldest),
      )
      calls.value = [...newest, ...older]
      if (older.length === 0) more.value = newest.length === PAGE
    })

  /** Other calls are wanted. */
  function find(these: CallFilter): Promise<void> {
    filter.value = these
    calls.value = []
    return refresh()
  }

  /** Asks again for a moment until a call that has just ended is there: it is written down after it is told. */
  async function refreshUntil(callId: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await refresh()
      if (calls.value.some((call) => call.call_id === callId)) return
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS))
    }
  }

  const loadMore = (): Promise<void> =>
    guarded(async () => {
      const oldest = calls.value.at(-1)
      if (oldest === undefined) return
      const { calls: older } = await api.calls(PAGE, oldest.started_at, filter.value)
      const known = new Set(calls.value.map((call) => call.call_id))
      calls.value = [...calls.value, ...older.filter((call) => !known.has(call.call_id))]
      more.value = older.length === PAGE
    })

  const read = (callId: string, utterance: string | null = null): Promise<void> => {
    wanted = callId
    sought.value = utterance
    return guarded(async () => {
      const past = await api.call(callId)
      if (wanted === callId) open.value = past
    })
  }

  /** The numbers in the open call's text, for a supervisor. */
  async function revealText(): Promise<void> {
    const past = open.value
    if (past === null) return
    const { segments } = await api.revealText(past.call.call_id)
    if (open.value?.call.call_id === past.call.call_id) {
      open.value = { ...open.value, segments, text_masked: false }
    }
  }

  function close(): void {
    wanted = null
    open.value = null
  }

  return {
    calls,
    more,
    loading,
    failed,
    open,
    filter,
    sought,
    refresh,
    find,
    refreshUntil,
    loadMore,
    read,
    revealText,
    close,
  }
})

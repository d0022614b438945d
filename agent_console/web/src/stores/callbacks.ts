/** Callers who pressed the key to be called back and whom nobody has called yet: asked for now and then. */

import { defineStore } from 'pinia'
import { onScopeDispose, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { CallbackRequest, CallbackResult } from '@/api/types'

const EVERY_MS = 10_000

export const useCallbacks = defineStore('callbacks', () => {
  const waiting = shallowRef<readonly CallbackRequest[]>([])
  let timer: number | undefined

  async function refresh(): Promise<void> {
    try {
      waiting.value = (await api.callbacks()).callbacks
    } catch {
      // the page says already that the server is away; the list that was there stays
    }
  }

  /** Keeps the list fresh until `stop`. */
  function watch(): void {
    void refresh()
    timer ??= window.setInterval(() => document.hidden || void refresh(), EVERY_MS)
  }

  function stop(): void {
    window.clearInterval(timer)
    timer = undefined
  }

  async function call(request: CallbackRequest): Promise<void> {
    try {
      await api.takeCallback(request.entry_id)
    } finally {
      await refresh()
    }
  }

  async function end(request: CallbackRequest, result: CallbackResult): Promise<void> {
    await api.endCallback(request.entry_id, result)
    await refresh()
  }

  onScopeDispose(stop)
  return { waiting, watch, stop, call, end }
})

/** What the caller of the present call called about before. */

import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { EarlierCall } from '@/api/types'

export const useEarlier = defineStore('earlier', () => {
  const calls = shallowRef<readonly EarlierCall[]>([])
  const loading = ref(false)
  const failed = ref(false)
  let wanted: string | null = null

  /** Of this call's caller; what belongs to another call is put away at once. */
  async function load(callId: string): Promise<void> {
    if (callId !== wanted) calls.value = []
    wanted = callId
    loading.value = true
    failed.value = false
    try {
      const found = await api.earlier(callId)
      if (wanted === callId) calls.value = found.calls
    } catch {
      if (wanted === callId) failed.value = true // said in the list, with a way to try again
    } finally {
      if (wanted === callId) loading.value = false
    }
  }

  return { calls, loading, failed, load }
})

/** The search in what was said: the words, and the calls in which they were found, newest first. */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'

import { api, ApiError } from '@/api/client'
import type { CallFilter, FoundCall, FoundCalls } from '@/api/types'

import { useSession } from './session'

/** Why there is nothing to show. */
export type SearchFailure = 'failed' | 'too_little'

export const useTextSearch = defineStore('text-search', () => {
  const asked = ref('')
  const calls = shallowRef<readonly FoundCall[]>([])
  const last = shallowRef<FoundCalls | null>(null)
  const loading = ref(false)
  const failure = ref<SearchFailure | null>(null)
  let filter: CallFilter = {}
  let turn = 0
  const active = computed(() => asked.value !== '')

  async function ask(before?: number): Promise<void> {
    const mine = ++turn
    loading.value = true
    try {
      const found = await api.searchTexts(asked.value, filter, before)
      if (mine !== turn) return // other words are wanted by now
      calls.value = before === undefined ? found.calls : [...calls.value, ...found.calls]
      last.value = found
      failure.value = null
    } catch (error) {
      if (mine !== turn) return
      failure.value = error instanceof ApiError && error.status === 400 ? 'too_little' : 'failed'
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  /** Looks for other words, or for the same among other calls. No words: the search is over. */
  async function find(words: string, among: CallFilter): Promise<void> {
    asked.value = words.trim()
    filter = among
    calls.value = []
    last.value = null
    failure.value = null
    if (active.value) await ask()
    else turn += 1
  }

  async function more(): Promise<void> {
    const before = last.value?.before
    if (before != null) await ask(before)
  }

  // whoever signs in next at this screen sees nothing of it
  watch(
    () => useSession().me?.user,
    () => void find('', {}),
  )

  return { asked, calls, last, loading, failure, active, find, more }
})

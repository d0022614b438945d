/**
 * What the present call is about (通话要点), as the server understands it, and what it offers to the draft.
 *
 * Fetched when the server says that there is more, at most once a second. Nothing of it is written into the draft but
 * by the agent's click, and never into a field that says something or that the agent has touched.
 */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'

import { api } from '@/api/client'
import type { CallPoints, Proposal } from '@/api/types'

import { useDraft } from './draft'
import { useLive } from './live'

const BETWEEN_MS = 1_000

export const usePoints = defineStore('points', () => {
  const live = useLive()
  const draft = useDraft()
  const callId = ref<string | null>(null)
  const points = shallowRef<CallPoints | null>(null)
  const proposals = shallowRef<readonly Proposal[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined
  let askedAtMs = -Infinity

  async function load(): Promise<void> {
    timer = undefined
    const id = callId.value
    if (id === null) return
    askedAtMs = performance.now()
    try {
      const found = await api.points(id)
      if (id !== callId.value) return
      points.value = found.points
      proposals.value = found.proposals
    } catch {
      // Asked again when there is more; what is shown stays.
    }
  }

  function soon(): void {
    timer ??= setTimeout(() => void load(), Math.max(0, askedAtMs + BETWEEN_MS - performance.now()))
  }

  function turnTo(id: string | null): void {
    if (id === callId.value) return
    clearTimeout(timer)
    timer = undefined
    askedAtMs = -Infinity
    callId.value = id
    points.value = null
    proposals.value = []
    if (id !== null) soon()
  }

  watch(
    () => live.state.points[callId.value ?? ''],
    (revision) => {
      if (revision !== undefined) soon()
    },
  )

  /** What may still be taken over: for fields that say nothing and that this agent has not touched. */
  const offered = computed(() =>
    draft.saved === null || draft.callId !== callId.value
      ? []
      : proposals.value.filter(({ field }) => {
          const value = draft.fields[field]
          return (value === null || value === '' || value === false) && !draft.touched.has(field)
        }),
  )

  function accept(wanted: readonly Proposal[]): void {
    draft.edit(Object.fromEntries(wanted.map(({ field, value }) => [field, value])))
  }

  return { callId, points, proposals, offered, turnTo, accept }
})

/** Test calls: the schedule, those made, what they come to. While one is dialled, it is asked for again and again. */

import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { Dialled, SumBy, TestCall, TrialMarks, TrialsNow, TrialSum, TrialWanted } from '@/api/trials'
import { errorText } from '@/errors'

const ASK_AGAIN_MS = 1_500 // nobody tells a page that a test call is over
const REST_MS = 30_000 // the schedule dials by itself
const PAGE = 100

export const useTrials = defineStore('trials', () => {
  const now = shallowRef<TrialsNow | null>(null)
  const calls = shallowRef<readonly TestCall[]>([])
  const sums = shallowRef<readonly TrialSum[]>([])
  const more = ref(false)
  const failure = ref('')
  const loading = ref(false)
  let wanted: TrialWanted = {}
  let by: SumBy = 'unit'
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  async function load(): Promise<void> {
    const mine = ++asked
    loading.value = true
    try {
      const [present, listed, summed] = await Promise.all([
        api.trialsNow(),
        api.testCalls(PAGE, wanted),
        api.trialSums(by, wanted),
      ])
      if (mine !== asked) return // something else is looked at by now
      now.value = present
      calls.value = listed.test_calls
      more.value = listed.test_calls.length === PAGE
      sums.value = summed.sums
      failure.value = ''
    } catch (error) {
      if (mine === asked) failure.value = errorText(error)
    } finally {
      if (mine === asked) {
        loading.value = false
        clearTimeout(timer)
        timer = setTimeout(() => void load(), now.value?.dialling ? ASK_AGAIN_MS : REST_MS)
      }
    }
  }

  function look(filter: TrialWanted, sumBy: SumBy): Promise<void> {
    wanted = filter
    by = sumBy
    return load()
  }

  async function older(): Promise<void> {
    const last = calls.value.at(-1)
    if (last === undefined) return
    const mine = asked
    const page = await api.testCalls(PAGE, wanted, last.began_at)
    if (mine !== asked) return
    calls.value = [...calls.value, ...page.test_calls]
    more.value = page.test_calls.length === PAGE
  }

  async function dial(order: Dialled): Promise<void> {
    await api.dialTest(order)
    await load()
  }

  async function mark(trialId: string, marks: TrialMarks): Promise<void> {
    const marked = await api.markTest(trialId, marks)
    calls.value = calls.value.map((one) => (one.trial_id === trialId ? marked : one))
    await load()
  }

  /** Nobody looks any more. */
  function close(): void {
    asked += 1
    clearTimeout(timer)
    loading.value = false
  }

  return { now, calls, sums, more, failure, loading, look, load, older, dial, mark, close }
})

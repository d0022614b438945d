/** The what-if of staffing: what is supposed, and the plan that follows. */

import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { StaffingPlan } from '@/api/types'
import { errorText } from '@/errors'
import { questionOf, type Supposed } from '@/staffing'

const SETTLE_MS = 250 // a slider on its way asks once

export const useStaffing = defineStore('staffing', () => {
  const plan = shallowRef<StaffingPlan | null>(null)
  const failed = ref<string | null>(null)
  const loading = ref(false)
  let asked = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(supposed: Supposed): Promise<void> {
    const mine = ++asked
    loading.value = true
    try {
      const found = await api.staffing(questionOf(supposed))
      if (mine !== asked) return // something else is supposed by now
      plan.value = found
      failed.value = null
    } catch (error) {
      if (mine !== asked) return
      plan.value = null
      failed.value = errorText(error)
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  /** Asks once nothing has changed for a moment. */
  function suppose(supposed: Supposed): void {
    clearTimeout(timer)
    timer = setTimeout(() => void ask(supposed), SETTLE_MS)
  }

  /** Nobody looks any more. */
  function close(): void {
    clearTimeout(timer)
    asked += 1
    loading.value = false
  }

  return { plan, failed, loading, ask, suppose, close }
})

/** The catalogue of measures and the figures that are looked at. */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { FigureAnswer, Measure } from '@/api/figures'
import { errorText } from '@/errors'
import { grainOf, questionOf, type View } from '@/figures/view'

export const useFigures = defineStore('figures', () => {
  const measures = shallowRef<readonly Measure[]>([])
  const measure = computed(() => new Map(measures.value.map((one) => [one.id, one])))
  /** The period as a whole, and cut into parts. */
  const whole = shallowRef<FigureAnswer | null>(null)
  const parts = shallowRef<FigureAnswer | null>(null)
  /** What the figures shown are of: a view is only told apart once its figures are there. */
  const shown = shallowRef<View | null>(null)
  const loading = ref(false)
  const failure = ref('')
  let wanted: View | null = null

  async function loadMeasures(): Promise<void> {
    if (measures.value.length === 0) measures.value = (await api.measures()).measures
  }

  /** Brings the figures of a view; those of a view that is no longer wanted are let go. */
  async function look(view: View): Promise<void> {
    wanted = view
    loading.value = true
    try {
      await loadMeasures()
      const question = questionOf(view)
      const grain = grainOf(view)
      const [all, cut] = await Promise.all([
        api.figures(question),
        grain === undefined ? null : api.figures({ ...question, grain }),
      ])
      if (wanted !== view) return
      whole.value = all
      parts.value = cut
      shown.value = view
      failure.value = ''
    } catch (error) {
      if (wanted === view) failure.value = errorText(error) // shown in place of the figures
    } finally {
      if (wanted === view) loading.value = false
    }
  }

  return { measures, measure, whole, parts, shown, loading, failure, loadMeasures, look }
})

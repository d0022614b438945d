/** The hours of a period, folded into a week. */

import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { FigurePoint } from '@/api/figures'
import { errorText } from '@/errors'
import { foldHours, pieces, type Heat } from '@/figures/heat'
import { questionOf, type View } from '@/figures/view'
import { localNowMs } from '@/live/clock'
import { useFigures } from '@/stores/figures'
import { useLive } from '@/stores/live'

export const useHeat = defineStore('heat', () => {
  const figures = useFigures()
  const live = useLive()
  const heat = shallowRef<Heat | null>(null)
  const shown = shallowRef<View | null>(null)
  const loading = ref(false)
  const failure = ref('')
  let wanted: View | null = null

  /** Brings the hours of a view's period, one piece after the other. */
  async function look(view: View): Promise<void> {
    wanted = view
    loading.value = true
    try {
      await figures.loadMeasures()
      const points: FigurePoint[] = []
      for (const piece of pieces(view.days)) {
        const { measure, only } = questionOf(view)
        const found = await api.figures({ measure, ...piece, grain: 'hour', ...(only ? { only } : {}) })
        if (wanted !== view) return
        points.push(...found.total.points)
      }
      heat.value = foldHours(points, localNowMs() + live.state.clock.ms)
      shown.value = view
      failure.value = ''
    } catch (error) {
      if (wanted === view) failure.value = errorText(error) // shown in place of the map
    } finally {
      if (wanted === view) loading.value = false
    }
  }

  return { heat, shown, loading, failure, look }
})

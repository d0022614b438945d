/** Today by the hour beside the same day last week: read anew each minute while the wallboard is open. */

import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { Trend, TrendLine } from '@/api/figures'

const EVERY_MS = 60_000

export const useTrend = defineStore('trend', () => {
  const trend = shallowRef<Trend | null>(null)
  const lines = computed<ReadonlyMap<string | null, TrendLine>>(
    () => new Map(trend.value?.lines.map((line) => [line.line, line])),
  )
  let timer: ReturnType<typeof setInterval> | undefined

  async function load(): Promise<void> {
    try {
      trend.value = await api.trend()
    } catch {
      trend.value = null // rather none than one that is old
    }
  }

  function open(): void {
    void load()
    timer = setInterval(() => void load(), EVERY_MS)
  }

  function close(): void {
    clearInterval(timer)
    trend.value = null
  }

  return { trend, lines, load, open, close }
})

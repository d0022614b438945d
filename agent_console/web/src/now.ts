/** One ticking clock for the whole page, in the server's time. */

import { computed, onScopeDispose, ref, type ComputedRef } from 'vue'

import { localNowMs, secondsSince } from '@/live/clock'
import { useLive } from '@/stores/live'

const TICK_MS = 250 // a quarter of the smallest step shown, so that no second is seen to be skipped

const localMs = ref(localNowMs())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

function tick(): void {
  localMs.value = localNowMs()
}

/** The server's milliseconds now, ticking while the caller's scope lives. */
export function useServerNow(): ComputedRef<number> {
  const live = useLive()
  if (users === 0) timer = setInterval(tick, TICK_MS)
  users += 1
  tick()
  onScopeDispose(() => {
    users -= 1
    if (users === 0) clearInterval(timer)
  })
  return computed(() => localMs.value + live.state.clock.ms)
}

/** Whole seconds since a moment, ticking; null while there is none. Changes once a second, not at every tick. */
export function useSecondsSince(moment: () => string | null): ComputedRef<number | null> {
  const now = useServerNow()
  return computed(() => {
    const from = moment()
    return from === null ? null : Math.floor(secondsSince(from, now.value))
  })
}

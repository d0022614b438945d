/**
 * The server's clock as seen from here.
 *
 * Every moment the server sends is at most "now" there, so `moment - local time of arrival` is never above the
 * true difference of the clocks, and the greatest of the recent ones is nearest to it. A short memory lets the
 * estimate follow when either clock is set.
 */

const MEMORY = 64

export interface ClockOffset {
  /** What to add to local milliseconds to get the server's. */
  readonly ms: number
  readonly samples: readonly number[]
}

export const NO_OFFSET: ClockOffset = { ms: 0, samples: [] }

export function observe(offset: ClockOffset, serverMoment: string, localMs: number): ClockOffset {
  const serverMs = Date.parse(serverMoment)
  if (Number.isNaN(serverMs)) return offset
  const samples = [...offset.samples.slice(1 - MEMORY), serverMs - localMs]
  return { ms: Math.max(...samples), samples }
}

/** Seconds from a server moment to now, never negative. */
export function secondsSince(moment: string, serverNowMs: number): number {
  const from = Date.parse(moment)
  return Number.isNaN(from) ? 0 : Math.max(0, (serverNowMs - from) / 1000)
}

/** Whole seconds from now to a server moment, rounded up: the last one shown is 1. Null while there is no moment. */
export function secondsUntil(moment: string | null, serverNowMs: number): number | null {
  return moment === null ? null : Math.max(0, Math.ceil((Date.parse(moment) - serverNowMs) / 1000))
}

/** Local milliseconds that do not jump when the computer's clock is set. */
export function localNowMs(): number {
  return performance.timeOrigin + performance.now()
}

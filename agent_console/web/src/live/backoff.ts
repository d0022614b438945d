/** Waits between attempts to reconnect: doubling, capped, each drawn from its upper half so that a thousand pages
 * that lost the server together do not come back together. */

const FIRST_MS = 500
const CAP_MS = 15_000

export function backoffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 10))
  return ceiling / 2 + (random() * ceiling) / 2
}

/** Where a recording and the text of its call meet. Pure. */

import type { RecordingAbout } from '@/api/types'
import type { TranscriptItem } from '@/live/transcript'

export const RATES: readonly number[] = [1, 1.25, 1.5, 2]
export const STEP_SECONDS = 5
export const PICTURE_WIDTH = 400
export const PICTURE_HALF = 24

/** The utterance that is spoken at this time of the call: of two at once the one that began last. */
export function spokenAt(items: readonly TranscriptItem[], seconds: number): string | null {
  let found: TranscriptItem | null = null
  for (const item of items) {
    if (item.kind !== 'utterance' || item.startSeconds > seconds || item.endSeconds < seconds) continue
    if (found === null || item.startSeconds >= found.startSeconds) found = item
  }
  return found?.key ?? null
}

/** The rate after this one; after the fastest comes the first. */
export function nextRate(rate: number): number {
  return RATES[(RATES.indexOf(rate) + 1) % RATES.length] ?? 1
}

/** Where a key leads to in a recording of this length; null for a key that means nothing here. */
export function keyTarget(key: string, at: number, seconds: number): number | null {
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: at - STEP_SECONDS,
    ArrowRight: at + STEP_SECONDS,
    Home: 0,
    End: seconds,
  }
  const target = targets[key]
  return target === undefined ? null : Math.min(seconds, Math.max(0, target))
}

/** An outline of how loud a side is over time: the caller's upwards from the middle, the agent's downwards. */
export function outline(levels: readonly number[], up: boolean): string {
  const step = PICTURE_WIDTH / Math.max(1, levels.length)
  const points = levels.map((level, index) => {
    const height = 0.6 + (level / 255) * (PICTURE_HALF - 2)
    const y = up ? PICTURE_HALF - height : PICTURE_HALF + height
    return `L${(index * step).toFixed(1)} ${y.toFixed(1)}H${((index + 1) * step).toFixed(1)}`
  })
  return `M0 ${PICTURE_HALF}${points.join('')}V${PICTURE_HALF}Z`
}

/** A time of the sound on the transcript's clock, and the other way. */
export const toTranscript = (about: RecordingAbout, seconds: number): number =>
  seconds + about.transcript_offset_seconds
export const toSound = (about: RecordingAbout, seconds: number): number =>
  Math.min(about.seconds, Math.max(0, seconds - about.transcript_offset_seconds))

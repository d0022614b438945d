/**
 * The text of one call, from segments and from legs heard or lost: pure, idempotent, safe against repeats and
 * against segments that come late.
 *
 * An item keeps its place once it is on the screen: text changes in place, nothing moves under the reader's eyes.
 */

import type { Moment, Segment, SegmentTail, Side } from '@/api/types'

/** Whose voice: `party` is an agent's id or a number outside; empty for the caller. */
export interface Voice {
  readonly side: Side
  readonly party: string
}

export interface Utterance extends Voice {
  readonly kind: 'utterance'
  readonly key: string
  readonly revision: number
  /** As heard. */
  readonly text: string
  readonly written: string
  /** So many of the text's first UTF-16 units stood there before it last changed: the eye need not read them again. */
  readonly kept: number
  readonly final: boolean
  /** The leg was lost before the final text came: nobody is typing this any more. */
  readonly interrupted: boolean
  readonly startSeconds: number
  readonly endSeconds: number
}

export interface Gap extends Voice {
  readonly kind: 'gap'
  readonly key: string
  /** Why: see the reasons of `leg_lost` in docs/console-api.md. */
  readonly reason: string
  readonly startSeconds: number
  readonly from: Moment
  readonly until: Moment | null
}

/** Another recogniser goes on from here: nothing is missing, but it may write differently. */
export interface EngineLine extends Voice {
  readonly kind: 'engine'
  readonly key: string
  readonly startSeconds: number
}

export type TranscriptItem = Utterance | Gap | EngineLine

export interface Transcript {
  readonly items: readonly TranscriptItem[]
}

export const EMPTY_TRANSCRIPT: Transcript = { items: [] }

/** Numbers of persons in a text are asterisks for whoever has no part in the call; nobody says one. */
const isMasked = ({ text, written }: { readonly text: string; readonly written: string }): boolean =>
  text.includes('*') || written.includes('*')

/** Whether numbers are hidden anywhere in it. */
export const hasMasked = ({ items }: Transcript): boolean =>
  items.some((item) => item.kind === 'utterance' && isMasked(item))

/** The same text without its asterisks is newer, too: the call has come to the own seat. */
function isNewer(known: Utterance, segment: Segment): boolean {
  if (known.final !== segment.final) return segment.final
  if (known.revision === segment.revision) return isMasked(known) && !isMasked(segment)
  return segment.revision > known.revision
}

function commonLength(before: string, after: string): number {
  let length = 0
  while (length < before.length && before[length] === after[length]) length += 1
  return length
}

function place(items: readonly TranscriptItem[], item: TranscriptItem): TranscriptItem[] {
  let at = items.length
  while (at > 0 && (items[at - 1]?.startSeconds ?? 0) > item.startSeconds) at -= 1
  return [...items.slice(0, at), item, ...items.slice(at)]
}

/** Takes a partial or final text. Older revisions, and partial texts after the final one, change nothing. */
export function withSegment(transcript: Transcript, segment: Segment): Transcript {
  const key = `${segment.side}:${segment.utterance}`
  const index = transcript.items.findIndex((item) => item.key === key)
  const known = transcript.items[index]
  const item: Utterance = {
    kind: 'utterance',
    key,
    side: segment.side,
    party: segment.party,
    revision: segment.revision,
    text: segment.text,
    written: segment.written,
    kept: known?.kind === 'utterance' ? commonLength(known.text, segment.text) : 0,
    final: segment.final,
    interrupted: false,
    startSeconds: known?.startSeconds ?? segment.start_seconds,
    endSeconds: segment.end_seconds,
  }
  if (known?.kind !== 'utterance') return { items: place(transcript.items, item) }
  return isNewer(known, segment) ? { items: transcript.items.with(index, item) } : transcript
}

/** Takes what is new of a partial text. Of a text that is not there it changes nothing: the final one comes whole. */
export function withTail(transcript: Transcript, tail: SegmentTail): Transcript {
  const index = transcript.items.findIndex((item) => item.key === `${tail.side}:${tail.utterance}`)
  const known = transcript.items[index]
  if (known?.kind !== 'utterance' || known.final || known.revision !== tail.revision - 1) return transcript
  const kept = [...known.text].slice(0, tail.keep).join('')
  const text = kept + tail.tail
  const { revision, end_seconds: endSeconds } = tail
  const item = { ...known, revision, text, written: text, kept: kept.length, interrupted: false, endSeconds }
  return { items: transcript.items.with(index, item) }
}

export const sameVoice = (one: Voice, other: Voice): boolean =>
  one.side === other.side && one.party === other.party

/** Where a line that is no text goes: never above what has been read already. */
function placeNow(transcript: Transcript, at: Moment, answeredAt: Moment | null): number {
  const heardUntil = transcript.items.at(-1)?.startSeconds ?? 0
  return Math.max(heardUntil, answeredAt === null ? 0 : (Date.parse(at) - Date.parse(answeredAt)) / 1000)
}

/** Another engine hears a voice. `answeredAt` is the zero of the transcript's times. */
export function withEngineChanged(
  transcript: Transcript,
  { side, party }: Voice,
  at: Moment,
  answeredAt: Moment | null,
): Transcript {
  const key = `engine:${side}:${party}:${at}`
  if (transcript.items.some((item) => item.key === key)) return transcript
  const startSeconds = placeNow(transcript, at, answeredAt)
  return { items: place(transcript.items, { kind: 'engine', key, side, party, startSeconds }) }
}

/** A voice is no longer heard. `answeredAt` is the zero of the transcript's times. */
export function withLegLost(
  transcript: Transcript,
  { side, party, reason = '' }: Voice & { readonly reason?: string },
  at: Moment,
  answeredAt: Moment | null,
): Transcript {
  const key = `gap:${side}:${party}:${at}`
  if (transcript.items.some((item) => item.key === key)) return transcript
  const startSeconds = placeNow(transcript, at, answeredAt)
  const items = transcript.items.map((item) =>
    item.kind === 'utterance' && sameVoice(item, { side, party }) && !item.final
      ? { ...item, interrupted: true }
      : item,
  )
  return {
    items: place(items, { kind: 'gap', key, side, party, reason, startSeconds, from: at, until: null }),
  }
}

/** A voice is heard (again): closes its open gap. */
export function withLegTapped(transcript: Transcript, voice: Voice, at: Moment): Transcript {
  const open = (item: TranscriptItem): boolean =>
    item.kind === 'gap' && sameVoice(item, voice) && item.until === null
  if (!transcript.items.some(open)) return transcript
  return {
    items: transcript.items.map((item) => (open(item) ? { ...item, until: at } : item)),
  }
}

/** The call is over: what never became final stays as it was last heard. */
export function closed(transcript: Transcript): Transcript {
  return {
    items: transcript.items.map((item) =>
      item.kind === 'utterance' && !item.final ? { ...item, interrupted: true } : item,
    ),
  }
}

export function transcriptOf(segments: readonly Segment[]): Transcript {
  return segments.reduce(withSegment, EMPTY_TRANSCRIPT)
}

/** What is worth showing: an utterance that turned out to be noise has an empty text. */
export function shown(transcript: Transcript): readonly TranscriptItem[] {
  return transcript.items.filter((item) => item.kind !== 'utterance' || item.text.trim() !== '')
}

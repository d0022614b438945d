/**
 * Frames of the WebSocket to the page's state: pure, so that a break, a replay and a repeat can be tested.
 *
 * `lastSeq` moves only with what was applied; a resumed welcome changes nothing, since the missed events follow. What
 * the page says in its next hello is `heardSeq`, which sign-of-life frames move on too.
 */

import type { CallView, LiveView, Segment, ServerFrame } from '@/api/types'

import { observe } from './clock'
import { pruned, withEvent } from './events'
import { EMPTY_STATE, type LiveCall, type LiveState } from './state'
import { EMPTY_TRANSCRIPT, type Transcript, withSegment } from './transcript'

function present(call: CallView, known: LiveCall | undefined): LiveCall {
  return { ...call, rings: known?.rings ?? [], ended_at: null, outcome: known?.outcome ?? null }
}

/** Replaces calls, waiting and agents; calls that the picture no longer holds have ended. */
export function withLive(state: LiveState, live: LiveView): LiveState {
  const calls: Record<string, LiveCall> = {}
  for (const known of Object.values(state.calls)) {
    calls[known.call_id] = { ...known, ended_at: known.ended_at ?? live.at }
  }
  for (const call of live.calls) calls[call.call_id] = present(call, state.calls[call.call_id])
  return pruned({ ...state, linkUp: live.link_up, calls, waiting: live.waiting, agents: live.agents })
}

/** Fills in a call that began before its events were any of this page's business, without undoing newer ones. */
export function withCallDetails(state: LiveState, call: CallView): LiveState {
  const known = state.calls[call.call_id]
  const filled: LiveCall =
    known === undefined
      ? present(call, undefined)
      : {
          ...call,
          agent: known.agent ?? call.agent,
          answered_at: known.answered_at ?? call.answered_at,
          wait_seconds: known.wait_seconds ?? call.wait_seconds,
          rings: known.rings,
          ended_at: known.ended_at,
          outcome: known.outcome,
        }
  return { ...state, calls: { ...state.calls, [call.call_id]: filled } }
}

/** Adds texts to what is known of their calls; a newer revision that is known already stays. */
export function withSegments(state: LiveState, segments: readonly Segment[]): LiveState {
  const transcripts: Record<string, Transcript> = { ...state.transcripts }
  for (const segment of segments) {
    transcripts[segment.call_id] = withSegment(transcripts[segment.call_id] ?? EMPTY_TRANSCRIPT, segment)
  }
  return { ...state, transcripts }
}

/** Applies one frame that arrived at `localMs`. */
export function reduce(state: LiveState, frame: ServerFrame, localMs: number): LiveState {
  switch (frame.type) {
    case 'welcome':
      return frame.resumed ? state : { ...state, bootId: frame.boot_id, lastSeq: null, heardSeq: null }
    case 'snapshot':
      return {
        ...withSegments(withLive({ ...EMPTY_STATE, bootId: state.bootId }, frame.live), frame.segments),
        alerts: state.alerts,
        supervision: state.supervision,
        lastSeq: frame.seq,
        heardSeq: frame.seq,
        known: true,
        figures: frame.figures,
        clock: observe(EMPTY_STATE.clock, frame.live.at, localMs),
      }
    case 'event': {
      if (state.lastSeq !== null && frame.seq <= state.lastSeq) return state
      const clock = observe(state.clock, frame.data.at, localMs)
      const heardSeq = Math.max(frame.seq, state.heardSeq ?? 0)
      return { ...withEvent(state, frame.name, frame.data), lastSeq: frame.seq, heardSeq, clock }
    }
    case 'call':
      return withCallDetails(state, frame.data)
    case 'figures':
      return { ...state, figures: frame.data }
    case 'alive':
      return state.heardSeq === null || frame.seq <= state.heardSeq
        ? state
        : { ...state, heardSeq: frame.seq }
    case 'live':
      return { ...withLive(state, frame.data), clock: observe(state.clock, frame.data.at, localMs) }
  }
}

const TYPES = new Set(['welcome', 'snapshot', 'event', 'call', 'figures', 'live', 'alive'])

/** A frame of the server, or null for what is none. */
export function parseFrame(text: string): ServerFrame | null {
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof frame !== 'object' || frame === null) return null
  const type = (frame as { type?: unknown }).type
  return typeof type === 'string' && TYPES.has(type) ? (frame as ServerFrame) : null
}

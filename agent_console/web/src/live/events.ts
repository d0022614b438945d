/** What each event changes. Every handler is idempotent: a repeat, or an event that the picture already shows,
 * changes nothing. */

import type { EventData, EventName, Moment } from '@/api/types'

import type { LiveCall, LiveState, Told } from './state'
import {
  closed,
  EMPTY_TRANSCRIPT,
  type Transcript,
  withEngineChanged,
  withLegLost,
  withLegTapped,
  withSegment,
  withTail,
} from './transcript'

/** Calls kept after their end, newest first to stay: enough to read on after the hang-up. */
const ENDED_KEPT = 20

type Handler<Name extends EventName> = (state: LiveState, data: EventData[Name]) => LiveState

function blankCall(callId: string, at: Moment): LiveCall {
  return {
    call_id: callId,
    line: '',
    did: '',
    caller_number: '',
    caller_name: '',
    menu_path: [],
    started_at: at,
    queued_at: null,
    answered_at: null,
    agent: null,
    wait_seconds: null,
    held: false,
    muted_agents: [],
    consult: null,
    recording: 'off',
    nuisance: false,
    parties: [],
    language: '',
    recording_paused_until: null,
    callback_of: null,
    caller_lists: [],
    surveyed: false,
    rings: [],
    ended_at: null,
    outcome: null,
  }
}

function withCall(state: LiveState, callId: string, at: Moment, change: Partial<LiveCall>): LiveState {
  const known = state.calls[callId] ?? blankCall(callId, at)
  return { ...state, calls: { ...state.calls, [callId]: { ...known, ...change } } }
}

function withKnownCall(state: LiveState, callId: string, change: Partial<LiveCall>): LiveState {
  const known = state.calls[callId]
  return known === undefined
    ? state
    : { ...state, calls: { ...state.calls, [callId]: { ...known, ...change } } }
}

const without = (seats: readonly string[], seat: string): readonly string[] =>
  seats.filter((one) => one !== seat)

/** Changes a known call by what one of our seats does; others' phones are no business of a page. */
function withParty(
  state: LiveState,
  callId: string,
  agent: string | null,
  change: (call: LiveCall, agent: string) => Partial<LiveCall>,
): LiveState {
  const known = state.calls[callId]
  return known === undefined || agent === null ? state : withKnownCall(state, callId, change(known, agent))
}

function withTold(state: LiveState, agent: string, told: Told): LiveState {
  return { ...state, told: { ...state.told, [agent]: told } }
}

function withText(
  state: LiveState,
  callId: string,
  change: (transcript: Transcript) => Transcript,
): LiveState {
  const before = state.transcripts[callId] ?? EMPTY_TRANSCRIPT
  const after = change(before)
  return after === before ? state : { ...state, transcripts: { ...state.transcripts, [callId]: after } }
}

function withoutWaiting(state: LiveState, entryId: string): LiveState {
  const waiting = state.waiting.filter((caller) => caller.entry_id !== entryId)
  return waiting.length === state.waiting.length ? state : { ...state, waiting }
}

/** Forgets the oldest ended calls beyond ENDED_KEPT, with their text. */
export function pruned(state: LiveState): LiveState {
  const ended = Object.values(state.calls)
    .filter((call) => call.ended_at !== null)
    .sort((a, b) => Date.parse(b.ended_at ?? '') - Date.parse(a.ended_at ?? ''))
  const gone = new Set(ended.slice(ENDED_KEPT).map((call) => call.call_id))
  if (gone.size === 0) return state
  const kept = <Value>(record: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(record).filter(([callId]) => !gone.has(callId)))
  return {
    ...state,
    calls: kept(state.calls),
    transcripts: kept(state.transcripts),
    drafts: kept(state.drafts),
    points: kept(state.points),
  }
}

export const handlers: { readonly [Name in EventName]: Handler<Name> } = {
  call_started: (state, data) =>
    withCall(state, data.call_id, data.at, {
      line: data.line,
      did: data.did,
      caller_number: data.caller_number,
      caller_name: data.caller_name,
      language: data.language,
      callback_of: data.callback_of,
      started_at: data.at,
    }),

  menu_finished: (state, data) =>
    withKnownCall(state, data.call_id, {
      menu_path: data.path,
      language: data.language,
      ...(data.line === null ? {} : { line: data.line }),
    }),

  caller_queued: (state, data) => {
    const caller = {
      call_id: data.call_id,
      entry_id: data.entry_id,
      line: data.line,
      queue: data.queue,
      since: data.at,
      position: data.position,
    }
    const others = state.waiting.filter((known) => known.entry_id !== data.entry_id)
    return withCall({ ...state, waiting: [...others, caller] }, data.call_id, data.at, {
      line: data.line,
      caller_number: data.caller_number,
      menu_path: data.menu_path,
      language: data.language,
      queued_at: data.at,
      agent: null,
    })
  },

  agent_ringing: (state, data) => withCall(state, data.call_id, data.at, { agent: data.agent }),

  agent_no_answer: (state, data) =>
    state.calls[data.call_id]?.answered_at === null && state.calls[data.call_id]?.agent === data.agent
      ? withKnownCall(state, data.call_id, { agent: null })
      : state,

  call_answered: (state, data) =>
    withCall(withoutWaiting(state, data.entry_id), data.call_id, data.at, {
      line: data.line,
      agent: data.agent,
      answered_at: data.at,
      wait_seconds: data.wait_seconds,
    }),

  entry_closed: (state, data) =>
    withKnownCall(withoutWaiting(state, data.entry_id), data.call_id, { outcome: data.outcome }),

  survey_began: (state, data) => withKnownCall(state, data.call_id, { surveyed: true }),

  call_ended: (state, data) => {
    const waiting = state.waiting.filter((caller) => caller.call_id !== data.call_id)
    const ended = withKnownCall({ ...state, waiting }, data.call_id, { ended_at: data.at })
    return pruned(
      state.transcripts[data.call_id] === undefined ? ended : withText(ended, data.call_id, closed),
    )
  },

  party_ringing: (state, { call_id: callId, agent, at }) =>
    withParty(withCall(state, callId, at, {}), callId, agent, (call, id) => ({
      rings: [...without(call.rings, id), id],
      parties: [...without(call.parties, id), id],
    })),

  party_joined: (state, { call_id: callId, agent, at }) =>
    withParty(state, callId, agent, (call, id) => ({
      rings: without(call.rings, id),
      agent: call.agent ?? id,
      answered_at: call.answered_at ?? at,
    })),

  party_left: (state, { call_id: callId, agent }) =>
    withParty(state, callId, agent, (call, id) => ({
      rings: without(call.rings, id),
      parties: without(call.parties, id),
      agent: call.agent === id ? null : call.agent,
    })),

  call_changed: (state, data) =>
    withKnownCall(state, data.call_id, {
      held: data.held,
      muted_agents: data.muted_agents,
      consult:
        data.consult_target === null || data.consult_state === null
          ? null
          : { target: data.consult_target, state: data.consult_state },
    }),

  agent_state_changed: (state, data) => ({
    ...state,
    agents: state.agents.map((agent) =>
      agent.agent === data.agent
        ? {
            ...agent,
            state: data.state,
            reason: data.reason,
            since: data.at,
            call_id: data.call_id,
            pending_reason: data.pending_reason,
            wrap_up_until: data.wrap_up_until,
          }
        : agent,
    ),
  }),

  emergency_not_joined: (state, data) => withTold(state, data.agent, { kind: 'not_joined', at: data.at }),

  agent_auto_paused: (state, data) =>
    withTold(state, data.agent, { kind: 'auto_paused', at: data.at, rings: data.rings }),

  agent_forced: (state, { agent, ...forced }) => withTold(state, agent, { kind: 'forced', ...forced }),

  draft_changed: (state, { call_id: callId, revision }) => ({
    ...state,
    drafts: { ...state.drafts, [callId]: Math.max(revision, state.drafts[callId] ?? 0) },
  }),

  call_understood: (state, { call_id: callId, revision }) => ({
    ...state,
    points: { ...state.points, [callId]: revision },
  }),

  supervision_changed: (state, { agent, call_id, verb }) => ({
    ...state,
    supervision: { ...state.supervision, [agent]: verb === null ? null : { call_id, verb } },
  }),

  alert_raised: (state, { alert }) => ({
    ...state,
    alerts: [...state.alerts.filter((known) => known.alert_id !== alert.alert_id), alert],
  }),

  alert_cleared: (state, data) => ({
    ...state,
    alerts: state.alerts.filter((known) => known.alert_id !== data.alert_id),
  }),

  leg_tapped: (state, data) =>
    withText(state, data.call_id, (transcript) => withLegTapped(transcript, data, data.at)),

  leg_lost: (state, data) => {
    const call = state.calls[data.call_id]
    if (call === undefined || call.ended_at !== null) return state
    return withText(state, data.call_id, (transcript) =>
      withLegLost(transcript, data, data.at, call.answered_at),
    )
  },

  engine_changed: (state, data) => {
    const call = state.calls[data.call_id]
    if (call === undefined || call.ended_at !== null) return state
    return withText(state, data.call_id, (transcript) =>
      withEngineChanged(transcript, data, data.at, call.answered_at),
    )
  },

  transcript_segment: (state, data) =>
    withText(state, data.call_id, (transcript) => withSegment(transcript, data)),

  transcript_tail: (state, data) => withText(state, data.call_id, (transcript) => withTail(transcript, data)),

  link_changed: (state, data) => ({ ...state, linkUp: data.up }),
}

export function isEventName(name: string): name is EventName {
  return Object.hasOwn(handlers, name)
}

/** Events whose name this page does not know are none of its business. */
export function withEvent(state: LiveState, name: string, data: unknown): LiveState {
  if (!isEventName(name)) return state
  return (handlers[name] as (state: LiveState, data: unknown) => LiveState)(state, data)
}

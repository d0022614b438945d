/**
 * What the server says, field by field as in docs/console-api.md, core/views.py and core/events.py.
 * Moments are ISO 8601 strings in UTC; names that end in `_seconds` are durations.
 */

export type Moment = string
export type Side = 'caller' | 'agent'
export type Role = 'agent' | 'supervisor'

export type AgentState =
  'signed_out' | 'ready' | 'reserved' | 'ringing' | 'talking' | 'held' | 'wrap_up' | 'paused' | 'unreachable'

export type Outcome =
  | 'answered'
  | 'abandoned'
  | 'short_abandon'
  | 'timeout'
  | 'full'
  | 'empty'
  | 'key_exit'
  | 'callback'
  | 'transferred'

export type CallbackOutcome = 'answered' | 'busy' | 'no_answer' | 'cancelled' | 'failed' | 'unknown'

export interface WaitingCaller {
  readonly call_id: string
  readonly entry_id: string
  readonly line: string
  readonly queue: string
  readonly since: Moment
  readonly position: number
}

export interface AgentView {
  readonly agent: string
  readonly name: string
  readonly extension: string
  readonly state: AgentState
  readonly reason: string
  readonly since: Moment
  readonly queues: readonly string[]
  readonly call_id: string | null
  /** When the wrap-up ends by itself. */
  readonly wrap_up_until: Moment | null
  /** A break asked for while busy; it begins after. */
  readonly pending_reason: string | null
}

/** An enquiry with a third party: the number asked, and how far it has come. */
export interface ConsultView {
  readonly target: string
  readonly state: 'ringing' | 'talking' | 'three_way'
}

export type RecordingState = 'off' | 'on' | 'paused'

/** What a caller is marked for; of the first two supervisors are told while the call lasts. */
export type NuisanceKind = 'abuse' | 'harassment' | 'silent' | 'repeat' | 'other'

export interface CallView {
  readonly call_id: string
  readonly line: string
  readonly did: string
  readonly caller_number: string
  readonly caller_name: string
  readonly menu_path: readonly string[]
  readonly started_at: Moment
  readonly queued_at: Moment | null
  readonly answered_at: Moment | null
  readonly agent: string | null
  readonly wait_seconds: number | null
  readonly held: boolean
  /** Agents on the call whose own phone is muted. */
  readonly muted_agents: readonly string[]
  readonly consult: ConsultView | null
  readonly recording: RecordingState
  /** The caller was marked as a nuisance. */
  readonly nuisance: boolean
  /** Further seats whose business the call is: asked, joined, rung by a transfer. */
  readonly parties: readonly string[]
  /** What the caller speaks, as BCP 47 writes it; empty where it is not known. */
  readonly language: string
  /** When a pause of the recording ends by itself. */
  readonly recording_paused_until: Moment | null
  /** The earlier call whose caller is called back with this one. */
  readonly callback_of: string | null
  /** Names of the lists that the caller's number is on. */
  readonly caller_lists: readonly string[]
  /** The talk is over, and the caller is asked how satisfied they are. */
  readonly surveyed: boolean
}

export interface LiveView {
  readonly at: Moment
  readonly link_up: boolean
  readonly calls: readonly CallView[]
  readonly waiting: readonly WaitingCaller[]
  readonly agents: readonly AgentView[]
}

export interface LineFigures {
  readonly line: string
  readonly name: string
  readonly parent: string | null
  readonly offered: number
  readonly answered: number
  readonly answered_within: number
  readonly still_open: number
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
  readonly wait_seconds_total: number
  readonly talk_seconds_total: number
  readonly answer_rate: number | null
  readonly within_rate: number | null
  readonly asa_seconds: number | null
}

export interface DayFigures {
  readonly day: string
  readonly within_seconds: number
  readonly total: LineFigures
  readonly lines: readonly LineFigures[]
}

export interface Segment {
  readonly call_id: string
  readonly side: Side
  readonly utterance: number
  readonly revision: number
  readonly text: string
  readonly final: boolean
  readonly start_seconds: number
  readonly end_seconds: number
  readonly confidence: number | null
  readonly at: Moment
  /** Who of the agent's side speaks: an agent's id or a number outside; empty for the caller. */
  readonly party: string
  /** The text as people write it; a partial text is written as it is heard. */
  readonly written: string
}

/** What of a partial text is new: the revision before it, up to `keep` characters (Unicode's), and then `tail`. */
export interface SegmentTail {
  readonly call_id: string
  readonly at: Moment
  readonly side: Side
  readonly utterance: number
  readonly revision: number
  readonly keep: number
  readonly tail: string
  readonly end_seconds: number
}

export interface CallSummary {
  readonly call_id: string
  readonly line: string
  readonly did: string
  readonly caller_number: string
  readonly menu_path: readonly string[]
  readonly started_at: Moment
  readonly outcome: Outcome | null
  readonly agent: string | null
  readonly wait_seconds: number | null
  readonly talk_seconds: number | null
  readonly has_recording: boolean
  readonly language: string
  /** Of a call by which an agent called somebody back: the earlier call, and what came of it. */
  readonly callback_of: string | null
  readonly callback_outcome: CallbackOutcome | null
  /** What came of asking the caller after the talk; with it the key, 5 very satisfied to 1, if one was pressed. */
  readonly survey: SurveyOutcome | null
  readonly answer: number | null
}

export type SurveyOutcome = 'answered' | 'no_answer' | 'wrong_key' | 'hung_up'

/** A caller who left the queue to be called back. */
export interface CallbackRequest {
  readonly entry_id: string
  readonly call_id: string
  readonly line: string
  readonly queue: string
  readonly caller_number: string
  readonly asked_at: Moment
  readonly wait_seconds: number
  readonly taken_by: string | null
  readonly taken_at: Moment | null
}

export type CallbackResult = 'not_reached' | 'not_needed'

/** What somebody wrote down about a call. `name`: the user's, as people know it. */
export interface Note {
  readonly call_id: string
  readonly at: Moment
  readonly user: string
  readonly name: string
  readonly text: string
}

/** An earlier call of the same caller, with what was written on it. */
export interface EarlierCall {
  readonly call: CallSummary
  readonly notes: readonly Note[]
}

/** Which past calls are wanted: days and times, an agent and a number (supervisors), how a wait ended. */
export interface CallFilter {
  readonly since?: Moment
  readonly until?: Moment
  readonly line?: string
  readonly outcome?: Outcome
  readonly agent?: string
  readonly number?: string
}

/** Where searched words stand in a text: from and up to, in characters as people count them. */
export type Mark = readonly [number, number]

export interface FoundUtterance {
  readonly side: Side
  readonly party: string
  readonly utterance: number
  readonly start_seconds: number
  readonly end_seconds: number
  readonly text: string
  readonly marks: readonly Mark[]
}

/** A call in which words were said: its first such utterances, and how many there are. */
export interface FoundCall {
  readonly call: CallSummary
  readonly utterances: readonly FoundUtterance[]
  readonly count: number
}

export interface FoundCalls {
  readonly calls: readonly FoundCall[]
  /** Where the next page goes on; null when there is none. */
  readonly before: number | null
  /** False: the time was over before all was looked through. */
  readonly complete: boolean
  /** Older texts are still being indexed. */
  readonly catching_up: boolean
}

/** A part of a text that the other version has too, or has not. */
export interface Piece {
  readonly text: string
  readonly same: boolean
}

export interface ComparedRow {
  readonly side: Side
  readonly start_seconds: number
  readonly end_seconds: number
  readonly live: readonly Piece[]
  readonly second: readonly Piece[]
}

/** The live text beside what a larger model heard in the recording. */
export interface SecondText {
  readonly state: 'begun' | 'done' | 'failed' | null
  readonly model: string
  readonly at: Moment | null
  readonly differed: number | null
  readonly rows: readonly ComparedRow[]
}

/** Who did or saw what. */
export interface AuditRow {
  readonly id: number
  readonly at: Moment
  readonly user: string
  readonly action: string
  readonly subject: string
  readonly detail: string
}

/** What a player needs of a recording; times are the sound's. */
export interface RecordingAbout {
  readonly seconds: number
  /** Added to a time of the sound it gives one of the transcript. */
  readonly transcript_offset_seconds: number
  /** From when to when nothing was recorded on purpose. */
  readonly pauses: readonly (readonly [number, number])[]
  /** How loud each side is over time, 0 to 255, in equal steps. */
  readonly levels: Readonly<Record<Side, readonly number[]>>
  readonly held: boolean
}

export type RequestType = 'enquiry' | 'help' | 'complaint' | 'suggestion' | 'other' | 'invalid'

/** What the draft of a work order says; see core/drafts.py. */
export interface DraftFields {
  readonly name: string
  readonly sex: 'male' | 'female' | null
  /** Empty: the caller's own number. */
  readonly phone: string
  readonly address: string
  readonly request_type: RequestType | null
  readonly title: string
  readonly content: string
  readonly unit: string
  readonly urgent: boolean
  /** Closed on the phone. */
  readonly answered: boolean
  readonly platform: string
  readonly goods: string
  readonly price: string
  readonly bought_on: string
  readonly order_number: string
}

/** Fields that only some lines' orders have. */
export type OrderField = 'platform' | 'goods' | 'price' | 'bought_on' | 'order_number'

/** The draft of a call's work order; revision 0: nobody has written anything yet. */
export interface Draft {
  readonly call_id: string
  readonly revision: number
  readonly fields: DraftFields
  readonly updated_by: string | null
  readonly updated_at: Moment | null
}

export type PointKind =
  | 'request_type'
  | 'topic'
  | 'summary'
  | 'name'
  | 'place'
  | 'company'
  | 'amount'
  | 'date'
  | 'case_number'
  | 'order_number'
  | 'phone'
  | 'urgent'
  | 'abusive'

/** An utterance that something rests on. */
export interface Cite {
  readonly side: Side
  readonly utterance: number
}

/** One thing that was understood of a call. */
export interface Point {
  readonly kind: PointKind
  readonly value: string
  /** 0 to 1. */
  readonly score: number
  readonly rules: readonly string[]
  readonly cites: readonly Cite[]
}

export interface CallPoints {
  readonly call_id: string
  readonly at: Moment
  readonly revision: number
  readonly ended: boolean
  readonly points: readonly Point[]
  /** `rules`, or a model's name. */
  readonly source: string
  readonly dropped: number
}

/** A value for a field of the draft that nobody has touched. */
export interface Proposal {
  readonly field: keyof DraftFields
  readonly value: string | boolean
  readonly cites: readonly Cite[]
}

export interface PastCall {
  readonly call: CallSummary
  readonly segments: readonly Segment[]
  /** Numbers in the text are masked; a supervisor may ask for the whole of it. */
  readonly text_masked: boolean
  readonly notes: readonly Note[]
  readonly draft: Draft
  /** The calls by which this call's caller was called back, oldest first. */
  readonly callbacks: readonly CallSummary[]
}

/** Whom a call may be handed to. */
export type Target = { readonly agent: string } | { readonly queue: string } | { readonly number: string }

export interface Targets {
  readonly agents: readonly {
    readonly agent: string
    readonly name: string
    readonly extension: string
    readonly state: AgentState
  }[]
  readonly queues: readonly {
    readonly queue: string
    readonly title: string
    readonly waiting: number
    readonly ready: number
  }[]
  readonly outside: readonly { readonly name: string; readonly number: string }[]
  readonly emergency: readonly {
    readonly service: string
    readonly name: string
    readonly number: string
  }[]
}

/** What is wrong now. `text` is Chinese, `text_en` English; `subject` names a queue, a line, an agent or a call. */
export interface Alert {
  readonly alert_id: string
  readonly kind: string
  readonly subject: string
  readonly severity: 'warning' | 'critical'
  readonly since: Moment
  readonly value: number | null
  readonly limit: number | null
  readonly text: string
  readonly text_en: string
}

/** Who should be here and who is. `adherence`: time present in shift over shift time so far, 0 to 1. */
export interface ShiftRow {
  readonly agent: string
  readonly name: string
  readonly planned: readonly { readonly from: Moment; readonly to: Moment }[]
  readonly due: boolean
  readonly present: boolean
  readonly state: AgentState
  readonly adherence: number | null
  readonly late_seconds: number
}

export interface Shift {
  readonly at: Moment
  readonly rows: readonly ShiftRow[]
}

/** Today's calls of one agent; the talks are those that are over. */
export interface AgentDay {
  readonly agent: string
  readonly answered: number
  readonly talk_seconds_total: number
  readonly talk_seconds_average: number | null
}

export interface Me {
  readonly user: string
  readonly name: string
  readonly role: Role
  readonly agent: AgentView | null
  /** Those of the agent's skills: what a sign-in may choose from. */
  readonly queues: readonly { readonly queue: string; readonly title: string }[]
}

export interface SiteLine {
  readonly id: string
  readonly label: string
  readonly name: string
  readonly parent: string | null
  readonly queue: string
  readonly order_fields: readonly OrderField[]
  /** Words to mark in the texts of its calls. */
  readonly keywords: readonly string[]
}

/** What is supposed of days to come; what is missing is the site's norm or comes from its own past. */
export interface StaffingQuestion {
  readonly day: string
  readonly days: number
  readonly line?: string
  readonly target?: number
  readonly within?: number
  readonly aht?: number
  readonly shrinkage?: number
  readonly volume?: number
}

export interface StaffingQuarter {
  readonly starts: Moment
  readonly calls: number
  readonly aht_seconds: number
  readonly needed: number
  readonly needed_patience: number | null
  readonly rostered: number
  readonly planned: number | null
  readonly gap: number | null
  readonly planned_service: number | null
}

export interface StaffingDay {
  readonly day: string
  readonly kind: 'ordinary' | 'holiday' | 'made_up'
  /** The holidays of its year are known. */
  readonly published: boolean
  readonly calls: number
}

export interface ForecastErrors {
  readonly weeks: number
  readonly wape: number
  readonly day_wape: number
  readonly bias: number
  readonly naive_wape: number
  readonly naive_day_wape: number
  readonly naive_bias: number
}

export interface StaffingPlan {
  readonly line: string | null
  readonly target: number
  readonly within_seconds: number
  readonly patience_seconds: number | null
  readonly shrinkage: number
  readonly volume: number
  readonly history_from: string
  readonly history_days: number
  readonly errors: ForecastErrors | null
  readonly days: readonly StaffingDay[]
  readonly quarters: readonly StaffingQuarter[]
  readonly problems: readonly string[]
}

export interface Site {
  readonly name: string
  readonly language: string
  readonly timezone: string
  readonly version: string
  readonly within_seconds: number
  readonly answer_rate_norm: number
  readonly pause_reasons: readonly string[]
  /** Agents may listen to the recordings of their own calls. */
  readonly agents_listen: boolean
  /** Recordings are decoded a second time, so that there are two texts to compare. */
  readonly second_pass: boolean
  readonly lines: readonly SiteLine[]
  readonly caller_lists: readonly { readonly name: string; readonly title: string }[]
  readonly agents: readonly { readonly agent: string; readonly name: string; readonly extension: string }[]
  readonly numbers: readonly { readonly name: string; readonly number: string }[]
  readonly emergency: Targets['emergency']
}

/** The events of core/events.py that this page uses, by their name on the wire. */
export interface EventData {
  call_started: {
    call_id: string
    at: Moment
    line: string
    did: string
    caller_number: string
    caller_name: string
    language: string
    callback_of: string | null
  }
  menu_finished: {
    call_id: string
    at: Moment
    path: readonly string[]
    line: string | null
    language: string
  }
  caller_queued: {
    call_id: string
    at: Moment
    entry_id: string
    line: string
    queue: string
    position: number
    caller_number: string
    menu_path: readonly string[]
    language: string
  }
  agent_ringing: { call_id: string; at: Moment; entry_id: string; agent: string }
  agent_no_answer: { call_id: string; at: Moment; entry_id: string; agent: string; ring_seconds: number }
  call_answered: {
    call_id: string
    at: Moment
    entry_id: string
    line: string
    queue: string
    agent: string
    wait_seconds: number
  }
  entry_closed: {
    call_id: string
    at: Moment
    entry_id: string
    line: string
    queue: string
    outcome: Outcome
    agent: string | null
    wait_seconds: number
    talk_seconds: number
  }
  survey_began: { call_id: string; at: Moment }
  call_ended: { call_id: string; at: Moment }
  party_ringing: { call_id: string; at: Moment; agent: string | null }
  party_joined: { call_id: string; at: Moment; agent: string | null }
  party_left: { call_id: string; at: Moment; agent: string | null }
  call_changed: {
    call_id: string
    at: Moment
    held: boolean
    muted_agents: readonly string[]
    consult_target: string | null
    consult_state: ConsultView['state'] | null
  }
  emergency_not_joined: { call_id: string; at: Moment; agent: string; service: string }
  agent_state_changed: {
    agent: string
    at: Moment
    state: AgentState
    reason: string
    call_id: string | null
    pending_reason: string | null
    wrap_up_until: Moment | null
  }
  agent_auto_paused: { agent: string; at: Moment; rings: number }
  agent_forced: { agent: string; at: Moment; state: AgentState; reason: string; by: string }
  draft_changed: { call_id: string; at: Moment; revision: number; by: string }
  call_understood: { call_id: string; at: Moment; revision: number; ended: boolean }
  supervision_changed: { agent: string; at: Moment; call_id: string; verb: Listening | null }
  alert_raised: { at: Moment; alert: Alert }
  alert_cleared: { at: Moment; alert_id: string }
  leg_tapped: { call_id: string; at: Moment; side: Side; party: string }
  leg_lost: { call_id: string; at: Moment; side: Side; reason: string; party: string }
  engine_changed: { call_id: string; at: Moment; side: Side; engine: string; party: string }
  transcript_segment: Segment
  transcript_tail: SegmentTail
  link_changed: { at: Moment; up: boolean; detail: string }
}

export type EventName = keyof EventData

/** What a supervisor's own phone does in somebody's call. */
export type Listening = 'listen' | 'whisper' | 'barge'

export interface Supervision {
  readonly call_id: string
  readonly verb: Listening
  readonly since: Moment
}

export type Topic = 'agent' | 'board' | 'calls'

export interface HelloFrame {
  readonly type: 'hello'
  readonly topics: readonly Topic[]
  readonly boot_id: string | null
  readonly last_seq: number | null
}

export type ServerFrame =
  | { readonly type: 'welcome'; readonly boot_id: string; readonly seq: number; readonly resumed: boolean }
  | {
      readonly type: 'snapshot'
      readonly seq: number
      readonly live: LiveView
      readonly segments: readonly Segment[]
      readonly figures: DayFigures | null
    }
  | { readonly type: 'event'; readonly seq: number; readonly name: string; readonly data: { at: Moment } }
  | { readonly type: 'call'; readonly data: CallView }
  | { readonly type: 'figures'; readonly data: DayFigures }
  | { readonly type: 'live'; readonly data: LiveView }
  | { readonly type: 'alive'; readonly seq: number }

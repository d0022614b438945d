/** All that a page knows of the present. */

import type {
  AgentState,
  AgentView,
  Alert,
  CallView,
  DayFigures,
  Moment,
  Outcome,
  Supervision,
  WaitingCaller,
} from '@/api/types'

import { NO_OFFSET, type ClockOffset } from './clock'
import type { Transcript } from './transcript'

export interface LiveCall extends CallView {
  /** Seats whose phone rings for a transfer or an enquiry. */
  readonly rings: readonly string[]
  readonly ended_at: Moment | null
  readonly outcome: Outcome | null
}

/** Where a call stands for whoever looks at it. */
export type CallPhase = 'ringing' | 'talking' | 'ended'

/** What was done to an agent, by the system or by a supervisor; or could not be done for them. */
export type Told =
  | { readonly kind: 'not_joined'; readonly at: Moment }
  | { readonly kind: 'auto_paused'; readonly at: Moment; readonly rings: number }
  | {
      readonly kind: 'forced'
      readonly at: Moment
      readonly state: AgentState
      readonly reason: string
      readonly by: string
    }

export type Supervised = Pick<Supervision, 'call_id' | 'verb'>

export interface LiveState {
  /** The server's start that the numbers below count from. */
  readonly bootId: string | null
  /** The number of the newest event applied; older ones are repeats. */
  readonly lastSeq: number | null
  /** The newest number heard of: what the next hello says. Never below `lastSeq`. */
  readonly heardSeq: number | null
  /** False until the first snapshot. */
  readonly known: boolean
  readonly linkUp: boolean
  readonly calls: Readonly<Record<string, LiveCall>>
  readonly waiting: readonly WaitingCaller[]
  readonly agents: readonly AgentView[]
  /** What is wrong now, for supervisors: oldest first. */
  readonly alerts: readonly Alert[]
  /** What supervisors' phones do in calls, by the supervisor's seat. */
  readonly supervision: Readonly<Record<string, Supervised | null>>
  /** The last that was done to an agent by somebody else, by agent: to be told once. */
  readonly told: Readonly<Record<string, Told>>
  readonly transcripts: Readonly<Record<string, Transcript>>
  /** The newest revision of a call's draft that was told of, by call. */
  readonly drafts: Readonly<Record<string, number>>
  /** The newest revision of what is known of a call that was told of, by call. */
  readonly points: Readonly<Record<string, number>>
  readonly figures: DayFigures | null
  readonly clock: ClockOffset
}

export const EMPTY_STATE: LiveState = {
  bootId: null,
  lastSeq: null,
  heardSeq: null,
  known: false,
  linkUp: true,
  calls: {},
  waiting: [],
  agents: [],
  alerts: [],
  supervision: {},
  told: {},
  transcripts: {},
  drafts: {},
  points: {},
  figures: null,
  clock: NO_OFFSET,
}

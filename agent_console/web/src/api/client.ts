/** The HTTP API, a function per request. Every failure is an ApiError. */

import type {
  CountSide,
  Explanation,
  FigureAnswer,
  FigureQuestion,
  Measure,
  SavedView,
  Trend,
} from './figures'
import type { ReportContent, ReportFormat, ReportMaking, ReportOrder, ReportShelf } from './reports'
import type { Dialled, SumBy, TestCall, TrialMarks, TrialsNow, TrialSum, TrialWanted } from './trials'
import type {
  AgentDay,
  AgentView,
  Alert,
  CallbackRequest,
  CallbackResult,
  AuditRow,
  CallFilter,
  CallPoints,
  CallSummary,
  CallView,
  DayFigures,
  Draft,
  DraftFields,
  EarlierCall,
  FoundCalls,
  Listening,
  LiveView,
  Me,
  NuisanceKind,
  PastCall,
  Proposal,
  RecordingAbout,
  Segment,
  SecondText,
  Shift,
  Site,
  Note,
  StaffingPlan,
  StaffingQuestion,
  Target,
  Targets,
  Supervision,
} from './types'

const TIMEOUT_MS = 10_000

export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    /** The server's error code, or `unreachable` / `bad_answer`. */
    readonly code: string,
    message: string,
    readonly hint: string = '',
    readonly retryAfterSeconds: number | null = null,
    /** The whole answer, where it says more than what went wrong. */
    readonly body: unknown = null,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

function retryAfter(response: Response): number | null {
  const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}

async function failure(response: Response): Promise<ApiError> {
  let code = 'bad_answer'
  let message = `HTTP ${response.status}`
  let hint = ''
  let body: unknown = null
  try {
    body = await response.json()
    const error = (body as { error?: { code?: unknown; message?: unknown; hint?: unknown } }).error
    if (typeof error?.code === 'string') code = error.code
    if (typeof error?.message === 'string') message = error.message
    if (typeof error?.hint === 'string') hint = error.hint
  } catch {
    // An answer that is no JSON: the status says what there is to say.
  }
  return new ApiError(response.status, code, message, hint, retryAfter(response), body)
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(method === 'GET'
        ? {}
        : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
    })
  } catch (error) {
    throw new ApiError(0, 'unreachable', error instanceof Error ? error.message : 'unreachable')
  }
  if (!response.ok) throw await failure(response)
  if (response.status === 204) return undefined as T
  try {
    return (await response.json()) as T
  } catch {
    throw new ApiError(response.status, 'bad_answer', 'the answer is not JSON')
  }
}

const part = encodeURIComponent

/** What is given, as the query of an address. */
function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
}

/** A question about figures as a query. */
export function asked({ only = {}, compare = [], ...plain }: FigureQuestion): string {
  return [query({ ...plain, ...only }), ...compare.map((to) => `compare=${to}`)].join('&')
}

export const TABLE_KINDS = ['csv', 'xlsx'] as const

/** Where the figures of a question are as a file. */
export const figuresFileAddress = (question: FigureQuestion, kind: (typeof TABLE_KINDS)[number]): string =>
  `/api/figures/export?${asked(question)}&format=${kind}`

const call = (callId: string): string => `/api/calls/${part(callId)}`

/** What an agent does with the own live call where nothing more need be said. */
export type CallVerb =
  | 'answer'
  | 'hangup'
  | 'hold'
  | 'unhold'
  | 'mute'
  | 'unmute'
  | 'consult/complete'
  | 'consult/cancel'
  | 'three-way'
  | 'three-way/drop'
  | 'recording/pause'
  | 'recording/resume'

export type SuperviseVerb = Listening | 'take-over' | 'release'

export type ForcedState = 'ready' | 'paused' | 'signed_out'

/** Where the sound of a call's recording is. */
export const recordingAddress = (callId: string): string => `${call(callId)}/recording`

export const FILE_KINDS = ['txt', 'srt', 'json'] as const

/** Where a call's text is as a file. */
export const textFileAddress = (callId: string, kind: (typeof FILE_KINDS)[number]): string =>
  `${call(callId)}/transcript.${kind}`

const report = (name: string, period: string): string => `/api/reports/${part(name)}/${part(period)}`

/** Where a report is as a file. */
export const reportFileAddress = (name: string, period: string, format: ReportFormat): string =>
  `${report(name, period)}.${format}`

/** Where the sound of a test call is; each listening is written down. */
export const testSoundAddress = (trialId: string): string => `/api/test-calls/${part(trialId)}/sound`

export const api = {
  me: () => request<Me>('GET', '/api/session'),
  signIn: (user: string, password: string) => request<Me>('POST', '/api/session', { user, password }),
  leave: () => request<void>('DELETE', '/api/session'),
  site: () => request<Site>('GET', '/api/site'),
  live: () => request<LiveView>('GET', '/api/live'),
  figuresToday: () => request<DayFigures>('GET', '/api/figures/today'),
  measures: () => request<{ measures: readonly Measure[] }>('GET', '/api/figures/measures'),
  figures: (question: FigureQuestion) =>
    request<FigureAnswer>('GET', `/api/figures/query?${asked(question)}`),
  figureViews: () => request<{ views: readonly SavedView[] }>('GET', '/api/figures/views'),
  saveFigureView: (name: string, text: string) =>
    request<void>('PUT', '/api/figures/views', { name, query: text }),
  forgetFigureView: (name: string) => request<void>('DELETE', `/api/figures/views?${query({ name })}`),
  trend: () => request<Trend>('GET', '/api/figures/board'),
  explain: (question: FigureQuestion, side: CountSide, after?: string) =>
    request<Explanation>('GET', `/api/figures/explain?${asked(question)}&${query({ side, after })}`),
  agentSignIn: (queues?: readonly string[]) =>
    request<AgentView>('POST', '/api/agent/sign-in', queues === undefined ? undefined : { queues }),
  agentSignOut: () => request<AgentView>('POST', '/api/agent/sign-out'),
  agentPause: (reason: string) => request<AgentView>('POST', '/api/agent/pause', { reason }),
  agentResume: () => request<AgentView>('POST', '/api/agent/resume'),
  endWrapUp: () => request<AgentView>('POST', '/api/agent/wrap-up/end'),
  extendWrapUp: (seconds: number) => request<AgentView>('POST', '/api/agent/wrap-up/extend', { seconds }),
  onCall: (callId: string, verb: CallVerb) => request<CallView>('POST', `/api/call/${part(callId)}/${verb}`),
  transfer: (callId: string, target: Target) =>
    request<CallView>('POST', `/api/call/${part(callId)}/transfer`, { target }),
  consult: (callId: string, target: Target) =>
    request<CallView>('POST', `/api/call/${part(callId)}/consult`, { target }),
  emergency: (callId: string, service: string) =>
    request<CallView>('POST', `/api/call/${part(callId)}/emergency`, { service }),
  targets: () => request<Targets>('GET', '/api/targets'),
  callbacks: () => request<{ callbacks: readonly CallbackRequest[] }>('GET', '/api/callbacks'),
  takeCallback: (entryId: string) =>
    request<unknown>('POST', `/api/callbacks/${encodeURIComponent(entryId)}/call`),
  endCallback: (entryId: string, result: CallbackResult) =>
    request<undefined>('POST', `/api/callbacks/${encodeURIComponent(entryId)}/end`, { result }),
  callBack: (callId: string) => request<unknown>('POST', '/api/callback', { call_id: callId }),
  note: (callId: string, text: string) => request<Note>('POST', `${call(callId)}/note`, { text }),
  nuisance: (callId: string, kind: NuisanceKind | null, reason: string) =>
    request<unknown>(
      'POST',
      `${call(callId)}/nuisance`,
      kind === null ? { nuisance: false } : { nuisance: true, kind, reason },
    ),
  supervise: (callId: string, verb: SuperviseVerb) =>
    request<unknown>('POST', `/api/supervise/${part(callId)}/${verb}`),
  supervision: () => request<Supervision | null>('GET', '/api/supervise'),
  superviseStop: () => request<void>('POST', '/api/supervise/stop'),
  toFront: (callId: string) => request<void>('POST', `/api/waiting/${part(callId)}/front`),
  toQueue: (callId: string, queue: string) =>
    request<void>('POST', `/api/waiting/${part(callId)}/queue`, { queue }),
  force: (agent: string, state: ForcedState, reason: string) =>
    request<AgentView>('POST', `/api/agents/${part(agent)}/force`, { state, reason }),
  staffing: (question: StaffingQuestion) =>
    request<StaffingPlan>('GET', `/api/staffing?${query({ ...question })}`),
  shift: () => request<Shift>('GET', '/api/shift'),
  agentsToday: () => request<{ agents: readonly AgentDay[] }>('GET', '/api/agents/today'),
  alerts: () => request<{ alerts: readonly Alert[] }>('GET', '/api/alerts'),
  calls: (limit: number, before?: string, wanted: CallFilter = {}) =>
    request<{ calls: readonly CallSummary[] }>('GET', `/api/calls?${query({ limit, before, ...wanted })}`),
  earlier: (callId: string) => request<{ calls: readonly EarlierCall[] }>('GET', `${call(callId)}/earlier`),
  audit: (limit: number, before?: number, wanted: { user?: string; action?: string } = {}) =>
    request<{ rows: readonly AuditRow[] }>('GET', `/api/audit?${query({ limit, before, ...wanted })}`),
  call: (callId: string) => request<PastCall>('GET', call(callId)),
  draft: (callId: string) => request<Draft>('GET', `${call(callId)}/draft`),
  saveDraft: (callId: string, revision: number, fields: DraftFields) =>
    request<Draft>('PUT', `${call(callId)}/draft`, { revision, fields }),
  points: (callId: string) =>
    request<{ points: CallPoints | null; proposals: readonly Proposal[] }>('GET', `${call(callId)}/points`),
  searchTexts: (q: string, wanted: CallFilter, before?: number) => {
    const { since, until, line, agent } = wanted // what is left of a filter is no matter of words
    return request<FoundCalls>(
      'GET',
      `/api/transcripts/search?${query({ q, before, since, until, line, agent })}`,
    )
  },
  secondText: (callId: string) => request<SecondText>('GET', `${call(callId)}/second-text`),
  recordingAbout: (callId: string) => request<RecordingAbout>('GET', `${recordingAddress(callId)}/about`),
  reports: () => request<ReportShelf>('GET', '/api/reports'),
  makeReport: (order: ReportOrder) => request<ReportMaking>('POST', '/api/reports', order),
  reportContent: (name: string, period: string) =>
    request<ReportContent>('GET', `${report(name, period)}/content`),
  editReport: (
    name: string,
    period: string,
    edit: { revision: string; texts: Readonly<Record<string, string | null>> },
  ) => request<ReportContent>('PUT', `${report(name, period)}/texts`, edit),
  finishReport: (name: string, period: string, revision: string) =>
    request<ReportContent>('POST', `${report(name, period)}/final`, { revision }),
  trialsNow: () => request<TrialsNow>('GET', '/api/test-calls/now'),
  testCalls: (limit: number, wanted: TrialWanted, before?: string) =>
    request<{ test_calls: readonly TestCall[] }>(
      'GET',
      `/api/test-calls?${query({ limit, before, ...wanted })}`,
    ),
  trialSums: (by: SumBy, wanted: TrialWanted) =>
    request<{ sums: readonly TrialSum[] }>('GET', `/api/test-calls/sums?${query({ by, ...wanted })}`),
  dialTest: (order: Dialled) => request<{ number: string }>('POST', '/api/test-calls', order),
  markTest: (trialId: string, marks: TrialMarks) =>
    request<TestCall>('POST', `/api/test-calls/${part(trialId)}/marks`, marks),
  reveal: (callId: string) => request<{ caller_number: string }>('POST', `${call(callId)}/reveal`),
  revealText: (callId: string) =>
    request<{ segments: readonly Segment[] }>('POST', `${call(callId)}/reveal-text`),
}

/** Builders of what the server says, with everything that a test does not care about filled in. */

import type {
  AgentView,
  CallView,
  DayFigures,
  Draft,
  DraftFields,
  LineFigures,
  LiveView,
  Me,
  Segment,
  ServerFrame,
  Site,
  WaitingCaller,
} from '@/api/types'
import { EMPTY } from '@/draft/merge'

export const T0 = '2026-10-01T02:00:00.000Z'

export const at = (seconds: number): string => new Date(Date.parse(T0) + seconds * 1000).toISOString()

export const segment = (change: Partial<Segment> = {}): Segment => ({
  call_id: 'c1',
  side: 'caller',
  utterance: 1,
  revision: 1,
  text: '路灯不亮',
  written: change.text ?? '路灯不亮',
  final: false,
  start_seconds: 1,
  end_seconds: 2,
  confidence: null,
  at: T0,
  party: '',
  ...change,
})

export const call = (change: Partial<CallView> = {}): CallView => ({
  call_id: 'c1',
  line: '12345',
  did: '12345',
  caller_number: '138****1234',
  caller_name: '',
  menu_path: [],
  started_at: T0,
  queued_at: T0,
  answered_at: null,
  agent: null,
  wait_seconds: null,
  held: false,
  muted_agents: [],
  consult: null,
  recording: 'off',
  nuisance: false,
  parties: [],
  language: 'zh-CN',
  recording_paused_until: null,
  callback_of: null,
  caller_lists: [],
  surveyed: false,
  ...change,
})

export const draft = (revision = 0, fields: Partial<DraftFields> = {}, by = 'li'): Draft => ({
  call_id: 'c1',
  revision,
  fields: { ...EMPTY, ...fields },
  updated_by: revision === 0 ? null : by,
  updated_at: revision === 0 ? null : T0,
})

export const agent = (change: Partial<AgentView> = {}): AgentView => ({
  agent: 'a1001',
  name: '陈晓梅',
  extension: '1001',
  state: 'ready',
  reason: '',
  since: T0,
  queues: ['12345'],
  call_id: null,
  wrap_up_until: null,
  pending_reason: null,
  ...change,
})

export const waiting = (change: Partial<WaitingCaller> = {}): WaitingCaller => ({
  call_id: 'c1',
  entry_id: 'e1',
  line: '12345',
  queue: '12345',
  since: T0,
  position: 1,
  ...change,
})

export const live = (change: Partial<LiveView> = {}): LiveView => ({
  at: T0,
  link_up: true,
  calls: [],
  waiting: [],
  agents: [agent()],
  ...change,
})

export const lineFigures = (change: Partial<LineFigures> = {}): LineFigures => ({
  line: '12345',
  name: '政务服务便民热线',
  parent: null,
  offered: 0,
  answered: 0,
  answered_within: 0,
  still_open: 0,
  outcomes: {},
  wait_seconds_total: 0,
  talk_seconds_total: 0,
  answer_rate: null,
  within_rate: null,
  asa_seconds: null,
  ...change,
})

export const figures = (change: Partial<DayFigures> = {}): DayFigures => ({
  day: '2026-10-01',
  within_seconds: 15,
  total: lineFigures(),
  lines: [],
  ...change,
})

export const site = (change: Partial<Site> = {}): Site => ({
  name: '滨江市12345热线',
  language: 'zh-CN',
  version: '1',
  within_seconds: 15,
  timezone: 'Asia/Shanghai',
  answer_rate_norm: 0.95,
  pause_reasons: ['小休', '用餐'],
  agents_listen: false,
  second_pass: false,
  caller_lists: [{ name: 'deputies', title: '人大代表' }],
  lines: [
    {
      id: '12345',
      label: '12345',
      name: '政务服务便民热线',
      parent: null,
      queue: '12345',
      order_fields: [],
      keywords: [],
    },
    {
      id: '12331',
      label: '12331',
      name: '原食药监',
      parent: '12315',
      queue: '12331',
      order_fields: [],
      keywords: [],
    },
    {
      id: '12315',
      label: '12315',
      name: '市场监管',
      parent: null,
      queue: '12315',
      order_fields: ['goods', 'price'],
      keywords: ['退款'],
    },
  ],
  agents: [
    { agent: 'a1001', name: '陈晓梅', extension: '1001' },
    { agent: 'a1002', name: '王立国', extension: '1002' },
  ],
  numbers: [{ name: '市供水集团', number: '83350000' }],
  emergency: [
    { service: '110', name: '公安', number: '110' },
    { service: '119', name: '消防', number: '119' },
    { service: '120', name: '急救', number: '120' },
  ],
  ...change,
})

export const me = (change: Partial<Me> = {}): Me => ({
  user: 'chen',
  name: '陈晓梅',
  role: 'agent',
  agent: agent(),
  queues: [
    { queue: '12345', title: '综合坐席' },
    { queue: '12315', title: '消费维权坐席' },
  ],
  ...change,
})

export const welcome = (resumed = false, boot = 'boot-1', seq = 10): ServerFrame => ({
  type: 'welcome',
  boot_id: boot,
  seq,
  resumed,
})

export const snapshot = (
  seq: number,
  change: Partial<LiveView> = {},
  segments: readonly Segment[] = [],
): ServerFrame => ({ type: 'snapshot', seq, live: live(change), segments, figures: null })

export const event = (seq: number, name: string, data: object): ServerFrame => ({
  type: 'event',
  seq,
  name,
  data: { at: T0, ...data },
})

/** A pretend exchange for working on the pages without a telephone. Development only: nothing here is ever built. */

const iso = (ms) => new Date(ms).toISOString()

export const SITE = {
  name: '滨江市12345政务服务便民热线',
  language: 'zh-CN',
  version: '0.1.0',
  within_seconds: 15,
  timezone: 'Asia/Shanghai',
  answer_rate_norm: 0.95,
  pause_reasons: ['小休', '用餐', '培训', '会议', '回访', '其他'],
  agents_listen: true,
  second_pass: true,
  caller_lists: [{ name: 'deputies', title: '人大代表' }],
  lines: [
    ['12345', '12345', '政务服务便民热线', null],
    ['12315', '12315', '市场监管', null],
    ['12315-gs', '12315', '原工商', '12315'],
    ['12358', '12358', '原物价', '12315'],
    ['12333', '12333', '劳动社保', null],
    ['12329', '12329', '住房公积金', null],
    ['12348', '12348', '法律援助', null],
    ['12369', '12369', '环保', null],
  ].map(([id, label, name, parent]) => ({
    id,
    label,
    name,
    parent,
    queue: id,
    order_fields:
      id === '12315' || parent === '12315' ? ['platform', 'goods', 'price', 'bought_on', 'order_number'] : [],
    keywords: ['退款', '停水'],
  })),
  agents: [],
  numbers: [
    { name: '市供水集团值班室', number: '83350000' },
    { name: '城管委夜间值班', number: '83351234' },
  ],
  emergency: [
    { service: '110', name: '公安', number: '110' },
    { service: '119', name: '消防', number: '119' },
    { service: '120', name: '急救', number: '120' },
    { service: '122', name: '交通事故', number: '122' },
  ],
}

const WORDS = 'name phone address title content unit platform goods price bought_on order_number'.split(' ')
const FIELDS = {
  ...Object.fromEntries(WORDS.map((word) => [word, ''])),
  ...{ sex: null, request_type: null, urgent: false, answered: false },
}

const NAMES = [
  '陈晓梅',
  '王立国',
  '李静',
  '赵建华',
  '孙丽',
  '周敏',
  '吴海涛',
  '郑雪',
  '冯强',
  '褚云',
  '卫东',
  '蒋琳',
]

export class World {
  constructor() {
    this.bootId = `boot-${Date.now()}`
    this.seq = 0
    this.events = []
    this.linkUp = true
    this.calls = new Map()
    this.waiting = []
    this.segments = new Map()
    this.past = []
    this.spies = new Map()
    this.counts = new Map()
    this.agents = NAMES.map((name, index) => ({
      agent: `a${1001 + index}`,
      name,
      extension: String(1001 + index),
      state: 'signed_out',
      reason: '',
      since: iso(Date.now() - 600_000),
      queues: ['12345', '12315'],
      call_id: null,
      wrap_up_until: null,
      pending_reason: null,
    }))
    SITE.agents = this.agents.map(({ agent, name, extension }) => ({ agent, name, extension }))
    this.notes = new Map()
    this.drafts = new Map()
    this.alerts = []
    this.listeners = new Set()
    this.next = 1
  }

  emit(name, data) {
    const envelope = { seq: ++this.seq, name, data: { at: iso(Date.now()), ...data } }
    this.events.push(envelope)
    for (const listener of this.listeners) listener(envelope)
  }

  agent(id) {
    return this.agents.find((agent) => agent.agent === id)
  }

  setState(id, state, reason = '', callId = null, agoSeconds = 0) {
    const agent = this.agent(id)
    const since = iso(Date.now() - agoSeconds * 1000)
    const until = state === 'wrap_up' ? iso(Date.now() + 30_000) : null
    Object.assign(agent, { state, reason, since, call_id: callId, wrap_up_until: until })
    this.tellState(agent)
    return agent
  }

  tellState(agent) {
    this.emit('agent_state_changed', { ...agent, at: agent.since })
  }

  /** What an agent or a supervisor asks about a seat. */
  seat(id, action, { reason, seconds, state }) {
    const agent = this.agent(id)
    if (action === 'wrap-up/extend') {
      agent.wrap_up_until = iso(Date.parse(agent.wrap_up_until) + seconds * 1000)
      this.tellState(agent)
      return agent
    }
    if (action === 'pause' && ['ringing', 'talking', 'held', 'wrap_up'].includes(agent.state)) {
      agent.pending_reason = reason
      this.tellState(agent)
      return agent
    }
    const next = {
      'sign-in': 'ready',
      'sign-out': 'signed_out',
      pause: 'paused',
      resume: 'ready',
      'wrap-up/end': 'ready',
      force: state,
    }[action]
    agent.pending_reason = null
    return this.setState(id, next, reason ?? '')
  }

  /** What an agent asks about a live call. */
  control(id, action, { target, service }) {
    const call = this.calls.get(id)
    const asked = target && (target.number ?? this.agent(target.agent)?.extension ?? target.queue)
    if (action === 'hangup' || action === 'transfer') this.end(id)
    if (action === 'answer') this.answer(id, call.agent)
    const changes = {
      hold: { held: true },
      unhold: { held: false },
      mute: { muted_agents: [call.agent] },
      unmute: { muted_agents: [] },
      consult: { consult: { target: asked, state: 'talking' } },
      'consult/cancel': { consult: null },
      'three-way': { consult: { ...call.consult, state: 'three_way' } },
      'three-way/drop': { consult: null },
      emergency: { consult: { target: service, state: 'three_way' } },
      'recording/pause': { recording: 'paused', recording_paused_until: iso(Date.now() + 90_000) },
      'recording/resume': { recording: 'on', recording_paused_until: null },
    }
    Object.assign(call, changes[action])
    this.emit('call_changed', {
      call_id: id,
      held: call.held,
      muted_agents: call.muted_agents,
      consult_target: call.consult?.target ?? null,
      consult_state: call.consult?.state ?? null,
    })
    if (action === 'hold') this.setState(call.agent, 'held', '', id)
    if (action === 'unhold') this.setState(call.agent, 'talking', '', id)
    return call
  }

  targets() {
    return {
      agents: this.agents.map(({ agent, name, extension, state }) => ({ agent, name, extension, state })),
      queues: SITE.lines
        .filter((line) => line.parent === null)
        .map(({ queue, name }) => ({
          queue,
          title: `${name}坐席`,
          waiting: this.waiting.filter((caller) => caller.queue === queue).length,
          ready: 2,
        })),
      outside: SITE.numbers,
      emergency: SITE.emergency,
    }
  }

  callbackRequests() {
    return [
      ['12315', '139****2208', 31],
      ['12345', '138****0416', 6],
    ].map(([line, number, minutes], index) => ({
      entry_id: `back-${index}`,
      call_id: `back-${index}`,
      line,
      queue: line,
      caller_number: number,
      asked_at: new Date(Date.now() - minutes * 60_000).toISOString(),
      wait_seconds: 95,
      taken_by: null,
      taken_at: null,
    }))
  }

  earlier() {
    const notes = [
      { call_id: '', at: iso(Date.now()), user: 'wang', name: '王立国', text: '已报城管委维修，三日内回复' },
    ]
    return this.past.slice(0, 3).map((call, index) => ({ call, notes: index === 0 ? notes : [] }))
  }

  audit() {
    const did = [
      ['boss', 'recording_listen', 'node1-1764000000.7', ''],
      ['boss', 'supervise_listen', 'node1-1764000000.9', ''],
      ['chen', 'reveal_number', 'node1-1764000000.9', ''],
      ['boss', 'force_agent', 'a1003', 'paused 培训'],
      ['chen', 'sign_in', 'chen', ''],
    ]
    return did.map(([user, action, subject, detail], index) => ({
      id: 100 - index,
      at: iso(Date.now() - index * 240_000),
      user,
      action,
      subject,
      detail,
    }))
  }

  shift() {
    const at = (hour) => new Date(new Date().setHours(hour, 0, 0, 0)).toISOString()
    return {
      at: iso(Date.now()),
      rows: this.agents.map(({ agent, name, state }, index) => ({
        agent,
        name,
        planned: index % 5 === 4 ? [] : [{ from: at(0), to: at(23) }],
        due: index % 5 !== 4,
        present: state !== 'signed_out',
        state,
        adherence: index % 5 === 4 ? null : state === 'signed_out' ? 0 : 0.97 - index / 100,
        late_seconds: state === 'signed_out' && index % 5 !== 4 ? 900 + index * 60 : 0,
      })),
    }
  }

  agentsToday() {
    return {
      agents: this.agents.map(({ agent }, index) => ({
        agent,
        answered: 41 - index,
        talk_seconds_total: (41 - index) * (150 + index),
        talk_seconds_average: 150 + index,
      })),
    }
  }

  /** A waiting caller to the front, or to another queue. */
  move(id, how, queue) {
    const caller = this.waiting.find((one) => one.call_id === id)
    this.waiting = this.waiting.filter((one) => one !== caller)
    if (how === 'front') this.waiting.unshift(caller)
    else this.waiting.push({ ...caller, queue, line: queue })
    this.waiting.forEach((one, index) => (one.position = index + 1))
  }

  /** A big shift: agents in every state, calls on and callers waiting. */
  crowd(agents, talking, waiting) {
    const states = [
      'ready',
      'ready',
      'wrap_up',
      'paused',
      'reserved',
      'signed_out',
      'unreachable',
      'signed_out',
    ]
    for (let index = this.agents.length; index < agents; index += 1) {
      this.agents.push({
        ...this.agents[0],
        agent: `a${1001 + index}`,
        name: `${NAMES[index % NAMES.length]}${Math.floor(index / NAMES.length)}`,
        extension: String(1001 + index),
        queues: SITE.lines.filter((_, at) => (index + at) % 3 === 0).map((line) => line.queue),
        state: states[index % states.length],
        reason: index % states.length === 3 ? '用餐' : '',
        since: iso(Date.now() - index * 7_000),
      })
    }
    for (let index = 0; index < talking + waiting; index += 1) {
      const line = SITE.lines[index % SITE.lines.length].id
      const id = this.arrive({ line, number: `138${10000000 + index}`, agoSeconds: 90 + index })
      if (index >= talking) continue
      this.answer(id, `a${1100 + index}`, 60 + index)
      this.say(id, 'caller', 1, 1, '你好，我想问一下社保卡丢了怎么补办。', true, 2)
      this.say(id, 'agent', 1, 1, '您好，可以在手机上补办，也可以带身份证到社区窗口。', true, 8)
      if (index % 9 === 0) this.calls.get(id).held = true
    }
  }

  supervise(seat, callId, verb) {
    if (verb === 'release') return this.end(callId)
    const known = this.spies.get(seat)
    this.spies.delete(seat)
    const joins = callId !== 'stop' && verb !== 'take-over'
    if (joins) this.spies.set(seat, { call_id: callId, verb, since: iso(Date.now()) })
    if (!joins && known === undefined) return
    const call_id = joins ? callId : known.call_id
    this.emit('supervision_changed', { agent: seat, call_id, verb: joins ? verb : null })
  }

  supervision(seat) {
    return this.spies.get(seat) ?? null
  }

  raise(alert) {
    const raised = { severity: 'warning', value: null, limit: null, since: iso(Date.now()), ...alert }
    this.alerts.push(raised)
    this.emit('alert_raised', { alert: raised })
  }

  arrive({ line, number = '13812341234', path = [], agoSeconds = 0, name = '', language = 'zh-CN' }) {
    const id = `node1-${Date.now() / 1000}.${this.next++}`
    const at = iso(Date.now() - agoSeconds * 1000)
    const caller = {
      line,
      did: line,
      caller_number: number.replace(/^(...)....(....)$/, '$1****$2'),
      caller_name: name,
    }
    this.calls.set(id, {
      call_id: id,
      ...caller,
      menu_path: path,
      started_at: at,
      queued_at: at,
      answered_at: null,
      agent: null,
      wait_seconds: null,
      held: false,
      muted_agents: [],
      consult: null,
      recording: 'on',
      nuisance: false,
      parties: [],
      recording_paused_until: null,
      language,
      callback_of: null,
      caller_lists: ['deputies'],
    })
    this.segments.set(id, [])
    this.emit('call_started', { call_id: id, ...caller, language, callback_of: null, at })
    this.waiting.push({ call_id: id, entry_id: `e-${id}`, line, queue: line, since: at, position: 1 })
    this.count(line, { offered: 1, still_open: 1 })
    this.emit('caller_queued', {
      call_id: id,
      entry_id: `e-${id}`,
      line,
      queue: line,
      position: 1,
      caller_number: caller.caller_number,
      menu_path: path,
      language,
      at,
    })
    return id
  }

  draft(callId) {
    const none = { revision: 0, fields: { ...FIELDS }, updated_by: null, updated_at: null }
    return { call_id: callId, ...(this.drafts.get(callId) ?? none) }
  }

  /** Saves a draft; null when another revision is there. */
  saveDraft(callId, revision, fields, user) {
    const known = this.draft(callId)
    if (known.revision !== revision) return null
    const saved = { revision: revision + 1, fields, updated_by: user, updated_at: iso(Date.now()) }
    this.drafts.set(callId, saved)
    this.emit('draft_changed', { call_id: callId, revision: saved.revision, by: user })
    return this.draft(callId)
  }

  /** Somebody else writes on the draft. */
  write(callId, change, user = 'li') {
    const { revision, fields } = this.draft(callId)
    return this.saveDraft(callId, revision, { ...fields, ...change }, user)
  }

  ring(callId, agentId) {
    this.calls.get(callId).agent = agentId
    this.emit('agent_ringing', { call_id: callId, entry_id: `e-${callId}`, agent: agentId })
    this.setState(agentId, 'ringing', '', callId)
  }

  answer(callId, agentId, agoSeconds = 0) {
    const call = this.calls.get(callId)
    const at = iso(Date.now() - agoSeconds * 1000)
    const wait = Math.max(0, (Date.parse(at) - Date.parse(call.queued_at)) / 1000)
    Object.assign(call, { agent: agentId, answered_at: at, wait_seconds: wait })
    this.waiting = this.waiting.filter((caller) => caller.call_id !== callId)
    this.count(call.line, { still_open: -1, answered: 1, within: wait <= 15 ? 1 : 0, wait })
    const data = {
      call_id: callId,
      entry_id: `e-${callId}`,
      line: call.line,
      queue: call.line,
      agent: agentId,
    }
    this.emit('call_answered', { ...data, wait_seconds: wait, caller_uniqueid: '1', agent_uniqueid: '2', at })
    this.emit('leg_tapped', { call_id: callId, side: 'caller', party: '', engine: 'vosk', at })
    this.emit('leg_tapped', { call_id: callId, side: 'agent', party: agentId, engine: 'vosk', at })
    this.setState(agentId, 'talking', '', callId, agoSeconds)
  }

  say(callId, side, utterance, revision, text, final, startSeconds) {
    const segment = {
      call_id: callId,
      side,
      utterance,
      revision,
      text: text.replace(/[，。？]/g, ''),
      written: final ? text : text.replace(/[，。？]/g, ''),
      final,
      start_seconds: startSeconds,
      end_seconds: startSeconds + text.length * 0.25,
      confidence: final ? 0.93 : null,
      at: iso(Date.now()),
      party: side === 'agent' ? this.calls.get(callId).agent : '',
    }
    const texts = this.segments.get(callId)
    const known = texts.findIndex((one) => one.side === side && one.utterance === utterance)
    if (known < 0) texts.push(segment)
    else texts[known] = segment
    this.emit('transcript_segment', { ...segment, audio_at: segment.at })
  }

  end(callId) {
    const call = this.calls.get(callId)
    const talk = call.answered_at ? (Date.now() - Date.parse(call.answered_at)) / 1000 : 0
    const outcome = call.answered_at ? 'answered' : 'abandoned'
    if (outcome === 'abandoned') this.count(call.line, { still_open: -1, abandoned: 1 })
    this.waiting = this.waiting.filter((caller) => caller.call_id !== callId)
    this.calls.delete(callId)
    this.past.unshift({ callback_of: null, callback_outcome: null, ...call, outcome, talk_seconds: talk })
    const entry = {
      call_id: callId,
      entry_id: `e-${callId}`,
      line: call.line,
      queue: call.line,
      agent: call.agent,
    }
    this.emit('entry_closed', { ...entry, outcome, wait_seconds: call.wait_seconds ?? 9, talk_seconds: talk })
    this.emit('call_ended', { call_id: callId })
    if (call.agent && this.agent(call.agent).call_id === callId)
      this.setState(call.agent, 'wrap_up', '', callId)
  }

  count(line, change) {
    const zero = { offered: 0, answered: 0, within: 0, still_open: 0, abandoned: 0, wait: 0 }
    const counts = this.counts.get(line) ?? zero
    for (const [key, by] of Object.entries(change)) counts[key] += by
    this.counts.set(line, counts)
  }

  figures() {
    const row = (id, name, parent, ids) => {
      const sum = (key) => ids.reduce((total, one) => total + (this.counts.get(one)?.[key] ?? 0), 0)
      const closed = sum('offered') - sum('still_open')
      return {
        line: id,
        name,
        parent,
        offered: sum('offered'),
        answered: sum('answered'),
        answered_within: sum('within'),
        still_open: sum('still_open'),
        outcomes: { answered: sum('answered'), abandoned: sum('abandoned') },
        wait_seconds_total: sum('wait'),
        talk_seconds_total: 0,
        answer_rate: closed ? sum('answered') / closed : null,
        within_rate: closed ? sum('within') / closed : null,
        asa_seconds: sum('answered') ? sum('wait') / sum('answered') : null,
      }
    }
    const family = (id) => [id, ...SITE.lines.filter((line) => line.parent === id).map((line) => line.id)]
    return {
      day: new Date().toISOString().slice(0, 10),
      within_seconds: 15,
      total: row(
        '',
        '',
        null,
        SITE.lines.map((line) => line.id),
      ),
      lines: SITE.lines.map((line) => row(line.id, line.name, line.parent, family(line.id))),
    }
  }

  live(viewer) {
    const calls = [...this.calls.values()]
    const all = viewer.role === 'supervisor'
    return {
      at: iso(Date.now()),
      link_up: this.linkUp,
      calls: all ? calls : calls.filter((call) => call.agent === viewer.agent),
      waiting: this.waiting,
      agents: all ? this.agents : this.agents.filter((agent) => agent.agent === viewer.agent),
    }
  }
}

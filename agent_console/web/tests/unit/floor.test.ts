import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'

import { api, ApiError } from '@/api/client'
import type { Alert, ServerFrame } from '@/api/types'
import AgentsPanel from '@/components/floor/AgentsPanel.vue'
import CallsPanel from '@/components/floor/CallsPanel.vue'
import JoinedStrip from '@/components/floor/JoinedStrip.vue'
import QueuesPanel from '@/components/floor/QueuesPanel.vue'
import { absence, callRows, found, nextSort, queueRows, sorted, talkOf } from '@/floor'
import { i18n } from '@/i18n'
import { reduce } from '@/live/reducer'
import { useFloor } from '@/stores/floor'
import { useLive } from '@/stores/live'
import { useSession } from '@/stores/session'

import {
  agent,
  at,
  call,
  event,
  figures,
  lineFigures,
  me,
  site,
  snapshot,
  T0,
  waiting,
  welcome,
} from './samples'

const global = { plugins: [i18n] }

const chen = agent({ state: 'talking', call_id: 'c1', queues: ['12345', '12315'] })
const wang = agent({ agent: 'a1002', name: '王立国', extension: '1002', queues: ['12345'] })
const li = agent({ agent: 'a1003', name: '李静', extension: '1003', state: 'signed_out', queues: [] })
const talk = call({ agent: 'a1001', answered_at: at(5), caller_number: '139****0001' })
const waits = call({ call_id: 'c2', line: '12315' })
const waiter = waiting({ call_id: 'c2', entry_id: 'e2', line: '12315', queue: '12315' })

function receive(...frames: readonly ServerFrame[]): void {
  const live = useLive()
  for (const frame of frames) live.state = reduce(live.state, frame, Date.parse(T0))
}

beforeEach(() => {
  setActivePinia(createPinia())
  const session = useSession()
  session.site = site()
  session.me = me({ role: 'supervisor', agent: null })
  receive(welcome(), snapshot(0, { calls: [talk, waits], waiting: [waiter], agents: [chen, wang, li] }))
})

afterEach(() => vi.restoreAllMocks())

describe('a queue on the floor', () => {
  it('counts who waits and who serves it, each agent where he or she is signed in', () => {
    const rows = queueRows(site(), null, [waiter], [chen, wang, li])
    expect(rows.map((row) => [row.id, row.waiting, row.ready, row.talking])).toEqual([
      ['12345', 0, 1, 1],
      ['12331', 0, 0, 0],
      ['12315', 1, 0, 1],
    ])
    expect(rows[2]?.longestSince).toBe(T0)
  })

  it("counts a sub-line's calls once in the rate of the queue that both share", () => {
    const lines = site().lines.map((line) => ({ ...line, queue: line.id === '12345' ? '12345' : '12315' }))
    const counts = figures({
      lines: [
        lineFigures({ line: '12315', offered: 40, answered: 32 }),
        lineFigures({ line: '12331', offered: 8, answered: 4 }),
      ],
    })
    const row = queueRows(site({ lines }), counts, [], []).find((one) => one.id === '12315')
    expect([row?.rate, row?.rateLevel]).toEqual([0.8, 'alarm'])
  })
})

describe('a call on the floor', () => {
  const states = (): unknown =>
    callRows(useLive().state.calls, useLive().state.waiting, useLive().state.agents).map((row) => [
      row.id,
      row.state,
      row.agentName,
    ])

  it('stands first while it waits, then with its agent', () => {
    expect(states()).toEqual([
      ['c2', 'waiting', ''],
      ['c1', 'talking', '陈晓梅'],
    ])
    receive(event(1, 'agent_ringing', { call_id: 'c2', entry_id: 'e2', agent: 'a1002' }))
    expect(states()).toContainEqual(['c2', 'ringing', '王立国'])
  })

  it('says that it is on hold, asks somebody, is a talk of three, or is over', () => {
    const changed = { call_id: 'c1', held: true, muted_agents: [], consult_target: null, consult_state: null }
    receive(event(1, 'call_changed', changed))
    expect(states()).toContainEqual(['c1', 'held', '陈晓梅'])
    receive(event(2, 'call_changed', { ...changed, consult_target: '1002', consult_state: 'ringing' }))
    expect(states()).toContainEqual(['c1', 'enquiry', '陈晓梅'])
    receive(event(3, 'call_changed', { ...changed, consult_target: '1002', consult_state: 'three_way' }))
    expect(states()).toContainEqual(['c1', 'three_way', '陈晓梅'])
    receive(event(4, 'survey_began', { call_id: 'c1' }))
    expect(states()).toContainEqual(['c1', 'survey', '陈晓梅'])
    receive(event(5, 'call_ended', { call_id: 'c1' }))
    expect(states()).toEqual([['c2', 'waiting', '']])
  })
})

describe('an agent on the floor', () => {
  it('has a talk to listen to only while one is on: not one that rings, not one that is wrapped up', () => {
    const calls = () => useLive().state.calls
    expect([talkOf('a1001', calls())?.call_id, talkOf('a1002', calls())]).toEqual(['c1', null])
    receive(event(1, 'party_ringing', { call_id: 'c1', agent: 'a1002' }))
    expect(talkOf('a1002', calls())).toBeNull()
    receive(event(2, 'party_joined', { call_id: 'c1', agent: 'a1002' }))
    expect(talkOf('a1002', calls())?.call_id).toBe('c1')
    receive(event(3, 'call_ended', { call_id: 'c1' }))
    expect(talkOf('a1001', calls())).toBeNull()
  })

  it('is late who has not come to this shift, and gone early who has', () => {
    const row = (lateSeconds: number) => ({
      agent: 'a1003',
      name: '李静',
      planned: [
        { from: at(-30_000), to: at(-20_000) },
        { from: at(-1_200), to: at(20_000) },
      ],
      due: true,
      present: false,
      state: 'signed_out' as const,
      adherence: 0.5,
      late_seconds: lateSeconds,
    })
    expect([absence(row(1_199), T0), absence(row(0), T0), absence(row(300), T0)]).toEqual([
      1_199,
      'left',
      'left',
    ])
  })
})

describe('rows', () => {
  const rows = [
    { n: 2, name: '王' },
    { n: 10, name: '陈' },
    { n: 1, name: '李' },
  ]

  it('are sorted up, down, and as they were', () => {
    const keys = { n: (row: { n: number }) => row.n, name: (row: { name: string }) => row.name }
    const up = nextSort(null, 'n')
    const down = nextSort(up, 'n')
    const order = (sort: ReturnType<typeof nextSort>) => sorted(rows, keys, sort).map((row) => row.n)
    expect([order(up), order(down), order(nextSort(down, 'n'))]).toEqual([
      [1, 2, 10],
      [10, 2, 1],
      [2, 10, 1],
    ])
    expect(order(nextSort(up, 'name'))).toEqual([10, 1, 2]) // chén, lǐ, wáng
  })

  it('are found by all the words typed, in any order', () => {
    const words = (row: { n: number; name: string }) => `${row.name} x${row.n}`
    expect(found(rows, words, ' X1  陈 ').map((row) => row.n)).toEqual([10])
    expect(found(rows, words, '')).toBe(rows)
  })
})

describe('the panels', () => {
  it('show each queue with who waits', () => {
    const panel = mount(QueuesPanel, { global })
    const row = panel.find('[data-testid=floor-queue][data-id="12315"]')
    expect(row.find('[data-column=waiting]').text()).toBe('1')
    panel.unmount()
  })

  it('move a waiting caller to the front or to another queue', async () => {
    const front = vi.spyOn(api, 'toFront').mockResolvedValue(undefined)
    const queue = vi.spyOn(api, 'toQueue').mockResolvedValue(undefined)
    const panel = mount(CallsPanel, { global, attachTo: document.body })
    const choose = async (item: string) => {
      await panel.find('[data-id=c2] [data-testid=floor-act]').trigger('click')
      await panel.find(`[data-item="${item}"]`).trigger('click')
      await nextTick()
    }
    await choose('front')
    await choose('queue:12345')
    expect([front.mock.calls, queue.mock.calls]).toEqual([[['c2']], [['c2', '12345']]])
    panel.unmount()
  })

  it('end a call only after it was confirmed', async () => {
    const release = vi.spyOn(api, 'supervise').mockResolvedValue({})
    const panel = mount(CallsPanel, { global, attachTo: document.body })
    const ask = async () => {
      await panel.find('[data-id=c1] [data-testid=floor-act]').trigger('click')
      await panel.find('[data-item=release]').trigger('click')
      expect(panel.find('[data-testid=confirm]').text()).toContain('陈晓梅')
    }
    await ask()
    panel.find<HTMLDialogElement>('[data-testid=confirm]').element.close()
    await nextTick()
    expect(release).not.toHaveBeenCalled()
    await ask()
    await panel.find('[data-testid=confirm-yes]').trigger('click')
    await vi.waitFor(() => expect(release.mock.calls).toEqual([['c1', 'release']]))
    panel.unmount()
  })

  it('say why a supervisor without a phone cannot listen', async () => {
    const panel = mount(CallsPanel, { global, attachTo: document.body })
    await panel.find('[data-id=c1] [data-testid=floor-act]').trigger('click')
    expect(panel.find('[data-item=listen]').text()).toContain('没有配置话机')
    panel.unmount()
  })

  it('show who should be here and is not, and force a state', async () => {
    const planned = [{ from: at(-600), to: at(600) }]
    const row = { name: '李静', planned, due: true, state: 'signed_out' as const, late_seconds: 600 }
    useFloor().shift = { at: T0, rows: [{ ...row, agent: 'a1003', present: false, adherence: 0 }] }
    const day = { answered: 12, talk_seconds_total: 2220, talk_seconds_average: 185 }
    useFloor().days = new Map([['a1001', { agent: 'a1001', ...day }]])
    const force = vi.spyOn(api, 'force').mockResolvedValue({ ...chen, state: 'paused', reason: '用餐' })
    const panel = mount(AgentsPanel, { global, attachTo: document.body })
    expect(panel.find('[data-id=a1003]').text()).toContain('迟到 10 分')
    expect(panel.find('[data-id=a1001]').text()).toMatch(/12\s*3:05/)
    await panel.find('[data-testid=floor-absent]').trigger('click')
    expect(panel.findAll('[data-testid=floor-agent]').map((one) => one.attributes('data-id'))).toEqual([
      'a1003',
    ])
    await panel.find('[data-testid=floor-absent]').trigger('click')
    await panel.find('[data-id=a1001] [data-testid=floor-act]').trigger('click')
    await panel.find('[data-item="paused:用餐"]').trigger('click')
    expect(force.mock.calls).toEqual([['a1001', 'paused', '用餐']])
    await vi.waitFor(() =>
      expect(panel.find('[data-id=a1001] .state').attributes('data-state')).toBe('paused'),
    )
    panel.unmount()
  })

  it('are walked with the arrows; Enter opens the menu of a row, Space its text', async () => {
    const panel = mount(CallsPanel, { global, attachTo: document.body })
    const rows = panel.findAll<HTMLElement>('[data-testid=floor-call]')
    expect(rows.map((row) => row.attributes('tabindex'))).toEqual(['0', '-1'])
    rows[0]?.element.focus()
    await rows[0]?.trigger('keydown', { key: 'ArrowDown' })
    expect(document.activeElement).toBe(rows[1]?.element)
    await rows[1]?.trigger('keydown', { key: ' ' })
    expect(panel.find('[data-testid=transcript]').exists()).toBe(true)
    await rows[1]?.trigger('keydown', { key: 'Enter' })
    await nextTick()
    expect(panel.find('[data-id=c1] [role=menu]').exists()).toBe(true)
    panel.unmount()
  })
})

describe('supervising', () => {
  it('is what the own phone does, as the server says, for as long as the call lives', async () => {
    const floor = useFloor()
    useSession().me = me({ role: 'supervisor', agent: li })
    const request = vi.spyOn(api, 'supervise').mockRejectedValueOnce(new ApiError(409, 'illegal_now', ''))
    await floor.supervise('c1', 'listen')
    expect(floor.joinedCall).toBeNull()
    receive(event(1, 'supervision_changed', { agent: 'a1002', call_id: 'c1', verb: 'listen' }))
    expect(floor.joinedCall, "another supervisor's phone").toBeNull()
    receive(event(2, 'supervision_changed', { agent: 'a1003', call_id: 'c1', verb: 'whisper' }))
    expect([floor.joined?.verb, floor.joinedCall?.call_id]).toEqual(['whisper', 'c1'])
    receive(event(3, 'supervision_changed', { agent: 'a1003', call_id: 'c1', verb: null }))
    expect(floor.joinedCall).toBeNull()
    request.mockRestore()
  })

  it('is shown again after the page was loaded anew, until the call ends', async () => {
    const floor = useFloor()
    useSession().me = me({ role: 'supervisor', agent: li })
    vi.spyOn(api, 'supervision').mockResolvedValue({ call_id: 'c1', verb: 'barge', since: T0 })
    await floor.loadJoined()
    const strip = mount(JoinedStrip, { global })
    expect(strip.find('[data-testid=joined]').attributes('data-verb')).toBe('barge')
    receive(event(1, 'call_ended', { call_id: 'c1' }))
    await nextTick()
    expect(strip.find('[data-testid=joined]').exists()).toBe(false)
  })
})

describe('alerts', () => {
  const alert = (id: string): Alert => ({
    alert_id: id,
    kind: 'waiting',
    subject: '12345',
    severity: 'warning',
    since: T0,
    value: 12,
    limit: 10,
    text: '排队超限',
    text_en: 'too many wait',
  })
  const ids = (): string[] => useLive().state.alerts.map((one) => one.alert_id)

  it('are raised once and cleared by their number, and outlive a new picture', () => {
    receive(event(1, 'alert_raised', { alert: alert('x') }), event(2, 'alert_raised', { alert: alert('y') }))
    receive(event(3, 'alert_raised', { alert: alert('x') }))
    expect(ids()).toEqual(['y', 'x'])
    receive(snapshot(4), event(5, 'alert_cleared', { alert_id: 'y' }))
    expect(ids()).toEqual(['x'])
  })
})

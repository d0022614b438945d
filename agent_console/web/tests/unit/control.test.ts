import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'

import { api, ApiError } from '@/api/client'
import type { CallView, ServerFrame } from '@/api/types'
import { hangUp, obstacle, type ControlCommand } from '@/control'
import { reduce } from '@/live/reducer'
import type { LiveCall } from '@/live/state'
import { useControls } from '@/stores/controls'
import { useLive } from '@/stores/live'
import { useNotes } from '@/stores/notes'
import { useSession } from '@/stores/session'
import { inPlace, targetRows } from '@/targets'

import { agent, at, call, draft, event, me, segment, snapshot, T0, welcome } from './samples'

const live = (change: Partial<CallView> = {}): LiveCall => ({
  ...call({ answered_at: T0, agent: 'a1001', recording: 'on', ...change }),
  rings: [],
  ended_at: null,
  outcome: null,
})

function receive(...frames: readonly ServerFrame[]): void {
  const store = useLive()
  for (const frame of frames) store.state = reduce(store.state, frame, Date.parse(T0))
}

beforeEach(() => {
  setActivePinia(createPinia())
  sessionStorage.clear()
  const seat = agent({ state: 'talking', call_id: 'c1' })
  useSession().me = me({ agent: seat })
  receive(welcome(), snapshot(0, { calls: [live()], agents: [seat] }))
})

afterEach(() => vi.restoreAllMocks())

describe('what may be done with a call', () => {
  const all: readonly ControlCommand[] = [
    'answer',
    'hangup',
    'hold',
    'mute',
    'transfer',
    'consult',
    'complete',
    'cancel',
    'three-way',
    'drop',
    'emergency',
    'pause-recording',
  ]
  const possible = (one: LiveCall | null, phase: 'none' | 'ringing' | 'talking' | 'ended', guest = false) =>
    all.filter((command) => obstacle(command, { call: one, phase, guest }) === null)

  it('depends on how far it is', () => {
    expect(possible(null, 'none')).toEqual([])
    expect(possible(live(), 'ringing')).toEqual(['answer'])
    expect(possible(live(), 'ended')).toEqual([])
    expect(possible(live(), 'talking')).toEqual([
      'hangup',
      'hold',
      'mute',
      'transfer',
      'consult',
      'emergency',
      'pause-recording',
    ])
  })

  it('depends on an enquiry and on recording, and each refusal has its reason', () => {
    const ringing = live({ consult: { target: '1003', state: 'ringing' } })
    const asking = live({ consult: { target: '1003', state: 'talking' } })
    const three = live({ consult: { target: '1003', state: 'three_way' } })
    const always = ['emergency', 'pause-recording']
    expect(possible(ringing, 'talking')).toEqual(['hangup', 'mute', 'cancel', ...always])
    expect(possible(asking, 'talking')).toContain('three-way')
    expect(possible(three, 'talking')).toEqual(['hangup', 'mute', 'drop', ...always])
    const why = (command: ControlCommand, one: LiveCall) =>
      obstacle(command, { call: one, phase: 'talking', guest: false })
    expect(why('complete', ringing)).toBe('target_rings')
    expect(why('transfer', asking)).toBe('enquiry')
    expect(why('pause-recording', live({ recording: 'off' }))).toBe('not_recorded')
  })

  it("is little for whoever is only asked: the call is the colleague's", () => {
    const asking = live({ agent: 'a1002', consult: { target: '1001', state: 'talking' } })
    expect(possible(asking, 'talking', true)).toEqual(['hangup', 'mute', 'emergency'])
  })
})

describe('hanging up', () => {
  it('says what it does: end the call, hand it over, or leave the others to it', () => {
    const during = (state: 'ringing' | 'talking' | 'three_way' | null, guest = false) =>
      hangUp({
        call: live(state === null ? {} : { consult: { target: '1003', state } }),
        phase: 'talking',
        guest,
      })
    expect([during(null), during('ringing'), during('talking'), during('three_way')]).toEqual([
      'hangup',
      'hand-over',
      'hand-over',
      'leave-three',
    ])
    expect([during('talking', true), during('three_way', true)]).toEqual(['leave-enquiry', 'leave-three'])
  })
})

describe('an emergency', () => {
  it('is called although another command is still under way', async () => {
    const controls = useControls()
    vi.spyOn(api, 'onCall').mockReturnValue(new Promise(() => undefined))
    const called = vi.spyOn(api, 'emergency').mockResolvedValue(live())
    void controls.give('hold')
    expect(await controls.emergency('110')).toBe(true)
    expect(called.mock.calls).toEqual([['c1', '110']])
  })

  it('that does not come about is told; one that does, or is taken back, is not', async () => {
    const controls = useControls()
    vi.spyOn(api, 'onCall').mockResolvedValue(live())
    const told: (string | null)[] = []
    for (const end of ['no answer', 'three_way', 'taken back', 'only the colleague is left'] as const) {
      const calling = live({ consult: { target: '110', state: 'ringing' } })
      vi.spyOn(api, 'emergency').mockResolvedValue(calling)
      await controls.emergency('110')
      await nextTick()
      if (end === 'taken back') await controls.give('cancel')
      const joined = end === 'three_way' ? '110' : end === 'only the colleague is left' ? '1003' : null
      useLive().callIs(live({ consult: joined === null ? null : { target: joined, state: 'three_way' } }))
      await nextTick()
      told.push(controls.failed)
    }
    expect(told).toEqual(['110', null, null, '110'])
  })
})

describe('a command', () => {
  it("shows the server's answer at once, and a second one waits for it", async () => {
    const controls = useControls()
    let finish: (view: CallView) => void = () => undefined
    const request = vi.spyOn(api, 'onCall').mockReturnValue(new Promise((resolve) => (finish = resolve)))
    const first = controls.give('hold')
    expect(await controls.give('mute')).toBe(false)
    expect(controls.why('mute')).toBe('busy')
    finish(live({ held: true }))
    expect(await first).toBe(true)
    expect(request.mock.calls).toEqual([['c1', 'hold']])
    expect(useLive().state.calls['c1']?.held).toBe(true)
    expect(controls.why('unhold')).toBeNull()
  })

  it('leaves the call as it was after a refusal, which the caller is told', async () => {
    const controls = useControls()
    vi.spyOn(api, 'transfer').mockRejectedValue(new ApiError(409, 'illegal_now', ''))
    await expect(controls.transfer({ agent: 'a1002' })).rejects.toMatchObject({ code: 'illegal_now' })
    expect([controls.busy, controls.why('transfer')]).toEqual([null, null])
  })

  it('does not bring back a call that ended meanwhile', async () => {
    vi.spyOn(api, 'onCall').mockImplementation(() => {
      receive(event(1, 'call_ended', { call_id: 'c1', at: at(60) }))
      return Promise.resolve(live())
    })
    await useControls().give('hangup')
    expect(useLive().state.calls['c1']?.ended_at).toBe(at(60))
  })

  it('is also seen when somebody else gave it', () => {
    receive(
      event(1, 'call_changed', {
        call_id: 'c1',
        held: true,
        muted_agents: [],
        consult_target: '1003',
        consult_state: 'ringing',
      }),
    )
    expect(useLive().state.calls['c1']).toMatchObject({
      held: true,
      consult: { target: '1003', state: 'ringing' },
    })
  })
})

describe('the list of targets', () => {
  const targets = {
    agents: [
      { agent: 'a1001', name: '陈晓梅', extension: '1001', state: 'talking' as const },
      { agent: 'a1002', name: '王立国', extension: '1002', state: 'signed_out' as const },
      { agent: 'a1003', name: '李静', extension: '1003', state: 'ready' as const },
    ],
    queues: [{ queue: '12333', title: '劳动社保坐席', waiting: 2, ready: 1 }],
    outside: [{ name: '供水值班', number: '83350000' }],
    emergency: [],
  }
  const found = (typed: string) => targetRows('transfer', targets, 'a1001', typed).map((row) => row.name)

  it('shows the reachable first, and never oneself', () => {
    expect(found('')).toEqual(['劳动社保坐席', '李静', '王立国', '供水值班'])
  })

  it('has no queues to ask something', () => {
    const names = targetRows('consult', targets, 'a1001', '').map((row) => row.name)
    expect(names).toEqual(['李静', '王立国', '供水值班'])
  })

  it('keeps its rows in their places when they are asked for again', () => {
    const before = targetRows('transfer', targets, 'a1001', '')
    const now = targetRows(
      'transfer',
      {
        ...targets,
        agents: [
          { agent: 'a1002', name: '王立国', extension: '1002', state: 'ready' as const },
          { agent: 'a1004', name: '赵建华', extension: '1004', state: 'ready' as const },
        ],
      },
      'a1001',
      '',
    )
    expect(inPlace(before, now).map((row) => [row.name, row.state, row.out])).toEqual([
      ['劳动社保坐席', null, null],
      ['李静', 'ready', 'gone'],
      ['王立国', 'ready', null],
      ['供水值班', null, null],
      ['赵建华', 'ready', null],
    ])
  })

  it('is found by name, extension, queue and number', () => {
    expect([found('静'), found('1002'), found('12333'), found('8335'), found('x')]).toEqual([
      ['李静'],
      ['王立国'],
      ['劳动社保坐席'],
      ['供水值班'],
      [],
    ])
  })
})

describe('notes on a call', () => {
  const note = (text: string) => ({ call_id: 'c1', at: T0, user: 'chen', name: '陈晓梅', text })
  const past = {
    call: {
      ...call(),
      outcome: null,
      talk_seconds: null,
      has_recording: false,
      callback_outcome: null,
      survey: null,
      answer: null,
    },
    segments: [segment({ text: '之前说的话', final: true })],
    text_masked: false,
    notes: [note('前一位记的')],
    draft: draft(),
    callbacks: [],
  }

  it('come with the call, together with the text heard before', async () => {
    vi.spyOn(api, 'call').mockResolvedValue(past)
    await useNotes().turnTo('c1')
    expect(useNotes().notes).toEqual([note('前一位记的')])
    expect(useLive().state.transcripts['c1']?.items).toHaveLength(1)
  })

  it('are saved when the next call comes; what was written never ends up on another call', async () => {
    vi.spyOn(api, 'call').mockResolvedValue({ ...past, notes: [] })
    const saved = vi.spyOn(api, 'note').mockResolvedValue(note('卡费4800元'))
    const notes = useNotes()
    await notes.turnTo('c1')
    notes.draft = ' 卡费4800元 '
    await notes.turnTo('c2')
    expect(saved.mock.calls).toEqual([['c1', '卡费4800元']])
    expect(notes.draft).toBe('')
  })

  it('keep what could not be saved, over a reload too', async () => {
    vi.spyOn(api, 'call').mockResolvedValue({ ...past, notes: [] })
    vi.spyOn(api, 'note').mockRejectedValue(new ApiError(503, 'database_unavailable', ''))
    const notes = useNotes()
    await notes.turnTo('c1')
    notes.draft = '重要'
    await notes.save()
    expect([notes.status, notes.draft]).toEqual(['failed', '重要'])
    setActivePinia(createPinia())
    useSession().me = me()
    await useNotes().turnTo('c1')
    expect(useNotes().draft).toBe('重要')
  })

  it('are never lost: what fails after the next call came is told and offered again, to that call', async () => {
    vi.spyOn(api, 'call').mockResolvedValue({ ...past, notes: [] })
    const request = vi.spyOn(api, 'note').mockRejectedValueOnce(new ApiError(503, 'database_unavailable', ''))
    const notes = useNotes()
    await notes.turnTo('c1')
    notes.draft = '重要'
    await notes.turnTo('c2')
    expect([notes.draft, notes.unsaved]).toEqual(['', [{ callId: 'c1', text: '重要' }]])
    setActivePinia(createPinia()) // after a reload too
    useSession().me = me()
    expect(useNotes().unsaved).toEqual([{ callId: 'c1', text: '重要' }])
    request.mockResolvedValue(note('重要'))
    expect(await useNotes().save('c1')).toBe(true)
    expect(request.mock.calls.at(-1)).toEqual(['c1', '重要'])
    expect(useNotes().unsaved).toEqual([])
  })

  it('keep what is typed while a save is under way, and save it next', async () => {
    vi.spyOn(api, 'call').mockResolvedValue({ ...past, notes: [] })
    let finish: () => void = () => undefined
    const request = vi
      .spyOn(api, 'note')
      .mockImplementationOnce(() => new Promise((resolve) => (finish = () => resolve(note('一')))))
      .mockResolvedValue(note('二'))
    const notes = useNotes()
    await notes.turnTo('c1')
    notes.draft = '一'
    const first = notes.save()
    await Promise.resolve()
    notes.draft = '一 二'
    const next = notes.turnTo('c2')
    finish()
    await Promise.all([first, next])
    expect(request.mock.calls).toEqual([
      ['c1', '一'],
      ['c1', '二'],
    ])
    expect(notes.unsaved).toEqual([])
  })

  it('are for the eyes of whoever wrote them: another user of this tab is not shown them', async () => {
    vi.spyOn(api, 'call').mockResolvedValue({ ...past, notes: [] })
    vi.spyOn(api, 'note').mockRejectedValue(new ApiError(503, 'database_unavailable', ''))
    const notes = useNotes()
    await notes.turnTo('c1')
    notes.draft = '重要'
    await notes.turnTo(null)
    useSession().me = me({ user: 'li' })
    expect(notes.unsaved).toEqual([])
  })
})

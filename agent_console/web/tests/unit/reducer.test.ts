import { describe, expect, it } from 'vitest'

import type { ServerFrame } from '@/api/types'
import { parseFrame, reduce } from '@/live/reducer'
import { EMPTY_STATE, type LiveState } from '@/live/state'
import { shown } from '@/live/transcript'

import { agent, at, call, event, figures, live, segment, snapshot, T0, waiting, welcome } from './samples'

const NOW = Date.parse(T0)

const after = (frames: readonly ServerFrame[], state: LiveState = EMPTY_STATE): LiveState =>
  frames.reduce((known, frame) => reduce(known, frame, NOW), state)

const said = (state: LiveState, callId = 'c1'): string[] =>
  shown(state.transcripts[callId] ?? { items: [] }).map((item) =>
    item.kind === 'utterance' ? item.text : `[${item.kind}]`,
  )

const answered = {
  call_id: 'c1',
  entry_id: 'e1',
  line: '12345',
  queue: '12345',
  agent: 'a1001',
  wait_seconds: 7,
}
const talking = after([
  welcome(),
  snapshot(10, { calls: [call({ agent: 'a1001', answered_at: T0 })] }, [
    segment({ text: '你好', final: true }),
  ]),
])

describe('the snapshot', () => {
  it('replaces all that was known', () => {
    const later = after(
      [welcome(false, 'boot-2'), snapshot(3, { calls: [call({ call_id: 'c9' })] })],
      talking,
    )
    expect(Object.keys(later.calls)).toEqual(['c9'])
    expect(later.transcripts).toEqual({})
    expect(later).toMatchObject({ bootId: 'boot-2', lastSeq: 3, known: true })
  })

  it('brings the text of live calls', () => {
    expect(said(talking)).toEqual(['你好'])
  })
})

describe('coming back after a break', () => {
  const missed = event(12, 'transcript_segment', segment({ side: 'agent', text: '请讲', start_seconds: 3 }))

  it('goes on from what was known when the server resumes', () => {
    expect(said(after([welcome(true), missed], talking))).toEqual(['你好', '请讲'])
  })

  it('does not lose what follows a welcome that is ahead of this page', () => {
    expect(said(after([welcome(true, 'boot-1', 99), missed], talking))).toEqual(['你好', '请讲'])
  })

  it('drops what it has already', () => {
    const first = after([missed], talking)
    const again = event(12, 'call_ended', { call_id: 'c1' })
    expect(after([welcome(true), again], first).calls['c1']?.ended_at).toBeNull()
  })

  it('takes events after a restart although their numbers are small', () => {
    const restarted = after([welcome(false, 'boot-2', 0), snapshot(0, { calls: [call()] })], talking)
    const next = after([event(1, 'transcript_segment', segment({ text: '喂' }))], restarted)
    expect(said(next)).toEqual(['喂'])
  })

  it('remembers the newest number heard of, also from signs of life', () => {
    const quiet = after([{ type: 'alive', seq: 40 }], talking)
    expect(quiet.heardSeq).toBe(40)
    expect(after([{ type: 'alive', seq: 20 }], quiet).heardSeq).toBe(40)
  })

  it('does not take an event for a repeat because a sign of life was quicker', () => {
    expect(said(after([{ type: 'alive', seq: 12 }, missed], talking))).toEqual(['你好', '请讲'])
  })
})

describe('a call through its events', () => {
  const base = after([welcome(), snapshot(0)])
  const started = {
    call_id: 'c1',
    line: '12345',
    did: '12345',
    caller_number: '138****1234',
    caller_name: '',
    callback_of: null,
  }
  const queued = {
    ...started,
    entry_id: 'e1',
    queue: '12315',
    position: 1,
    line: '12315',
    menu_path: ['消费维权'],
  }
  const life: ServerFrame[] = [
    event(1, 'call_started', started),
    event(2, 'menu_finished', { call_id: 'c1', path: ['消费维权'], line: '12315' }),
    event(3, 'caller_queued', queued),
    event(4, 'agent_ringing', { call_id: 'c1', entry_id: 'e1', agent: 'a1001' }),
    event(5, 'agent_state_changed', { agent: 'a1001', state: 'ringing', reason: '', call_id: 'c1' }),
    event(6, 'call_answered', { ...answered, line: '12315', at: at(7) }),
    event(7, 'entry_closed', { ...answered, outcome: 'answered', talk_seconds: 60 }),
    event(8, 'call_ended', { call_id: 'c1', at: at(67) }),
  ]

  it('waits, rings, is answered and ends', () => {
    const waitingNow = after(life.slice(0, 3), base)
    expect(waitingNow.waiting).toHaveLength(1)
    expect(waitingNow.calls['c1']).toMatchObject({
      line: '12315',
      menu_path: ['消费维权'],
      answered_at: null,
    })
    const ringing = after(life.slice(3, 5), waitingNow)
    expect(ringing.agents[0]).toMatchObject({ state: 'ringing', call_id: 'c1' })
    const talk = after(life.slice(5, 6), ringing)
    expect(talk.waiting).toEqual([])
    expect(talk.calls['c1']).toMatchObject({ agent: 'a1001', answered_at: at(7), wait_seconds: 7 })
    expect(after(life.slice(6), talk).calls['c1']).toMatchObject({ outcome: 'answered', ended_at: at(67) })
  })

  it('knows a callback before the citizen answers, and who talks then', () => {
    const begun = event(1, 'call_started', { ...started, callback_of: 'c0' })
    const dialling = after([begun], base)
    expect(dialling.calls['c1']).toMatchObject({ callback_of: 'c0', answered_at: null })
    const joined = event(2, 'party_joined', { call_id: 'c1', agent: 'a1001', at: at(9) })
    expect(after([joined], dialling).calls['c1']).toMatchObject({ agent: 'a1001', answered_at: at(9) })
  })

  it('goes back to waiting when the agent does not answer', () => {
    const missed = event(6, 'agent_no_answer', {
      call_id: 'c1',
      entry_id: 'e1',
      agent: 'a1001',
      ring_seconds: 20,
    })
    const state = after([...life.slice(0, 5), missed], base)
    expect(state.calls['c1']?.agent).toBeNull()
    expect(state.waiting).toHaveLength(1)
  })

  it('leaves the queue when the caller gives up', () => {
    const gone = event(6, 'entry_closed', { ...answered, agent: null, outcome: 'abandoned', talk_seconds: 0 })
    expect(after([...life.slice(0, 3), gone], base).waiting).toEqual([])
  })

  it('keeps its text readable after the end, and no more than the last calls', () => {
    let state = base
    for (let number = 0; number < 60; number += 1) {
      const id = `c${number}`
      state = after(
        [
          event(number * 10 + 1, 'call_started', { ...started, call_id: id, at: at(number) }),
          event(number * 10 + 2, 'transcript_segment', segment({ call_id: id })),
          event(number * 10 + 3, 'call_ended', { call_id: id, at: at(number) }),
        ],
        state,
      )
    }
    expect(said(state, 'c59')).toEqual(['路灯不亮'])
    expect(Object.keys(state.calls)).toHaveLength(20)
    expect(Object.keys(state.transcripts)).toHaveLength(20)
  })

  it('shows a line where another engine took over, once and only while the call goes on', () => {
    const change = { call_id: 'c1', at: at(4), side: 'caller', engine: 'local', reason: 'slow', party: '' }
    expect(said(after([...life.slice(0, 6), event(7, 'engine_changed', change)], base))).toEqual(['[engine]'])
    expect(said(after([...life, event(9, 'engine_changed', change)], base))).toEqual([])
  })

  it('shows a gap where a leg was lost, but not for a leg that ends with its call', () => {
    const lost = { call_id: 'c1', side: 'caller', party: '', reason: 'worker', at: at(9) }
    expect(said(after([...life.slice(0, 6), event(7, 'leg_lost', lost)], base))).toEqual(['[gap]'])
    expect(said(after([...life, event(9, 'leg_lost', lost)], base))).toEqual([])
  })

  it("fills in what happened before the call was any of this page's business", () => {
    const ringing = after(
      [event(4, 'agent_ringing', { call_id: 'c1', entry_id: 'e1', agent: 'a1001' })],
      base,
    )
    const details = call({ line: '12315', menu_path: ['消费维权'], agent: null })
    const state = after([{ type: 'call', data: details }], ringing)
    expect(state.calls['c1']).toMatchObject({ line: '12315', menu_path: ['消费维权'], agent: 'a1001' })
  })
})

describe('pictures', () => {
  it('take away waiting callers and end calls that are gone', () => {
    const state = after([{ type: 'live', data: live({ at: at(30), waiting: [waiting()] }) }], talking)
    expect(state.calls['c1']?.ended_at).toBe(at(30))
    expect(state.waiting).toHaveLength(1)
    expect(said(state)).toEqual(['你好'])
  })

  it('show agents and the link as they are', () => {
    const picture = live({ link_up: false, agents: [agent({ state: 'paused', reason: '用餐' })] })
    const state = after([{ type: 'live', data: picture }], talking)
    expect(state.linkUp).toBe(false)
    expect(state.agents[0]?.state).toBe('paused')
    expect(after([event(13, 'link_changed', { up: true, detail: '' })], state).linkUp).toBe(true)
  })

  it('bring figures', () => {
    const day = figures()
    expect(after([{ type: 'figures', data: day }], talking).figures).toBe(day)
  })
})

describe('frames that mean nothing here', () => {
  it('move the number on when the event is unknown', () => {
    const state = after([event(11, 'menu_entered', { call_id: 'c1' }), event(12, 'toString', {})], talking)
    expect(state).toMatchObject({ lastSeq: 12, calls: talking.calls })
  })

  it.each(['', '{', '[]', 'null', '3', '{"type":7}', '{"type":"later"}'])('are not frames: %s', (text) => {
    expect(parseFrame(text)).toBeNull()
  })

  it('are told from frames', () => {
    expect(parseFrame('{"type":"alive","seq":3}')).toEqual({ type: 'alive', seq: 3 })
  })
})

import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { api, ApiError } from '@/api/client'
import type { ServerFrame } from '@/api/types'
import { reduce } from '@/live/reducer'
import { useLive } from '@/stores/live'
import { useSeat } from '@/stores/seat'
import { useSession } from '@/stores/session'

import { agent, at, call, event, me, segment, snapshot, T0, welcome } from './samples'

function receive(...frames: readonly ServerFrame[]): void {
  const live = useLive()
  for (const frame of frames) live.state = reduce(live.state, frame, Date.parse(T0))
}

const state = (seq: number, name: string, callId: string | null = null): ServerFrame =>
  event(seq, 'agent_state_changed', { agent: 'a1001', state: name, reason: '', call_id: callId })

const answered = { call_id: 'c1', entry_id: 'e1', line: '12345', agent: 'a1001', wait_seconds: 7, at: at(7) }

beforeEach(() => {
  setActivePinia(createPinia())
  useSession().me = me()
  receive(welcome(), snapshot(0))
})

afterEach(() => vi.restoreAllMocks())

describe("the call on the agent's page", () => {
  it('rings, is talked on, and stays to be read after its end', () => {
    const seat = useSeat()
    expect(seat.phase).toBe('none')
    receive({ type: 'call', data: call({ agent: 'a1001' }) }, state(1, 'ringing', 'c1'))
    expect([seat.phase, seat.call?.call_id]).toEqual(['ringing', 'c1'])
    receive(event(2, 'call_answered', answered), state(3, 'talking', 'c1'))
    receive(event(4, 'transcript_segment', segment({ text: '你好' })))
    expect(seat.phase).toBe('talking')
    seat.keep()
    receive(event(5, 'call_ended', { call_id: 'c1', at: at(60) }), state(6, 'wrap_up'), state(7, 'ready'))
    expect(seat.phase).toBe('ended')
    expect(seat.transcript.items).toHaveLength(1)
    seat.putAway()
    expect(seat.phase).toBe('none')
  })

  it('gives way to the next call', () => {
    const seat = useSeat()
    receive({ type: 'call', data: call({ agent: 'a1001', answered_at: T0 }) }, state(1, 'talking', 'c1'))
    seat.keep()
    receive(state(2, 'ready'), { type: 'call', data: call({ call_id: 'c2', agent: 'a1001' }) })
    receive(state(3, 'ringing', 'c2'))
    expect([seat.phase, seat.call?.call_id]).toEqual(['ringing', 'c2'])
  })

  it('rings and is talked on when a colleague hands it over, though no queue says so', () => {
    const seat = useSeat()
    const handed = call({ agent: 'a1001', line: '12315' })
    receive(event(1, 'party_ringing', { call_id: 'c1', agent: 'a1001' }), { type: 'call', data: handed })
    expect(seat.call?.line).toBe('12315')
    expect([seat.phase, seat.call?.call_id]).toEqual(['ringing', 'c1'])
    receive(event(2, 'party_joined', { call_id: 'c1', agent: 'a1001' }))
    expect(seat.phase).toBe('talking')
    seat.keep()
    receive(event(3, 'party_left', { call_id: 'c1', agent: 'a1001' }))
    expect(seat.phase).toBe('ended')
  })

  it('is not kept when it only rang here', () => {
    const seat = useSeat()
    receive({ type: 'call', data: call({ agent: 'a1001' }) }, state(1, 'ringing', 'c1'))
    seat.keep()
    receive(state(2, 'ready'))
    expect(seat.phase).toBe('none')
  })
})

describe('the state buttons', () => {
  it('offer what the state allows', () => {
    const seat = useSeat()
    const offered = (): string[] =>
      (['sign-in', 'resume', 'pause', 'sign-out'] as const).filter((command) => seat.may(command))
    expect(offered()).toEqual(['pause', 'sign-out'])
    receive(state(1, 'signed_out'))
    expect(offered()).toEqual(['sign-in'])
    receive(state(2, 'paused'))
    expect(offered()).toEqual(['resume', 'pause', 'sign-out'])
    receive(state(3, 'talking', 'c1'))
    expect(offered()).toEqual(['pause'])
    receive(state(4, 'wrap_up', 'c1'))
    expect(offered()).toEqual(['resume', 'pause', 'sign-out'])
  })

  it("show the server's answer at once, and do nothing twice meanwhile", async () => {
    const seat = useSeat()
    let finish: (value: ReturnType<typeof agent>) => void = () => undefined
    const request = vi.spyOn(api, 'agentPause').mockReturnValue(new Promise((resolve) => (finish = resolve)))
    const first = seat.pause('用餐')
    await seat.pause('用餐')
    expect(seat.busy).toBe('pause')
    finish(agent({ state: 'paused', reason: '用餐' }))
    await first
    expect(request).toHaveBeenCalledTimes(1)
    expect(seat.view).toMatchObject({ state: 'paused', reason: '用餐' })
    expect(seat.busy).toBeNull()
  })

  it('show a break that begins after the call, and let it be taken back', async () => {
    const seat = useSeat()
    receive(state(1, 'talking', 'c1'))
    const answer = agent({ state: 'talking', call_id: 'c1', pending_reason: '用餐' })
    vi.spyOn(api, 'agentPause').mockResolvedValue(answer)
    await seat.pause('用餐')
    expect([seat.breakAfter, seat.may('resume')]).toEqual(['用餐', true])
    receive(event(2, 'agent_state_changed', { ...answer, state: 'paused', pending_reason: null }))
    expect(seat.breakAfter).toBeNull()
  })

  it('end a wrap-up early, or take back the break that was to follow it', async () => {
    const seat = useSeat()
    const end = vi.spyOn(api, 'endWrapUp').mockResolvedValue(agent({ state: 'ready' }))
    const back = vi.spyOn(api, 'agentResume').mockResolvedValue(agent({ state: 'wrap_up' }))
    const wrapUp = { ...agent({ state: 'wrap_up', pending_reason: '用餐' }), at: T0 }
    receive(event(1, 'agent_state_changed', wrapUp))
    await seat.resume()
    expect([back.mock.calls.length, end.mock.calls.length]).toEqual([1, 0])
    receive(event(2, 'agent_state_changed', { ...wrapUp, pending_reason: null }))
    await seat.resume()
    expect([end.mock.calls.length, seat.view?.state]).toEqual([1, 'ready'])
  })

  it('come back to life after a refusal, which the caller is told', async () => {
    const seat = useSeat()
    vi.spyOn(api, 'agentSignOut').mockRejectedValue(new ApiError(503, 'exchange_unreachable', ''))
    await expect(seat.signOut()).rejects.toMatchObject({ code: 'exchange_unreachable' })
    expect([seat.busy, seat.view?.state]).toEqual([null, 'ready'])
  })
})

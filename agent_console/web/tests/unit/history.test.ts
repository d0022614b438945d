import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { api } from '@/api/client'
import type { CallSummary } from '@/api/types'
import { useHistory } from '@/stores/history'

import { at, draft } from './samples'

const past = (number: number): CallSummary => ({
  call_id: `c${number}`,
  line: '12345',
  did: '12345',
  caller_number: '138****1234',
  menu_path: [],
  started_at: at(number),
  outcome: 'answered',
  agent: 'a1001',
  wait_seconds: 3,
  talk_seconds: 60,
  has_recording: false,
  language: 'zh-CN',
  callback_of: null,
  callback_outcome: null,
  survey: null,
  answer: null,
})
const page = (from: number, to: number): CallSummary[] =>
  Array.from({ length: from - to }, (_, index) => past(from - index))

beforeEach(() => setActivePinia(createPinia()))
afterEach(() => vi.restoreAllMocks())

describe('past calls', () => {
  it('come newest first, and older ones on demand without repeats', async () => {
    const history = useHistory()
    const calls = vi.spyOn(api, 'calls').mockResolvedValueOnce({ calls: page(100, 50) })
    await history.refresh()
    expect(history.more).toBe(true)
    calls.mockResolvedValueOnce({ calls: [past(51), ...page(50, 40)] })
    await history.loadMore()
    expect(calls).toHaveBeenLastCalledWith(50, at(51), {})
    expect(history.calls).toHaveLength(60)
    expect(history.more).toBe(false)
  })

  it('keep what was fetched when the newest are asked for again', async () => {
    const history = useHistory()
    const calls = vi.spyOn(api, 'calls').mockResolvedValueOnce({ calls: page(100, 50) })
    await history.refresh()
    calls.mockResolvedValueOnce({ calls: page(50, 45) })
    await history.loadMore()
    calls.mockResolvedValueOnce({ calls: page(101, 51) })
    await history.refresh()
    expect(history.calls.map((call) => call.call_id)).toEqual(page(101, 45).map((call) => call.call_id))
  })

  it('are looked for by what is known of them, and paged back within that', async () => {
    const history = useHistory()
    const calls = vi.spyOn(api, 'calls').mockResolvedValue({ calls: page(100, 50) })
    const wanted = { outcome: 'abandoned', line: '12315' } as const
    await history.find(wanted)
    expect(calls).toHaveBeenLastCalledWith(50, undefined, wanted)
    await history.loadMore()
    expect(calls).toHaveBeenLastCalledWith(50, at(51), wanted)
  })

  it('that come too late, when others are wanted by then, are not shown', async () => {
    const history = useHistory()
    let late: (found: { calls: CallSummary[] }) => void = () => undefined
    vi.spyOn(api, 'calls')
      .mockReturnValueOnce(new Promise((resolve) => (late = resolve)))
      .mockResolvedValue({ calls: [past(1)] })
    const first = history.find({})
    await history.find({ line: '12315' })
    late({ calls: [past(2)] })
    await first
    expect(history.calls.map((call) => call.call_id)).toEqual(['c1'])
  })

  it('are asked for again until the call that has just ended is written down', async () => {
    vi.useFakeTimers()
    const history = useHistory()
    const calls = vi.spyOn(api, 'calls').mockResolvedValue({ calls: page(2, 0) })
    const done = history.refreshUntil('c3')
    await vi.advanceTimersByTimeAsync(1_000)
    calls.mockResolvedValue({ calls: page(3, 0) })
    await vi.advanceTimersByTimeAsync(1_000)
    await done
    expect(history.calls[0]?.call_id).toBe('c3')
    expect(calls).toHaveBeenCalledTimes(3)
    vi.useRealTimers()
  })

  it('say when they could not be fetched', async () => {
    const history = useHistory()
    vi.spyOn(api, 'calls').mockRejectedValue(new Error('no'))
    await history.refresh()
    expect([history.failed, history.loading]).toEqual([true, false])
  })

  it('open the call that was asked for last, whichever answer comes first', async () => {
    const history = useHistory()
    const answers = new Map<string, () => void>()
    vi.spyOn(api, 'call').mockImplementation(
      (id) =>
        new Promise((resolve) =>
          answers.set(id, () =>
            resolve({
              call: past(Number(id.slice(1))),
              segments: [],
              text_masked: false,
              notes: [],
              callbacks: [],
              draft: draft(),
            }),
          ),
        ),
    )
    const slow = history.read('c1')
    const quick = history.read('c2')
    answers.get('c2')?.()
    await quick
    answers.get('c1')?.()
    await slow
    expect(history.open?.call.call_id).toBe('c2')
  })
})

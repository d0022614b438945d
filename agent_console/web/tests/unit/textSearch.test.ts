import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { api, ApiError } from '@/api/client'
import type { FoundCalls } from '@/api/types'
import { cutAtMarks } from '@/marks'
import { useTextSearch } from '@/stores/textSearch'

const page = (ids: readonly string[], before: number | null): FoundCalls => ({
  calls: ids.map((id) => ({
    call: { call_id: id },
    utterances: [],
    count: 1,
  })) as unknown as FoundCalls['calls'],
  before,
  complete: true,
  catching_up: false,
})

describe('marks', () => {
  it('cut a text where the words stand, and nothing of it is lost', () => {
    expect(cutAtMarks('我的社保卡丢了', [[2, 5]])).toEqual([
      { text: '我的', marked: false },
      { text: '社保卡', marked: true },
      { text: '丢了', marked: false },
    ])
    expect(cutAtMarks('社保', [[0, 2]])).toEqual([{ text: '社保', marked: true }])
  })

  it('count a rare character as one, as the server does', () => {
    expect(cutAtMarks('𠮷家的社保', [[3, 5]])[1]).toEqual({ text: '社保', marked: true })
  })
})

describe('a search', () => {
  beforeEach(() => setActivePinia(createPinia()))
  afterEach(() => vi.restoreAllMocks())

  it('goes on where the page before it ended', async () => {
    const search = useTextSearch()
    const asked = vi.spyOn(api, 'searchTexts').mockResolvedValueOnce(page(['c3', 'c2'], 17))
    await search.find(' 社保卡 ', { line: '12333' })
    expect(asked).toHaveBeenLastCalledWith('社保卡', { line: '12333' }, undefined)
    asked.mockResolvedValueOnce(page(['c1'], null))
    await search.more()
    expect(asked).toHaveBeenLastCalledWith('社保卡', { line: '12333' }, 17)
    expect(search.calls.map((one) => one.call.call_id)).toEqual(['c3', 'c2', 'c1'])
    await search.more()
    expect(asked).toHaveBeenCalledTimes(2)
  })

  it('shows the words that were asked for last, however late the answers come', async () => {
    const search = useTextSearch()
    let late: (found: FoundCalls) => void = () => undefined
    vi.spyOn(api, 'searchTexts')
      .mockReturnValueOnce(new Promise((resolve) => (late = resolve)))
      .mockResolvedValueOnce(page(['c2'], null))
    const first = search.find('社保', {})
    await search.find('公积金', {})
    late(page(['c1'], null))
    await first
    expect(search.calls.map((one) => one.call.call_id)).toEqual(['c2'])
    expect(search.loading).toBe(false)
  })

  it('is over without words, and says why there is nothing', async () => {
    const search = useTextSearch()
    const asked = vi
      .spyOn(api, 'searchTexts')
      .mockRejectedValueOnce(new ApiError(400, 'nothing_to_search', ''))
      .mockRejectedValueOnce(new ApiError(0, 'unreachable', ''))
    await search.find('社', {})
    expect(search.failure).toBe('too_little')
    await search.find('社保', {})
    expect(search.failure).toBe('failed')
    await search.find('', {})
    expect([search.active, search.failure, asked.mock.calls.length]).toEqual([false, null, 2])
  })
})

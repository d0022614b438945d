import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'

import { api, ApiError } from '@/api/client'
import type { Draft, DraftFields } from '@/api/types'
import { characters, warningsOf } from '@/draft/checks'
import { EMPTY, merge } from '@/draft/merge'
import { keepTyping, typingOf } from '@/draft/typing'
import { reduce } from '@/live/reducer'
import { useDraft } from '@/stores/draft'
import { useLive } from '@/stores/live'
import { useSession } from '@/stores/session'

import { draft, event, me } from './samples'

const fields = (change: Partial<DraftFields> = {}): DraftFields => ({ ...EMPTY, ...change })

describe('two people on one draft', () => {
  it('each keep their own fields', () => {
    const merged = merge(fields(), fields({ title: '路灯' }), draft(1, { address: '人民路' }))
    expect(merged).toEqual({ fields: fields({ title: '路灯', address: '人民路' }), conflicts: [] })
  })

  it('take over what the other emptied, and agree on the same words', () => {
    const merged = merge(
      fields({ unit: '住建局', title: '甲' }),
      fields({ unit: '住建局', title: '乙' }),
      draft(2, { unit: '', title: '乙' }),
    )
    expect(merged).toEqual({ fields: fields({ title: '乙' }), conflicts: [] })
  })

  it('see both where both wrote', () => {
    const merged = merge(fields(), fields({ title: '我' }), draft(1, { title: '他' }))
    expect(merged.fields.title).toBe('我')
    expect(merged.conflicts).toEqual([{ field: 'title', theirs: '他', by: 'li' }])
  })
})

describe('what inspectors deduct points for', () => {
  const LONG = '市民反映人民路二百六十号健身房关门，预付卡余额四千八百元不予退还。'

  it.each<[Partial<DraftFields>, readonly string[]]>([
    [{}, []],
    [{ content: '路灯不亮，12345' }, ['short']],
    [{ content: LONG }, []],
    [{ content: `${LONG}已告知市场监管局。`, answered: true }, ['informed']],
    [{ content: `${LONG}已经通知了市场监管局。`, answered: true }, ['informed']],
    [{ content: `${LONG}已告知市场监管局。` }, []],
    [{ content: `${LONG}因此不予受理。` }, ['refused']],
    [{ content: `${LONG}市民王女士要求退款。`, sex: 'male' }, ['address_female']],
    [{ content: `${LONG}王先生要求退款。`, sex: 'female', name: '王芳' }, ['address_male']],
    [{ content: `${LONG}店主李先生不接电话。`, sex: 'female', name: '王芳' }, []],
    [{ content: `${LONG}市民王女士要求退款。`, sex: 'female' }, []],
  ])('%o: %o', (change, expected) => {
    expect(warningsOf(fields(change))).toEqual(expected)
  })

  it('counts Chinese characters, not signs', () => {
    expect(characters('路灯 No. 3 不亮！')).toBe(4)
  })
})

describe('the draft of the present call', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    localStorage.clear()
    setActivePinia(createPinia())
    useSession().me = me()
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  function opened(known = draft(0)): ReturnType<typeof useDraft> {
    const store = useDraft()
    store.turnTo('c1')
    store.takeIn(known)
    return store
  }

  it('is saved a second after the last key, once', async () => {
    const put = vi.spyOn(api, 'saveDraft').mockResolvedValue(draft(1, { title: '路灯' }, 'chen'))
    const store = opened()
    store.edit({ title: '路' })
    await vi.advanceTimersByTimeAsync(900)
    store.edit({ title: '路灯' })
    await vi.advanceTimersByTimeAsync(900)
    expect(put).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(200)
    expect(put).toHaveBeenCalledExactlyOnceWith('c1', 0, fields({ title: '路灯' }))
    expect([store.dirty, store.saved?.revision, typingOf('chen', 'c1')]).toEqual([false, 1, null])
  })

  it('keeps what is typed over a reload, and merges it with what came meanwhile', async () => {
    vi.spyOn(api, 'saveDraft').mockRejectedValue(new ApiError(0, 'unreachable', ''))
    opened().edit({ content: '健身房关门' })
    await vi.advanceTimersByTimeAsync(1_100)
    expect(useDraft().failed).toBe(true)
    setActivePinia(createPinia())
    useSession().me = me()
    const put = vi.spyOn(api, 'saveDraft').mockResolvedValue(draft(3, {}, 'chen'))
    const store = opened(draft(2, { unit: '市场监管局' }))
    expect(store.fields).toEqual(fields({ content: '健身房关门', unit: '市场监管局' }))
    await vi.advanceTimersByTimeAsync(1_100)
    expect(put).toHaveBeenLastCalledWith('c1', 2, store.fields)
  })

  it('takes in what a colleague saved first, and saves again', async () => {
    const stale = new ApiError(409, 'stale', '', '', null, { draft: draft(4, { unit: '住建局' }) })
    const put = vi
      .spyOn(api, 'saveDraft')
      .mockRejectedValueOnce(stale)
      .mockResolvedValue(draft(5, {}, 'chen'))
    const store = opened(draft(3))
    store.edit({ title: '路灯' })
    await vi.advanceTimersByTimeAsync(2_500)
    expect(put).toHaveBeenLastCalledWith('c1', 4, fields({ title: '路灯', unit: '住建局' }))
    expect(store.saved?.revision).toBe(5)
  })

  it.each<['mine' | 'theirs', string, number]>([
    ['mine', '我的', 1],
    ['theirs', '他的', 0],
  ])(
    'asks when both wrote in one field, and saves nothing until %s is chosen',
    async (whose, title, puts) => {
      const put = vi.spyOn(api, 'saveDraft').mockResolvedValue(draft(3, {}, 'chen'))
      const store = opened(draft(1))
      store.edit({ title: '我的' })
      store.takeIn(draft(2, { title: '他的' }))
      await vi.advanceTimersByTimeAsync(10_000)
      expect(put).not.toHaveBeenCalled()
      expect(store.conflicts).toEqual([{ field: 'title', theirs: '他的', by: 'li' }])
      store.decide('title', whose)
      await vi.advanceTimersByTimeAsync(2_000)
      expect([store.fields.title, store.conflicts, put.mock.calls.length]).toEqual([title, [], puts])
    },
  )

  it('is fetched when somebody else saves', async () => {
    const get = vi.spyOn(api, 'draft').mockResolvedValue(draft(2, { title: '他的' }))
    const store = opened(draft(1))
    const live = useLive()
    live.state = reduce(live.state, event(5, 'draft_changed', { call_id: 'c1', revision: 2, by: 'li' }), 0)
    await nextTick()
    await vi.advanceTimersByTimeAsync(0)
    expect(get).toHaveBeenCalledOnce()
    expect(store.fields.title).toBe('他的')
  })

  it('is not emptied when its call goes away and comes back while it is being saved', async () => {
    let answer: (saved: Draft) => void = () => undefined
    const put = vi.spyOn(api, 'saveDraft').mockReturnValueOnce(new Promise((resolve) => (answer = resolve)))
    const store = opened(draft(1, { name: '王芳' }))
    store.edit({ title: '路灯' })
    store.turnTo(null)
    store.turnTo('c1')
    answer(draft(2, { name: '王芳', title: '路灯' }, 'chen'))
    await vi.advanceTimersByTimeAsync(5_000)
    store.takeIn(draft(2, { name: '王芳', title: '路灯' }, 'chen'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(put).toHaveBeenCalledOnce()
    expect([store.fields.name, store.fields.title, store.dirty]).toEqual(['王芳', '路灯', false])
  })

  it('is not kept in the browser after signing out', async () => {
    vi.spyOn(api, 'leave').mockResolvedValue()
    keepTyping('chen', 'c1', { revision: 1, base: fields(), fields: fields({ title: '路灯' }) })
    keepTyping('li', 'c1', { revision: 1, base: fields(), fields: fields({ title: '水管' }) })
    await useSession().leave()
    expect([typingOf('chen', 'c1'), typingOf('li', 'c1')?.fields.title]).toEqual([null, '水管'])
  })
})

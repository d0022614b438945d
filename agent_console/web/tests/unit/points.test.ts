import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'

import { api } from '@/api/client'
import type { CallPoints, Point, Proposal } from '@/api/types'
import DraftProposals from '@/components/DraftProposals.vue'
import PointsCard from '@/components/PointsCard.vue'
import { i18n } from '@/i18n'
import { reduce } from '@/live/reducer'
import { useDraft } from '@/stores/draft'
import { useLive } from '@/stores/live'
import { usePoints } from '@/stores/points'
import { useSession } from '@/stores/session'

import { draft, event, me, T0 } from './samples'

const global = { plugins: [i18n] }
const point = (kind: Point['kind'], value: string, utterance = 1): Point => ({
  kind,
  value,
  score: 0.8,
  rules: [`cue:${value}`],
  cites: [{ side: 'caller', utterance }],
})
const POINTS: CallPoints = {
  call_id: 'c1',
  at: T0,
  revision: 2,
  ended: false,
  points: [
    point('request_type', 'complaint'),
    point('topic', '消费维权', 2),
    point('place', '人民路260号', 3),
  ],
  source: 'rules',
  dropped: 0,
}
const offer = (field: Proposal['field'], value: string | boolean): Proposal => ({ field, value, cites: [] })
const OFFERS = [
  offer('request_type', 'complaint'),
  offer('address', '人民路260号'),
  offer('title', '消费维权'),
  offer('price', '三千元'),
  offer('urgent', true),
]

function understood(revision: number): void {
  const live = useLive()
  const frame = event(revision, 'call_understood', { call_id: 'c1', revision, ended: false })
  live.state = reduce(live.state, frame, 0)
}

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

describe('what a call is about', () => {
  it('is asked for when the call comes and when there is more, at most once a second', async () => {
    const asked = vi.spyOn(api, 'points').mockResolvedValue({ points: POINTS, proposals: [] })
    const store = usePoints()
    store.turnTo('c1')
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toHaveBeenCalledTimes(1)
    for (const revision of [1, 2, 3, 4]) {
      understood(revision)
      await nextTick()
    }
    await vi.advanceTimersByTimeAsync(999)
    expect(asked).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(asked).toHaveBeenCalledTimes(2)
    expect(store.points).toEqual(POINTS)
  })

  it('of a call that is gone is not shown with the next one', async () => {
    let answer: (found: { points: CallPoints; proposals: [] }) => void = () => undefined
    vi.spyOn(api, 'points').mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)))
    const store = usePoints()
    store.turnTo('c1')
    await vi.advanceTimersByTimeAsync(0)
    store.turnTo('c2')
    answer({ points: POINTS, proposals: [] })
    await nextTick()
    expect(store.points).toBeNull()
  })

  it('is shown with what it rests on: a click asks for the utterance', async () => {
    const view = mount(PointsCard, { props: { points: POINTS.points }, global })
    const shown = view.findAll('[data-testid="point"]')
    expect(shown.map((one) => one.text())).toEqual(['投诉', '消费维权', '人民路260号'])
    expect(shown[0]?.attributes('title')).toBe('把握 80%，依据：cue:complaint')
    await shown[2]?.trigger('click')
    expect(view.emitted('show')).toEqual([['caller:3']])
  })
})

describe('what is offered to the draft', () => {
  async function offered(fields = {}): Promise<ReturnType<typeof mount>> {
    vi.spyOn(api, 'points').mockResolvedValue({ points: POINTS, proposals: OFFERS })
    vi.spyOn(api, 'saveDraft').mockResolvedValue(draft(1))
    const order = useDraft()
    order.turnTo('c1')
    order.takeIn(draft(0, fields))
    usePoints().turnTo('c1')
    await vi.advanceTimersByTimeAsync(0)
    return mount(DraftProposals, { props: { more: ['price'] }, global })
  }
  const texts = (view: ReturnType<typeof mount>): string[] =>
    view.findAll('[data-testid="proposal"]').map((one) => one.text())

  it('is only for fields that say nothing and that nobody touched', async () => {
    const view = await offered({ address: '解放路' })
    expect(texts(view)).toEqual(['类型：投诉', '标题：消费维权', '金额：三千元', '加急'])
    useDraft().edit({ title: '我写的' })
    useDraft().edit({ title: '' })
    await nextTick()
    expect(texts(view)).toEqual(['类型：投诉', '金额：三千元', '加急'])
    await view.setProps({ more: [] })
    expect(texts(view)).toEqual(['类型：投诉', '加急'])
  })

  it('goes into the draft by a click, one or all, and never by itself', async () => {
    const view = await offered({ address: '解放路' })
    expect(useDraft().dirty).toBe(false)
    await view.find('[data-field="title"]').trigger('click')
    expect(useDraft().fields).toMatchObject({ title: '消费维权', request_type: null })
    await view.find('[data-testid="proposal-all"]').trigger('click')
    expect(useDraft().fields).toMatchObject({
      address: '解放路',
      request_type: 'complaint',
      price: '三千元',
      urgent: true,
    })
    expect(texts(view)).toEqual([])
  })
})

import { mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'

import { api, ApiError } from '@/api/client'
import type { CallView, ServerFrame } from '@/api/types'
import ControlBar from '@/components/ControlBar.vue'
import { i18n } from '@/i18n'
import { localNowMs } from '@/live/clock'
import { reduce } from '@/live/reducer'
import { useLive } from '@/stores/live'
import { useSession } from '@/stores/session'

import { agent, at, call, me, site, snapshot, T0, welcome } from './samples'

const global = { plugins: [i18n] }
let bar: VueWrapper
let note: HTMLTextAreaElement

const talk = (change: Partial<CallView> = {}): CallView =>
  call({ answered_at: T0, agent: 'a1001', recording: 'on', ...change })

function receive(...frames: readonly ServerFrame[]): void {
  const store = useLive()
  for (const frame of frames) store.state = reduce(store.state, frame, localNowMs())
}

async function open(view: CallView, seat = agent({ state: 'talking', call_id: 'c1' })): Promise<void> {
  useSession().me = me({ agent: seat })
  receive(welcome(), snapshot(0, { calls: [view], agents: [seat] }))
  bar = mount(ControlBar, { global, attachTo: document.body })
  await nextTick()
}

async function press(key: string): Promise<void> {
  const target = document.activeElement ?? document.body
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  await nextTick()
  await nextTick()
}

const strip = () => bar.find('[data-testid=emergency]')
const toasts = (): string => document.querySelector('.el-message')?.textContent ?? ''

beforeEach(() => {
  setActivePinia(createPinia())
  useSession().site = site()
  note = document.body.appendChild(document.createElement('textarea'))
})

afterEach(() => {
  bar.unmount()
  document.body.replaceChildren()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('the emergency strip', () => {
  it('is there at once and dials with one digit', async () => {
    const called = vi.spyOn(api, 'emergency').mockResolvedValue(talk())
    await open(talk())
    await press('F6')
    expect(strip().text()).toContain('急救')
    await press('3')
    expect(called.mock.calls).toEqual([['c1', '120']])
    await vi.waitFor(() => expect(strip().exists()).toBe(false))
  })

  it('never dials what is typed into a field, until F6 is pressed once more', async () => {
    const called = vi.spyOn(api, 'emergency').mockResolvedValue(talk())
    await open(talk())
    note.focus()
    await press('F6')
    await press('3')
    expect([strip().attributes('data-armed'), document.activeElement === note]).toEqual(['false', true])
    expect(called).not.toHaveBeenCalled()
    await press('F6')
    expect(strip().attributes('data-armed')).toBe('true')
    await press('3')
    expect(called.mock.calls).toEqual([['c1', '120']])
  })

  it('goes away by itself, and at Escape', async () => {
    await open(talk())
    vi.useFakeTimers()
    await press('F6')
    vi.advanceTimersByTime(11_000)
    await nextTick()
    expect(strip().exists()).toBe(false)
    await press('F6')
    await press('Escape')
    expect(strip().exists()).toBe(false)
  })

  it('says that a call failed, and stays', async () => {
    vi.spyOn(api, 'emergency').mockRejectedValue(new ApiError(409, 'nobody_outside', ''))
    await open(talk())
    await press('F6')
    await press('1')
    await vi.waitFor(() => expect(toasts()).toContain('没有配置外线'))
    expect(strip().exists()).toBe(true)
  })
})

describe('a three-way talk', () => {
  const three = talk({ consult: { target: '1002', state: 'three_way' }, parties: ['a1002'] })

  it('tells who joined it that the caller hears, and offers to leave, nothing that cannot work', async () => {
    const seat = agent({ agent: 'a1002', extension: '1002', state: 'ready' })
    await open({ ...three }, seat)
    const notice = bar.find('[data-testid=notice-asked]')
    expect(notice.text()).toContain('陈晓梅')
    expect(notice.text()).not.toContain('听不到')
    expect(notice.findAll('button').map((one) => one.text())).toEqual(['我退出Alt+G'])
    expect(bar.find('[data-testid=control-hangup]').text()).toContain('离开三方')
  })

  it('lets who began it ask the third out, or leave', async () => {
    const asked = vi.spyOn(api, 'onCall').mockResolvedValue(talk())
    await open(three)
    expect(bar.find('[data-testid=notice-consult]').text()).toContain('王立国 1002')
    expect(bar.find('[data-testid=control-complete]').exists()).toBe(false)
    await bar.find('[data-testid=control-drop]').trigger('click')
    expect(asked.mock.calls).toEqual([['c1', 'three-way/drop']])
  })
})

describe('the recording', () => {
  it('counts down to the end of its pause, and a pause that ended by itself is told', async () => {
    await open(talk())
    receive({ type: 'live', data: { ...pausedLive() } })
    await nextTick()
    expect(bar.find('[data-testid=notice-recording]').text()).toContain('1:00')
    receive(snapshot(1, { calls: [talk()], agents: [agent({ state: 'talking', call_id: 'c1' })] }))
    await vi.waitFor(() => expect(toasts()).toContain('录音已自动恢复'))
  })
})

function pausedLive() {
  const calls = [talk({ recording: 'paused', recording_paused_until: at(60) })]
  return {
    at: T0,
    link_up: true,
    calls,
    waiting: [],
    agents: [agent({ state: 'talking', call_id: 'c1' })],
  } as const
}

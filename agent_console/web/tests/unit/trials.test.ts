import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { api } from '@/api/client'
import type { TestCall, TrialMarks, TrialsNow } from '@/api/trials'
import TrialSheet from '@/components/trials/TrialSheet.vue'
import { i18n } from '@/i18n'
import { useTrials } from '@/stores/trials'
import {
  asExpected,
  diallable,
  levelOf,
  menuSeconds,
  pointsOf,
  reachedSeconds,
  readSheet,
  speedOf,
  typedOf,
} from '@/trials'

const FULL = { menu: 10, answering: 10, manner: 40, knowledge: 30, call_back: 10 }
const BLANK: TrialMarks = {
  menu: null,
  answering: null,
  manner: null,
  knowledge: null,
  call_back: null,
  note: '',
  person_seconds: null,
}
const call = (rest: Partial<TestCall> = {}): TestCall => ({
  trial_id: '20261102010000-00000000',
  order: { name: '市场监管', number: '12315', unit: '湘乡市', line: '12315', via: '' },
  began_at: '2026-11-02T01:00:00Z',
  result: 'answered',
  status: 200,
  answer_seconds: 3.2,
  sound_seconds: 0.4,
  spoken_seconds: 42,
  level_dbfs: -18.2,
  silent_share: 0.2,
  keys: '1@3.2 0@7.5',
  call_id: null,
  person_seconds: null,
  agent: null,
  reached_line: null,
  text: '您好',
  has_sound: true,
  marks: BLANK,
  marked_by: '',
  ...rest,
})

beforeEach(() => {
  setActivePinia(createPinia())
  vi.restoreAllMocks()
})

describe('a listener’s sheet', () => {
  it('is read as typed: nothing is not marked, what is beyond full marks is wrong', () => {
    const typed = { ...typedOf(BLANK), menu: '9.5', manner: ' 40 ', person_seconds: '12.3', note: ' 耐心 ' }
    const read = readSheet(typed, FULL, 42)
    expect(read.wrong).toEqual([])
    expect(read.marks).toEqual({ ...BLANK, menu: 9.5, manner: 40, person_seconds: 12.3, note: '耐心' })
    const wrong = { ...typed, menu: '11', knowledge: 'x', call_back: '-1', person_seconds: '43' }
    expect(readSheet(wrong, FULL, 42).wrong).toEqual(['menu', 'knowledge', 'call_back', 'person_seconds'])
  })

  it('adds up what is marked and says whether all is', () => {
    expect(pointsOf(BLANK)).toEqual({ points: null, whole: false })
    expect(pointsOf({ ...BLANK, menu: 9.5, manner: 0 })).toEqual({ points: 9.5, whole: false })
    const all = { ...BLANK, menu: 10, answering: 10, manner: 37.5, knowledge: 24.75, call_back: 10 }
    expect(pointsOf(all)).toEqual({ points: 92.25, whole: true })
  })

  it('saves what was typed, and nothing that is wrong', async () => {
    const sheet = mount(TrialSheet, {
      props: { call: call(), full: FULL, saving: false },
      global: { plugins: [i18n] },
    })
    const save = sheet.get('[data-testid="mark-save"]')
    expect(save.attributes('disabled')).toBeDefined()
    await sheet.get('[data-testid="mark-menu"]').setValue('12')
    expect(save.attributes('disabled')).toBeDefined()
    await sheet.get('[data-testid="mark-menu"]').setValue('9')
    await sheet.get('[data-testid="mark-person"]').setValue('8.5')
    await save.trigger('click')
    expect(sheet.emitted('save')).toEqual([[{ ...BLANK, menu: 9, person_seconds: 8.5 }]])
    await sheet.setProps({
      call: call({ marks: { ...BLANK, menu: 9, person_seconds: 8.5 }, marked_by: 'boss' }),
    })
    expect(sheet.get('[data-testid="trial-reached"]').text()).toContain('11.7')
    expect(sheet.emitted('dirty')?.at(-1)).toEqual([false])
  })
})

describe('what is known of a test call', () => {
  it('goes by the listener’s word on the person before the ledger’s', () => {
    expect(reachedSeconds(call())).toBeNull()
    expect(reachedSeconds(call({ person_seconds: 40 }))).toBeCloseTo(43.2)
    const heard = call({ person_seconds: 40, marks: { ...BLANK, person_seconds: 0 } })
    expect(reachedSeconds(heard)).toBeCloseTo(3.2)
  })

  it('says whether the line that ought to did answer, only where that is known', () => {
    expect(asExpected(call())).toBeNull()
    expect(asExpected(call({ reached_line: '12333' }))).toBe(false)
    expect(asExpected(call({ reached_line: '12315' }))).toBe(true)
  })

  it('has a menu as long as it took to press through it', () => {
    expect(menuSeconds(call())).toBe(7.5)
    expect(menuSeconds(call({ keys: '' }))).toBeNull()
  })

  it('is quick up to 15 s and criticised from 28 s on; speech has a level one can hear', () => {
    expect([null, 15, 15.1, 28].map(speedOf)).toEqual([null, 'good', 'slow', 'bad'])
    expect([null, -40, -20, -5].map(levelOf)).toEqual([null, 'faint', 'fine', 'loud'])
    expect(['12345', '+8612345', '12a', ''].map(diallable)).toEqual([true, true, false, false])
  })
})

describe('the list', () => {
  it('is asked for again soon while a test call goes on', async () => {
    vi.useFakeTimers()
    const now: TrialsNow = { plans: [], dialling: call().order, full_marks: FULL, shown_as: '1' }
    const asked = vi.spyOn(api, 'trialsNow').mockResolvedValueOnce(now)
    asked.mockResolvedValue({ ...now, dialling: null })
    const listed = vi.spyOn(api, 'testCalls').mockResolvedValueOnce({ test_calls: [] })
    listed.mockResolvedValue({ test_calls: [call()] })
    vi.spyOn(api, 'trialSums').mockResolvedValue({ sums: [] })
    const trials = useTrials()
    await trials.look({}, 'unit')
    expect(trials.calls).toEqual([])
    await vi.advanceTimersByTimeAsync(2_000)
    await flushPromises()
    expect(trials.calls).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toHaveBeenCalledTimes(2)
    trials.close()
    vi.useRealTimers()
  })
})

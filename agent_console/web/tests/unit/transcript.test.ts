import { describe, expect, it } from 'vitest'

import type { SegmentTail } from '@/api/types'
import {
  closed,
  EMPTY_TRANSCRIPT,
  hasMasked,
  shown,
  transcriptOf,
  withEngineChanged,
  withLegLost,
  withLegTapped,
  withSegment,
  withTail,
  type Transcript,
} from '@/live/transcript'

import { at, segment, T0 } from './samples'

const caller = { side: 'caller', party: '' } as const
const agent = { side: 'agent', party: '' } as const
const texts = (transcript: Transcript): string[] =>
  shown(transcript).map((item) => (item.kind === 'utterance' ? item.text : `[${item.side}]`))

describe('the text of a call', () => {
  it('turns partial text into final text in the same place', () => {
    const partial = transcriptOf([
      segment({ text: '路' }),
      segment({ side: 'agent', text: '您好', start_seconds: 3 }),
    ])
    const final = withSegment(partial, segment({ revision: 4, text: '路灯坏了', final: true }))
    expect(texts(final)).toEqual(['路灯坏了', '您好'])
    expect(final.items[0]).toMatchObject({ key: partial.items[0]?.key, final: true })
  })

  it('shows hidden numbers once the call is at the own seat, and goes on showing them', () => {
    const hidden = segment({ revision: 3, text: '电话***', written: '电话***', final: true })
    const whole = { ...hidden, text: '电话一三八', written: '电话138' }
    const masked = transcriptOf([hidden])
    expect(hasMasked(masked)).toBe(true)
    const own = withSegment(masked, whole)
    expect(texts(own)).toEqual(['电话一三八'])
    expect(hasMasked(own)).toBe(false)
    expect(withSegment(own, hidden)).toBe(own)
  })

  it('ignores repeats and older revisions', () => {
    const now = transcriptOf([segment({ revision: 3, text: '路灯不亮' })])
    expect(withSegment(now, segment({ revision: 3, text: '路灯不亮' }))).toBe(now)
    expect(withSegment(now, segment({ revision: 2, text: '路灯' }))).toBe(now)
  })

  it('never lets a partial text replace a final one', () => {
    const final = transcriptOf([segment({ revision: 2, text: '路灯不亮。', final: true })])
    expect(withSegment(final, segment({ revision: 9, text: '路' }))).toBe(final)
  })

  it('takes a final text whatever its revision', () => {
    const partial = transcriptOf([segment({ revision: 5, text: '路灯不' })])
    const final = withSegment(partial, segment({ revision: 5, text: '路灯不亮。', final: true }))
    expect(texts(final)).toEqual(['路灯不亮。'])
  })

  it('puts what was said earlier before what was said later, however late it comes', () => {
    const transcript = transcriptOf([
      segment({ side: 'agent', text: '第二', start_seconds: 5 }),
      segment({ text: '第一', start_seconds: 2 }),
      segment({ side: 'agent', utterance: 2, text: '第三', start_seconds: 5 }),
    ])
    expect(texts(transcript)).toEqual(['第一', '第二', '第三'])
  })

  it('does not move a text whose start is corrected', () => {
    const before = transcriptOf([
      segment({ text: '甲', start_seconds: 2 }),
      segment({ side: 'agent', text: '乙', start_seconds: 3 }),
    ])
    const after = withSegment(before, segment({ text: '甲甲', revision: 2, start_seconds: 4 }))
    expect(texts(after)).toEqual(['甲甲', '乙'])
  })

  it('keeps utterances of the two sides apart that bear the same number', () => {
    expect(texts(transcriptOf([segment({ text: '问' }), segment({ side: 'agent', text: '答' })]))).toEqual([
      '问',
      '答',
    ])
  })

  it('hides an utterance that turned out to be nothing, for good', () => {
    const noise = transcriptOf([segment(), segment({ revision: 2, text: '', final: true })])
    expect(texts(noise)).toEqual([])
    expect(texts(withSegment(noise, segment({ revision: 3, text: '嗯' })))).toEqual([])
  })
})

describe('what is new of a partial text', () => {
  const tail = (change: Partial<SegmentTail>): SegmentTail => ({
    call_id: 'c1',
    at: T0,
    side: 'caller',
    utterance: 1,
    revision: 2,
    keep: 2,
    tail: '坏了',
    end_seconds: 3,
    ...change,
  })

  it('goes on where the text before it stays', () => {
    const before = transcriptOf([segment({ text: '路灯部' })])
    const after = withTail(before, tail({}))
    expect(after.items[0]).toMatchObject({ text: '路灯坏了', written: '路灯坏了', kept: 2, revision: 2 })
    expect(texts(withTail(after, tail({ revision: 3, keep: 4, tail: '一年' })))).toEqual(['路灯坏了一年'])
  })

  it('counts characters as Unicode does', () => {
    const before = transcriptOf([segment({ text: '𠮷野家' })])
    expect(texts(withTail(before, tail({ keep: 1, tail: '祥' })))).toEqual(['𠮷祥'])
  })

  it('changes nothing of a text that is newer, final, or not there', () => {
    const newer = transcriptOf([segment({ text: '路灯', revision: 2 })])
    expect(withTail(newer, tail({}))).toBe(newer)
    const older = transcriptOf([segment({ text: '路灯', revision: 1 })])
    expect(withTail(older, tail({ revision: 3 }))).toBe(older)
    const final = transcriptOf([segment({ text: '路灯', final: true })])
    expect(withTail(final, tail({}))).toBe(final)
    expect(withTail(EMPTY_TRANSCRIPT, tail({}))).toBe(EMPTY_TRANSCRIPT)
  })

  it('is replaced by the final text, heard and written', () => {
    const partial = withTail(transcriptOf([segment({ text: '三百' })]), tail({ keep: 2, tail: '元' }))
    const final = withSegment(
      partial,
      segment({ revision: 3, text: '三百元', written: '300元。', final: true }),
    )
    expect(final.items[0]).toMatchObject({ text: '三百元', written: '300元。', final: true })
  })
})

describe('a leg that is lost', () => {
  const heard = transcriptOf([
    segment({ text: '你好', start_seconds: 1 }),
    segment({ side: 'agent', text: '请讲', start_seconds: 2 }),
  ])

  it('leaves a gap after what was heard, and ends the typing of that side only', () => {
    const lost = withLegLost(heard, caller, at(6), T0)
    expect(texts(lost)).toEqual(['你好', '请讲', '[caller]'])
    expect(lost.items[0]).toMatchObject({ interrupted: true })
    expect(lost.items[1]).toMatchObject({ interrupted: false })
  })

  it('is one voice of a side: the other who speaks there goes on', () => {
    const both = transcriptOf([
      segment({ side: 'agent', party: 'a1001', text: '您好' }),
      segment({ side: 'agent', party: '110', utterance: 2, text: '这里是', start_seconds: 3 }),
    ])
    const lost = withLegLost(both, { side: 'agent', party: '110' }, at(6), T0)
    expect(lost.items.map((item) => item.kind === 'utterance' && item.interrupted)).toEqual([
      false,
      true,
      false,
    ])
    expect(withLegTapped(lost, { side: 'agent', party: 'a1001' }, at(9))).toBe(lost)
    expect(withLegTapped(lost, { side: 'agent', party: '110' }, at(9)).items.at(-1)).toMatchObject({
      until: at(9),
    })
  })

  it('is told once, however often it is said', () => {
    const lost = withLegLost(heard, caller, at(6), T0)
    expect(withLegLost(lost, caller, at(6), T0)).toBe(lost)
  })

  it('closes its gap when the side is heard again, and text goes on after it', () => {
    const again = withLegTapped(withLegLost(heard, caller, at(6), T0), caller, at(9))
    expect(again.items.at(-1)).toMatchObject({ from: at(6), until: at(9) })
    const more = withSegment(again, segment({ utterance: 2, text: '喂', start_seconds: 10 }))
    expect(texts(more)).toEqual(['你好', '请讲', '[caller]', '喂'])
  })

  it('never appears above text that was there already', () => {
    const lost = withLegLost(heard, agent, at(0.5), T0)
    expect(texts(lost)).toEqual(['你好', '请讲', '[agent]'])
    expect(texts(withLegLost(heard, agent, at(6), null))).toEqual(['你好', '请讲', '[agent]'])
  })

  it('lets the last words before it become final in their place', () => {
    const lost = withLegLost(heard, caller, at(6), T0)
    const late = withSegment(lost, segment({ revision: 2, text: '你好啊', final: true }))
    expect(texts(late)).toEqual(['你好啊', '请讲', '[caller]'])
    expect(late.items[0]).toMatchObject({ final: true, interrupted: false })
  })

  it('means nothing when a side is heard for the first time', () => {
    expect(withLegTapped(EMPTY_TRANSCRIPT, caller, T0)).toBe(EMPTY_TRANSCRIPT)
  })
})

describe('another engine', () => {
  it('is a line after what was read, once; the open text goes on in its place', () => {
    const open = transcriptOf([segment({ text: '我想', start_seconds: 3 })])
    const changed = withEngineChanged(open, caller, at(2), T0)
    expect(texts(changed)).toEqual(['我想', '[caller]'])
    expect(withEngineChanged(changed, caller, at(2), T0)).toBe(changed)
    const heardAgain = withSegment(changed, segment({ revision: 2, text: '我想咨询', final: true }))
    expect(texts(heardAgain)).toEqual(['我想咨询', '[caller]'])
    expect(heardAgain.items[0]).toMatchObject({ interrupted: false })
  })
})

describe('the end of a call', () => {
  it('leaves nobody typing', () => {
    const over = closed(transcriptOf([segment(), segment({ side: 'agent', final: true })]))
    expect(over.items.map((item) => item.kind === 'utterance' && item.interrupted)).toEqual([true, false])
  })
})

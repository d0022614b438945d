import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { nextTick } from 'vue'

import TranscriptView from '@/components/TranscriptView.vue'
import { i18n } from '@/i18n'
import { transcriptOf } from '@/live/transcript'
import { useSession } from '@/stores/session'
import { asHeard, parts } from '@/wording'

import { segment, site } from './samples'

describe('keywords', () => {
  it('cut a text where they begin and end, the longer of two first', () => {
    expect(parts('我要退款不是退货', ['退', '退款'])).toEqual([
      { text: '我要', marked: false },
      { text: '退款', marked: true },
      { text: '不是', marked: false },
      { text: '退', marked: true },
      { text: '货', marked: false },
    ])
    expect(parts('', ['退款'])).toEqual([])
    expect(parts('您好', [])).toEqual([{ text: '您好', marked: false }])
  })
})

describe('the text of a call on the page', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    useSession().site = site()
    asHeard.value = false
  })

  const view = (line: string) =>
    mount(TranscriptView, {
      global: { plugins: [i18n] },
      props: {
        transcript: transcriptOf([
          segment({ text: '退款三百元', written: '退款300元。', final: true }),
          segment({ utterance: 2, text: '还没到', start_seconds: 5 }),
        ]),
        callId: 'c1',
        line,
        live: true,
        follow: false,
        empty: '',
      },
    })
  const shown = (page: ReturnType<typeof view>): string[] =>
    page.findAll('[data-testid=segment]').map((one) => one.text())

  it('is as written, and as heard for who wants it', async () => {
    const page = view('12345')
    expect(shown(page)).toEqual(['退款300元。', '还没到'])
    await page.get('[data-testid=as-heard]').trigger('click')
    await nextTick()
    expect(shown(page)).toEqual(['退款三百元', '还没到'])
  })

  it('has the keywords of its own line marked', () => {
    expect(
      view('12315')
        .findAll('[data-testid=keyword]')
        .map((one) => one.text()),
    ).toEqual(['退款'])
    expect(view('12345').findAll('[data-testid=keyword]')).toEqual([])
  })
})

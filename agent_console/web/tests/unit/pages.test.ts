import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'

import MenuPath from '@/components/MenuPath.vue'
import { api } from '@/api/client'
import ActionMenu from '@/components/ActionMenu.vue'
import CallFilters from '@/components/CallFilters.vue'
import EarlierCalls from '@/components/EarlierCalls.vue'
import PastDraft from '@/components/PastDraft.vue'
import SpokenLanguage from '@/components/SpokenLanguage.vue'
import TranscriptView from '@/components/TranscriptView.vue'
import LineTiles from '@/components/board/LineTiles.vue'
import { lineRows } from '@/board'
import { useTimeZone } from '@/format'
import { i18n } from '@/i18n'
import { en } from '@/i18n/en'
import { zhCN } from '@/i18n/zh-CN'
import { transcriptOf, withEngineChanged, withLegLost, withSegment } from '@/live/transcript'
import { useSession } from '@/stores/session'

import { draft, figures, lineFigures, me, segment, site, T0 } from './samples'

const global = { plugins: [i18n] }

beforeEach(() => {
  setActivePinia(createPinia())
  useSession().site = site()
})

afterEach(() => vi.restoreAllMocks())

describe('the draft of a past call', () => {
  it('is read as far as it says something, in the words of the page', () => {
    const fields = { title: '预付卡不退', sex: 'female', request_type: 'complaint', urgent: true } as const
    const view = mount(PastDraft, { props: { draft: draft(2, fields) }, global })
    expect(view.findAll('dd').map((one) => one.text())).toEqual(['女士', '3 投诉', '预付卡不退', '加急'])
    expect(mount(PastDraft, { props: { draft: draft(0) }, global }).text()).toBe('')
  })
})

describe('the language of a caller', () => {
  it('is said where it is not the one spoken here', () => {
    const shown = (language: string): string => mount(SpokenLanguage, { props: { language }, global }).text()
    expect([shown('en'), shown('zh-CN'), shown('')]).toEqual(['来电人讲英语', '', ''])
  })
})

describe('the transcript on the page', () => {
  const props = { callId: 'c1', live: true, follow: true, empty: '没有' }

  it('shows who spoke, what, and whether it is still being heard', async () => {
    const transcript = transcriptOf([
      segment({ text: '<b>路灯</b>' }),
      segment({ side: 'agent', text: '好', final: true }),
    ])
    const view = mount(TranscriptView, { props: { ...props, transcript }, global })
    const said = (): unknown[] =>
      view
        .findAll('[data-testid=segment]')
        .map((one) => [
          one.attributes('data-side'),
          one.attributes('data-final'),
          one.attributes('data-typing'),
          one.text(),
        ])
    expect(said()).toEqual([
      ['caller', 'false', 'true', '<b>路灯</b>'],
      ['agent', 'true', 'false', '好'],
    ])
    const before = view.find('[data-testid=segment]').element
    await view.setProps({
      transcript: withSegment(transcript, segment({ revision: 2, text: '路灯坏了', final: true })),
    })
    expect(said()[0]).toEqual(['caller', 'true', 'false', '路灯坏了'])
    expect(view.find('[data-testid=segment]').element).toBe(before)
  })

  it('names each of several who speak on one side', () => {
    const transcript = transcriptOf([
      segment({ side: 'agent', party: 'a1002', text: '您好', final: true }),
      segment({ side: 'agent', party: '110', utterance: 2, text: '请讲', final: true, start_seconds: 3 }),
      segment({ text: '谢谢', final: true, start_seconds: 5 }),
    ])
    const view = mount(TranscriptView, { props: { ...props, transcript }, global })
    expect(view.findAll('.who').map((one) => one.text())).toEqual(['坐席 王立国', '坐席 110', '来电人'])
  })

  it('marks where a side was not heard', () => {
    const transcript = withLegLost(transcriptOf([segment()]), { side: 'caller', party: '' }, T0, T0)
    const view = mount(TranscriptView, { props: { ...props, transcript }, global })
    expect(view.find('[data-testid=gap]').text()).toContain('来电人一侧')
    expect(view.find('[data-testid=segment]').attributes('data-typing')).toBe('false')
  })

  it('says that another engine took over in a thin line', () => {
    const transcript = withEngineChanged(transcriptOf([segment()]), { side: 'caller', party: '' }, T0, T0)
    const view = mount(TranscriptView, { props: { ...props, transcript }, global })
    expect(view.find('[data-testid=engine-changed]').text()).toBe('来电人：识别引擎已切换')
    expect(view.find('[data-testid=segment]').attributes('data-typing')).toBe('true')
  })

  it('says so when there is nothing', () => {
    const view = mount(TranscriptView, { props: { ...props, transcript: { items: [] } }, global })
    expect(view.text()).toBe('没有')
  })
})

describe('a menu, such as that of breaks', () => {
  const props = {
    label: '小休',
    heading: '小休原因',
    hint: 'F9',
    items: [
      { id: '小休', text: '小休' },
      { id: '用餐', text: '用餐' },
      { id: '培训', text: '培训' },
      { id: '会议', text: '会议', reason: '现在不行' },
    ],
  }
  const open = async () => {
    const menu = mount(ActionMenu, {
      props,
      attrs: { 'data-testid': 'pause' },
      global,
      attachTo: document.body,
    })
    await menu.find('[data-testid=pause]').trigger('click')
    await nextTick()
    return menu
  }

  it('is chosen from by mouse, by digit and by arrows', async () => {
    const menu = await open()
    await menu.findAll('[data-testid=menu-item]')[1]?.trigger('click')
    await menu.find('[data-testid=pause]').trigger('click')
    await menu.find('[role=menu]').trigger('keydown', { key: '3' })
    expect(menu.emitted('choose')).toEqual([['用餐'], ['培训']])
    await menu.find('[data-testid=pause]').trigger('click')
    await nextTick()
    await menu.find('[role=menu]').trigger('keydown', { key: 'ArrowUp' })
    expect(document.activeElement?.getAttribute('data-item')).toBe('会议')
    menu.unmount()
  })

  it('stays as it was opened: what is no longer possible is marked, nothing takes its place', async () => {
    const menu = await open()
    await menu.setProps({ items: [{ id: '强插', text: '强插' }, ...props.items.slice(1)] })
    await menu.find('[role=menu]').trigger('keydown', { key: '1' })
    expect(menu.emitted('choose')).toBeUndefined()
    expect(menu.findAll('[data-testid=menu-item]').map((one) => one.attributes('data-item'))).toEqual([
      '小休',
      '用餐',
      '培训',
      '会议',
    ])
    await menu.find('[role=menu]').trigger('keydown', { key: '2' })
    expect(menu.emitted('choose')).toEqual([['用餐']])
    menu.unmount()
  })

  it('says why something cannot be chosen, and does not choose it', async () => {
    const menu = await open()
    await menu.find('[role=menu]').trigger('keydown', { key: '4' })
    expect(menu.find('[data-item=会议]').text()).toContain('现在不行')
    expect(menu.emitted('choose')).toBeUndefined()
    menu.unmount()
  })

  it('closes on Escape without choosing, and gives the focus back', async () => {
    const menu = await open()
    await menu.find('[role=menu]').trigger('keydown', { key: 'Escape' })
    expect(menu.find('[role=menu]').exists()).toBe(false)
    expect(document.activeElement?.getAttribute('data-testid')).toBe('pause')
    expect(menu.emitted('choose')).toBeUndefined()
    menu.unmount()
  })
})

describe('the earlier calls of a caller', () => {
  it('are shown with who spoke and what was noted, and never those of the call before', async () => {
    const call = { ...pastCall, agent: 'a1002', outcome: 'abandoned' as const }
    const note = { call_id: 'c0', at: T0, user: 'wang', name: '王立国', text: '已报修' }
    const asked = vi.spyOn(api, 'earlier').mockResolvedValue({ calls: [{ call, notes: [note] }] })
    const card = mount(EarlierCalls, { props: { callId: 'c1' }, global })
    await flushPromises()
    const text = card.find('[data-testid=earlier-call]').text()
    for (const part of ['排队放弃', '王立国', '已报修']) expect(text).toContain(part)
    asked.mockReturnValue(new Promise(() => undefined))
    await card.setProps({ callId: 'c2' })
    expect(card.findAll('[data-testid=earlier-call]')).toHaveLength(0)
  })
})

const pastCall = {
  call_id: 'c0',
  line: '12345',
  did: '12345',
  caller_number: '138****1234',
  menu_path: [],
  started_at: T0,
  wait_seconds: 3,
  talk_seconds: null,
  has_recording: false,
  callback_of: null,
  callback_outcome: null,
  survey: null,
  answer: null,
  language: '',
}

describe('filters of past calls', () => {
  it('give whole days of the hotline, and no number that is none', async () => {
    useTimeZone('Asia/Shanghai')
    useSession().me = me({ role: 'supervisor' })
    const filters = mount(CallFilters, { global })
    await filters.find('[data-testid=filter-from]').setValue('2026-10-31')
    await filters.find('[data-testid=filter-to]').setValue('2026-10-31')
    await filters.find('[data-testid=filter-outcome]').setValue('abandoned')
    await filters.find('[data-testid=filter-number]').setValue('138****')
    await filters.find('form').trigger('submit')
    expect(filters.emitted('find')).toBeUndefined()
    await filters.find('[data-testid=filter-number]').setValue('13812341234')
    await filters.find('form').trigger('submit')
    expect(filters.emitted('find')).toEqual([
      [
        {
          since: '2026-10-30T16:00:00.000Z',
          until: '2026-10-31T16:00:00.000Z',
          outcome: 'abandoned',
          number: '13812341234',
        },
      ],
    ])
  })

  it('by agent and number are for supervisors', () => {
    useSession().me = me()
    const filters = mount(CallFilters, { global })
    expect(filters.find('[data-testid=filter-number]').exists()).toBe(false)
    expect(filters.find('[data-testid=filter-agent]').exists()).toBe(false)
  })
})

describe('small parts', () => {
  it('show the menu path step by step, or that there was none', () => {
    expect(
      mount(MenuPath, { props: { path: ['消费维权', '退费'] }, global })
        .findAll('li')
        .map((step) => step.text()),
    ).toEqual(['消费维权', '退费'])
    expect(mount(MenuPath, { props: { path: [] }, global }).text()).toBe('直通，未经菜单')
  })

  it('show a line without calls as dashes, not as zero per cent', () => {
    const rows = lineRows(site(), figures({ lines: [lineFigures({ line: '12315' })] }), [], 0)
    const table = mount(LineTiles, { props: { rows, withinSeconds: 15 }, global })
    const row = table.find('[data-testid=line-12315]')
    expect(row.find('[data-column=answer-rate]').text()).toBe('—')
    expect(row.find('[data-column=offered]').text()).toBe('0')
    expect(table.find('[data-testid=line-12345] [data-column=offered]').text()).toBe('—')
    table.unmount()
  })
})

describe('the languages', () => {
  const texts = (tree: object, path = ''): [string, string][] =>
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string'
        ? [[`${path}${key}`, value] as [string, string]]
        : texts(value, `${path}${key}.`),
    )

  it('name the same things in every text', () => {
    const names = (text: string): string[] =>
      [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()
    const english = new Map(texts(en))
    for (const [key, chinese] of texts(zhCN)) {
      expect([key, names(english.get(key) ?? '')]).toEqual([key, names(chinese)])
    }
  })

  it('are all used by the pages', async () => {
    const sources = import.meta.glob('../../src/**/*.{ts,vue}', {
      query: '?raw',
      import: 'default',
      eager: true,
    })
    const code = Object.entries(sources)
      .filter(([path]) => !path.includes('/i18n/'))
      .map(([, text]) => String(text))
      .join('\n')
    const computedKeys =
      /^(state|outcome|error|obstacle|control|nuisance|target|floor|audit|callback|survey\.said|notice\.consult|draft\.(sexOf|typeOf|warn)|points\.(typeOf|kindOf)|board\.level|board\.formula|figures\.(dimension|grains|shortcut|comparison|compareHint|then|charts|overlap|side|source|menu|talk|shows|folds)|reports\.(kinds|day|week|month|from|to|state|note)|trials\.(by|result|speed|levels|part)|transcript\.gapReasons|transcript\.(caller|agent)$)/
    const unused = texts(zhCN)
      .map(([key]) => key)
      .filter((key) => !computedKeys.test(key) && !code.includes(`'${key}'`))
    expect(unused).toEqual([])
  })
})

import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { api, asked } from '@/api/client'
import type { Explanation, FigureAnswer, FigurePoint, Measure, Series } from '@/api/figures'
import TodayFigure from '@/components/TodayFigure.vue'
import { i18n } from '@/i18n'
import { useSession } from '@/stores/session'

import { me } from './samples'
import { largest, overTime } from '@/figures/chart'
import { daysOf, grainsFor, SHORTCUTS, usualGrain } from '@/figures/period'
import { inTree, sortedRows, tableRows, thenCell, totalRow } from '@/figures/table'
import { grainOf, queryOf, questionOf, viewOf } from '@/figures/view'
import { meetsNorm, partName, periodsText, sumText } from '@/figures/words'
import { useTimeZone } from '@/format'
import { useExplain } from '@/stores/explain'
import { useFigures } from '@/stores/figures'

const RATE: Measure = {
  id: 'answer_rate',
  name: '接通率',
  name_en: 'answer rate',
  unit: 'percent',
  formula: '接听 / 离队',
  formula_en: 'answered / closed',
  remark: '',
  remark_en: '',
  better: 'higher',
  norm: 0.95,
  numerator: ['answered'],
  denominator: ['closed'],
  dimensions: ['line', 'agent'],
}

const point = (value: number | null, calls = 100): FigurePoint => ({
  start: '2026-11-01T16:00:00Z',
  end: '2026-11-02T16:00:00Z',
  figure: { numerator: calls, denominator: calls, value, text: `${value} %` },
  changes: {},
})
const group = (key: string, parent: string | null, value: number | null, calls = 100): Series => ({
  key,
  name: key,
  parent,
  points: [point(value, calls)],
})
const answer = (groups: readonly Series[] = []): FigureAnswer => ({
  measure: RATE,
  total: group('total', null, 93),
  groups,
})

beforeEach(() => {
  setActivePinia(createPinia())
  useTimeZone('Asia/Shanghai')
})
afterEach(() => vi.restoreAllMocks())

describe('a named period', () => {
  it('is days of the calendar up to today, weeks from Monday', () => {
    const days = Object.fromEntries(SHORTCUTS.map((one) => [one, Object.values(daysOf(one, '2026-03-01'))]))
    expect(days).toEqual({
      today: ['2026-03-01', '2026-03-01'],
      yesterday: ['2026-02-28', '2026-02-28'],
      this_week: ['2026-02-23', '2026-03-01'], // the first of March is a Sunday
      last_week: ['2026-02-16', '2026-02-22'],
      this_month: ['2026-03-01', '2026-03-01'],
      last_month: ['2026-02-01', '2026-02-28'],
      this_year: ['2026-01-01', '2026-03-01'],
    })
  })

  it('is cut into parts that can be told apart', () => {
    const day = { from: '2026-03-01', to: '2026-03-01' }
    const year = { from: '2026-01-01', to: '2026-12-31' }
    expect([usualGrain(day), usualGrain(year)]).toEqual(['hour', 'month'])
    expect(grainsFor(day)).toEqual(['quarter_hour', 'hour', 'day'])
    expect(grainsFor(year)).toEqual(['day', 'week', 'month', 'quarter'])
    const week = { from: '2026-11-02', to: '2026-11-08' }
    expect([grainsFor(week), grainsFor(week, 'skill')]).toEqual([['hour', 'day'], ['day']]) // rows are counted
  })
})

describe('the address of a view', () => {
  const TODAY = '2026-11-22'

  it('says all that is looked at, and is read back as the same', () => {
    const query = {
      ...{ measure: 'asa', by: 'agent', from: '2026-10-01', to: '2026-10-31', grain: 'week' },
      ...{ compare: ['before', 'year_before'], line: '12315', chart: 'bar', fold: 'sum' },
    }
    expect(queryOf(viewOf(query, TODAY))).toEqual(query)
  })

  it('that makes no sense is read as if it said nothing', () => {
    const view = viewOf({ by: 'weather', from: '2026-13-45', to: 'x', grain: 7, compare: 'never' }, TODAY)
    expect(view).toEqual(viewOf({}, TODAY))
    expect([view.measure, view.shortcut, view.days.from]).toEqual(['answer_rate', 'this_month', '2026-11-01'])
  })

  it('keeps the name of a period, so that it moves on with the calendar', () => {
    const query = queryOf(viewOf({ period: 'last_week' }, TODAY))
    expect(query).toEqual({ measure: 'answer_rate', period: 'last_week' })
    expect(viewOf(query, '2026-11-30').days).toEqual({ from: '2026-11-23', to: '2026-11-29' })
  })

  it('with a grain too fine for the period is cut as suits it', () => {
    expect(grainOf(viewOf({ period: 'this_year', grain: 'quarter_hour' }, TODAY))).toBe('month')
    expect(grainOf(viewOf({ grain: 'whole' }, TODAY))).toBeUndefined()
  })

  it('becomes a question with each comparison of its own', () => {
    const question = { measure: 'asa', from: '2026-11-01', to: '2026-11-02', only: { line: '12315' } }
    expect(asked({ ...question, compare: ['before', 'year_before'] })).toBe(
      'measure=asa&from=2026-11-01&to=2026-11-02&line=12315&compare=before&compare=year_before',
    )
  })
})

describe('a comparison', () => {
  const change = {
    ...{ start: '2026-09-30T16:00:00Z', end: '2026-10-22T06:30:00Z', until: '2026-11-22T06:30:00Z' },
    ...{ figure: point(90).figure, value: 3, text: '+3.00 个百分点' },
  }

  it('of a named period is with the one before it, also of 本年 in January', () => {
    const view = viewOf({ period: 'this_year', compare: 'before' }, '2026-01-15')
    expect(questionOf(view).part_of).toBe('year')
    expect(questionOf(viewOf({ from: '2026-01-01', to: '2026-01-15' }, '2026-01-15')).part_of).toBeUndefined()
  })

  it('says which two periods were compared, where the figure is explained', () => {
    expect(periodsText(change, '2026-10-31T16:00:00Z', 'zh-CN')).toBe(
      '2026/11/1 00:00 – 2026/11/22 14:30 ↔ 2026/10/1 00:00 – 2026/10/22 14:30',
    )
    vi.spyOn(api, 'explain').mockRejectedValue(new Error('no server'))
    const explain = useExplain()
    void explain.open({ measure: 'asa', from: '', to: '' }, { before: change })
    expect(explain.changes.before).toEqual(change)
    const cell = { ...point(93), only: { line: '12315' }, changes: { before: change } }
    expect(thenCell(cell, change)).toMatchObject({ start: change.start, only: cell.only, changes: {} })
  })
})

describe('figures as a table', () => {
  const lines = [group('gs', '12315', 90), group('12345', null, 96), group('12315', null, 91, 40)]

  it('has lines under those they belong to, each figure with what it takes to explain it', () => {
    expect(inTree(lines).map(({ series, depth }) => [series.key, depth])).toEqual([
      ['12345', 0],
      ['12315', 0],
      ['gs', 1],
    ])
    const rows = tableRows(answer(lines), answer(lines), 'line', { agent: 'a1' })
    expect(rows[2]?.cell.only).toEqual({ agent: 'a1', line: 'gs' })
    expect(rows[2]?.parts[0]).toEqual(rows[2]?.cell)
    expect(totalRow(answer(lines), null, {})?.cell.figure.value).toBe(93)
  })

  it('without groups has a row for each part of the period', () => {
    expect(tableRows(answer(), answer(), null, {}).map((row) => row.key)).toEqual(['2026-11-01T16:00:00Z'])
    expect(tableRows(answer(), null, null, {})).toEqual([])
  })

  it('can be sorted; what has no figure comes last', () => {
    const rows = tableRows(
      answer([group('a', null, 1), group('b', null, null), group('c', null, 3)]),
      null,
      'agent',
      {},
    )
    const keys = (direction: 'up' | 'down' | null): string =>
      sortedRows(rows, direction)
        .map((row) => row.key)
        .join('')
    expect([keys(null), keys('down'), keys('up')]).toEqual(['abc', 'cab', 'acb'])
  })

  it('is drawn as its largest groups, with the norm across', () => {
    const rows = tableRows(answer(lines), null, 'line', {})
    expect(largest(rows, 2).map((row) => row.key)).toEqual(['12345', 'gs'])
    const words = {
      ...{ norm: '达标线 95 %', now: '', value: String, rowName: () => '' },
      compare: { before: '', year_before: '' },
    }
    const drawn = overTime(RATE, ['一'], [{ name: '本期', values: [93], faint: false }], false, words)
    expect(drawn.yAxis).toMatchObject({ min: 80, max: 100 })
    expect(drawn.series).toMatchObject([{ data: [93], markLine: { data: [{ yAxis: 95 }] } }])
  })

  it('says what misses the norm, in whichever direction is better', () => {
    expect([meetsNorm(RATE, 95), meetsNorm(RATE, 94.99), meetsNorm(RATE, null)]).toEqual([true, false, null])
    const asa: Measure = { ...RATE, unit: 'seconds', norm: 15, better: 'lower' }
    expect([meetsNorm(asa, 15), meetsNorm(asa, 15.01)]).toEqual([true, false])
  })

  it('names parts in the hotline’s time, and sums of times in seconds', () => {
    const start = '2026-11-01T16:00:00Z'
    expect(partName(start, 'hour', true, 'zh-CN')).toBe('00:00')
    expect(partName(start, 'day', false, 'zh-CN')).toBe('11/2 周一')
    expect([sumText(34_001, true, 'zh-CN'), sumText(1234, false, 'zh-CN')]).toEqual(['34.0 s', '1,234'])
  })
})

describe('the figures that are looked at', () => {
  it('are those of the last view, even when an earlier one is answered later', async () => {
    vi.spyOn(api, 'measures').mockResolvedValue({ measures: [RATE] })
    const late: ((found: FigureAnswer) => void)[] = []
    vi.spyOn(api, 'figures').mockImplementation(
      (question) =>
        new Promise((resolve) => {
          if (question.measure === 'asa') late.push(resolve)
          else resolve(answer())
        }),
    )
    const figures = useFigures()
    const first = figures.look(viewOf({ measure: 'asa' }, '2026-11-22'))
    await vi.waitFor(() => expect(late).toHaveLength(2))
    await figures.look(viewOf({ measure: 'answer_rate' }, '2026-11-22'))
    late.forEach((resolve) => resolve(answer([group('late', null, 1)])))
    await first
    expect([figures.shown?.measure, figures.whole?.groups.length, figures.loading]).toEqual([
      'answer_rate',
      0,
      false,
    ])
  })
})

describe('a figure that is explained', () => {
  const row = (id: string): Explanation['rows'][number] => ({
    ...{ id, at: '2026-11-01T16:00:00Z', adds: 1, call_id: id, line: null, queue: null, language: null },
    ...{ agent: null, state: null, seconds: null, talk_seconds: null, caller_number: '' },
    ...{ until: null, imported_from: null, imported_at: null },
  })
  const told = (rows: readonly string[], after: string | null): Explanation => ({
    measure: RATE,
    question: { start: '', end: '', only: {} },
    figure: point(93).figure,
    numerator: [],
    denominator: [],
    side: 'numerator',
    rows: rows.map(row),
    after,
  })

  it('shows its rows page by page, and those of its other count', async () => {
    const ask = vi.spyOn(api, 'explain')
    ask.mockResolvedValueOnce(told(['c1', 'c2'], 'c2'))
    ask.mockResolvedValueOnce(told(['c3'], null))
    ask.mockResolvedValueOnce(told(['c9'], null))
    const explain = useExplain()
    await explain.open({ measure: 'answer_rate', from: '2026-11-01', to: '2026-11-01' })
    expect(explain.after).toBe('c2')
    await explain.more()
    expect(explain.rows.map((one) => one.id)).toEqual(['c1', 'c2', 'c3'])
    expect(ask.mock.lastCall?.slice(1)).toEqual(['numerator', 'c2'])
    await explain.choose('denominator')
    expect(explain.rows.map((one) => one.id)).toEqual(['c9'])
    expect(ask.mock.lastCall?.slice(1)).toEqual(['denominator', undefined])
    explain.close()
    expect([explain.question, explain.found]).toEqual([null, null])
  })
})

describe('a figure of today', () => {
  const shown = (role: 'agent' | 'supervisor'): ReturnType<typeof mount> => {
    useSession().me = { ...me(), role }
    const props = { measure: 'asa', only: { line: '12315' } }
    return mount(TodayFigure, { props, slots: { default: '8.3' }, global: { plugins: [i18n] } })
  }

  it('can be pressed by a supervisor to see what it rests on', async () => {
    const ask = vi.spyOn(api, 'explain').mockRejectedValue(new Error('no server'))
    await shown('supervisor').get('button').trigger('click')
    expect(ask.mock.lastCall?.[0]).toMatchObject({ measure: 'asa', only: { line: '12315' } })
    expect(ask.mock.lastCall?.[0].from).toMatch(/^\d{4}-\d\d-\d\d$/)
  })

  it('is plain text for an agent', () => {
    expect(shown('agent').html()).toBe('8.3')
  })
})

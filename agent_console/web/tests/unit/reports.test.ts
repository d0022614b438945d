import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { ApiError, api } from '@/api/client'
import type { ReportBlock, ReportContent, ReportHead } from '@/api/reports'
import { changesOf, chartOf, kept, kindOf, orderOf, usualPeriod, weekOf } from '@/reports'
import { useReports } from '@/stores/reports'

const text = (id: string, words: string, edited = false): ReportBlock => ({
  ...{ kind: 'text', id, text: words, level: 0, edited },
})
const HEAD: ReportHead = {
  name: 'by-hand',
  period: '2026-10',
  title: '10月运行情况通报',
  state: 'draft',
  made_at: '2026-11-02T01:00:00Z',
  final_by: null,
  final_at: null,
  disagreements: 0,
  formats: ['html', 'json'],
}
const content = (revision: string, blocks: readonly ReportBlock[]): ReportContent => ({
  head: HEAD,
  revision,
  issuer: '12345',
  period_text: '2026年10月',
  status: '未定稿',
  blocks,
  disagreements: [],
})
const BLOCKS = [text('p.phone', '共接听8通。'), text('p.topics', '热点是供水。')]

beforeEach(() => {
  setActivePinia(createPinia())
  vi.restoreAllMocks()
})

describe('what is typed over a report', () => {
  it('is a change only where it says something else, and never nothing', () => {
    const typed = { 'p.phone': '共接听8通。', 'p.topics': ' 热点为供水。 ', 'p.gone': 'x' }
    expect(changesOf(BLOCKS, typed)).toEqual({ 'p.topics': '热点为供水。' })
    expect(changesOf(BLOCKS, { 'p.phone': '  ' })).toEqual({})
  })

  it('is a remark on a row or a note, too, which may be taken away', () => {
    const row = (id: string, remark: string) => ({ id, cells: ['市城管局'], depth: 0, strong: false, remark })
    const table: ReportBlock = {
      ...{ kind: 'table', id: 't.units', title: '', columns: ['承办单位'], words: [true], source: '' },
      rows: [row('t.units/a', ''), row('t.units/b', '已整改')],
    }
    const note = (id: string, remark: string | null): ReportBlock => ({
      ...{ kind: 'note', id, text: '', tone: 'check', remark },
    })
    const blocks = [table, note('n.1', ''), note('n.2', null)]
    const typed = { 't.units/a': '本月新设', 't.units/b': ' ', 'n.1': '口径不同', 'n.2': 'x' }
    const changes = { 't.units/a': '本月新设', 't.units/b': null, 'n.1': '口径不同' }
    expect(changesOf(blocks, typed)).toEqual(changes)
  })

  it('stays where a colleague left the text alone', () => {
    const now = [text('p.phone', '共接听八通。', true), BLOCKS[1]!]
    expect(kept(BLOCKS, now, { 'p.phone': 'a', 'p.topics': 'b' })).toEqual({ 'p.topics': 'b' })
  })

  it('is not lost when a colleague was faster: theirs is shown, the rest stays typed', async () => {
    const first = content('1', BLOCKS)
    const theirs = content('2', [text('p.phone', '共接听八通。', true), BLOCKS[1]!])
    vi.spyOn(api, 'reportContent').mockResolvedValueOnce(first).mockResolvedValueOnce(theirs)
    vi.spyOn(api, 'editReport').mockRejectedValue(new ApiError(409, 'stale', ''))
    const reports = useReports()
    await reports.read('by-hand', '2026-10')
    reports.type('p.topics', '热点为供水。')
    await expect(reports.save()).rejects.toThrow(ApiError)
    expect(reports.content?.revision).toBe('2')
    expect(reports.changes).toEqual({ 'p.topics': '热点为供水。' })
  })
})

describe('which report is made', () => {
  it('is of the period that is over', () => {
    expect(usualPeriod('month', '2026-11-22')).toBe('2026-10')
    expect(usualPeriod('week', '2026-11-22')).toBe('2026-W46')
    expect(usualPeriod('day', '2026-11-01')).toBe('2026-10-31')
    expect([weekOf('2027-01-01'), weekOf('2026-01-01')]).toEqual(['2026-W53', '2026-W01'])
  })

  it('is told whole, or not at all', () => {
    const wanted = {
      what: 'topic',
      period: '2026-10',
      from: '2026-10-01',
      to: '2026-10-31',
      words: ' 停水 ',
      scores: 'units: []',
    } as const
    expect(orderOf(wanted, false)).toEqual({
      ...{ what: 'topic', period: '2026-10-01', last: '2026-10-31', words: '停水', again: false },
    })
    expect(orderOf({ ...wanted, words: ' ' }, false)).toBeNull()
    expect(orderOf({ ...wanted, to: '2026-09-30' }, false)).toBeNull()
    expect(orderOf({ ...wanted, what: 'month' }, true)).toEqual({
      what: 'month',
      period: '2026-10',
      again: true,
      scores: 'units: []',
    })
  })

  it('shows by its period what it is', () => {
    const named = ['2026-10', '2026-W41', '2026-10-05', 'topic-2026-10-01-2026-10-31-0a1b2c3d'].map(kindOf)
    expect(named).toEqual(['month', 'week', 'day', 'topic'])
  })
})

it('is shown once it is made', async () => {
  vi.useFakeTimers()
  const making = { name: 'by-hand', period: '2026-10', failed: null }
  vi.spyOn(api, 'makeReport').mockResolvedValue(making)
  const listed = vi.spyOn(api, 'reports').mockResolvedValueOnce({ reports: [], making })
  listed.mockResolvedValue({ reports: [HEAD], making: null })
  vi.spyOn(api, 'reportContent').mockResolvedValue(content('1', BLOCKS))
  const reports = useReports()
  await reports.make({ what: 'month', period: '2026-10' })
  expect(reports.making?.period).toBe('2026-10')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(reports.content?.revision).toBe('1')
  reports.close()
  vi.useRealTimers()
})

it('draws every label of a pie, and topics lying', () => {
  const chart = { kind: 'chart', id: 'c', title: '', labels: ['咨询', '求助'], unit: '件' } as const
  const series = [{ name: '件', values: [3, null] }]
  const pie = chartOf({ ...chart, shape: 'pie', series })
  expect(pie.series).toMatchObject([
    {
      data: [
        { name: '咨询', value: 3 },
        { name: '求助', value: 0 },
      ],
    },
  ])
  expect(chartOf({ ...chart, shape: 'bar', series }).yAxis).toMatchObject({ data: ['咨询', '求助'] })
  expect(chartOf({ ...chart, shape: 'line', series }).xAxis).toMatchObject({ data: ['咨询', '求助'] })
})

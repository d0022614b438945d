import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { api } from '@/api/client'
import type { Figure, Trend } from '@/api/figures'
import { useTrend } from '@/stores/trend'
import { barsOf, weekChange } from '@/trend'

const figure = (value: number | null, calls: number, text = `${value} %`): Figure => ({
  numerator: calls,
  denominator: calls,
  value,
  text,
})

beforeEach(() => setActivePinia(createPinia()))

describe('today beside the same day last week', () => {
  it('is told in points for rates and in percent for counts and times', () => {
    expect(weekChange('answer_rate', 89.78, figure(86.26, 131))).toEqual({
      ...{ then: '86.26%', by: '3.52', direction: 'up', good: true },
    })
    expect(weekChange('offered', 150, figure(200, 200, '200'))).toEqual({
      ...{ then: '200', by: '25%', direction: 'down', good: null },
    })
    expect(weekChange('asa', 9, figure(7.5, 120, '7.50 s'))).toMatchObject({ then: '7.5', good: false })
    expect(weekChange('within_rate', 80, figure(80, 100))).toMatchObject({ direction: 'same', good: null })
  })

  it('is not told of too few calls, or of none', () => {
    expect(weekChange('answer_rate', 50, figure(100, 19))).toBeNull()
    expect(weekChange('asa', null, figure(7.5, 120))).toBeNull()
    expect(weekChange('asa', 8, undefined)).toBeNull()
  })

  it('is drawn on one scale; hours to come have no bar, the present one is not over', () => {
    const { bars, steps } = barsOf({ line: 'a', hours: [4, 2, 0, 0], hours_then: [1, 8, 4, 0], then: {} }, 1)
    expect(bars).toEqual([
      { height: 0.5, now: false },
      { height: 0.25, now: true },
      { height: 0, now: false },
      { height: 0, now: false },
    ])
    expect(steps).toBe('0,0.875 1,0.875 1,0.000 2,0.000 2,0.500 3,0.500 3,1.000 4,1.000')
  })

  it('vanishes when the server cannot say, rather than to stay as it was', async () => {
    const line = { line: '12345', hours: [], hours_then: [], then: {} }
    const found: Trend = { day: '', then: '', total: { ...line, line: null }, lines: [line] }
    vi.spyOn(api, 'trend').mockResolvedValueOnce(found).mockRejectedValueOnce(new Error('gone'))
    const trend = useTrend()
    await trend.load()
    expect(trend.lines.get('12345')).toEqual(line)
    await trend.load()
    expect([trend.trend, trend.lines.size]).toEqual([null, 0])
  })
})

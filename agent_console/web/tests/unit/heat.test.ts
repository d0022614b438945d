import { beforeEach, describe, expect, it } from 'vitest'

import type { FigurePoint } from '@/api/figures'
import { darkness, foldHours, keyCell, meanOf, pieces, together } from '@/figures/heat'
import { useTimeZone } from '@/format'

const hour = (start: string, calls: number): FigurePoint => ({
  start,
  end: start,
  figure: { numerator: calls, denominator: null, value: calls, text: String(calls) },
  changes: {},
})

beforeEach(() => useTimeZone('Asia/Shanghai'))

describe('a heat map', () => {
  it('folds the hours of many days into a week of the hotline’s clock', () => {
    const points = [
      hour('2026-11-01T17:00:00Z', 4), // Monday the 2nd, one o'clock in Shanghai
      hour('2026-11-08T17:00:00Z', 6), // a Monday later
      hour('2026-11-08T15:00:00Z', 3), // Sunday, 23:00
    ]
    const heat = foldHours(points, Date.parse('2026-11-30T00:00:00Z'))
    expect(heat[0]?.[1]).toEqual({ sum: 10, days: 2, hours: points.slice(0, 2) })
    expect(heat[6]?.[23]).toEqual({ sum: 3, days: 1, hours: [points[2]] })
    expect(meanOf({ sum: 10, days: 2 })).toBe(5)
    expect(together(heat[0] ?? [])).toEqual({ sum: 10, mean: 5 })
  })

  it('does not take hours to come for hours without calls', () => {
    const heat = foldHours([hour('2026-11-01T17:00:00Z', 0)], Date.parse('2026-11-01T16:59:00Z'))
    expect(heat[0]?.[1]).toEqual({ sum: 0, days: 0, hours: [] })
    expect(meanOf({ sum: 0, days: 0 })).toBeNull()
  })

  it('is walked with the arrows up to its edges', () => {
    expect(keyCell('ArrowDown', 0, 9)).toEqual([1, 9])
    expect(keyCell('ArrowUp', 0, 9)).toEqual([0, 9])
    expect(keyCell('ArrowRight', 6, 23)).toEqual([6, 23])
    expect(keyCell('Home', 3, 9)).toEqual([3, 0])
    expect(keyCell('a', 3, 9)).toBeNull()
  })

  it('of a long period is asked for in pieces that have every day once', () => {
    expect(pieces({ from: '2026-01-01', to: '2026-07-01' })).toEqual([
      { from: '2026-01-01', to: '2026-04-10' },
      { from: '2026-04-11', to: '2026-07-01' },
    ])
    expect(pieces({ from: '2026-01-01', to: '2026-01-01' })).toEqual([
      { from: '2026-01-01', to: '2026-01-01' },
    ])
  })

  it('is read on every cell: letters stand out from it as 4.5 to 1', () => {
    const light = [0xf4, 0xf8, 0xfb]
    const dark = [0x0b, 0x4f, 0x7d]
    const ink = [0x1d, 0x2a, 0x35]
    const luminance = (colour: readonly number[]): number =>
      colour
        .map((one) => (one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4))
        .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at]!, 0)
    for (let share = 0; share <= 1; share += 0.01) {
      const { percent, white } = darkness(share)
      const cell = light.map((one, at) => one + ((dark[at]! - one) * percent) / 100)
      const [lower, higher] = [luminance(cell), luminance(white ? [255, 255, 255] : ink)].sort(
        (a, b) => a - b,
      )
      expect((higher! + 0.05) / (lower! + 0.05), `at ${share}`).toBeGreaterThanOrEqual(4.5)
    }
  })
})

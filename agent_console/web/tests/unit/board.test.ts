import { describe, expect, it } from 'vitest'

import { agentsByState, fraction, lineRows, longestSince, rateLevel, waitLevel } from '@/board'

import { agent, at, figures, lineFigures, site, T0, waiting } from './samples'

const NOW = Date.parse(T0)

describe('the lines of the board', () => {
  const day = figures({ lines: [lineFigures({ line: '12315', offered: 4, answered: 3, answer_rate: 0.75 })] })

  it('show each parent before its children, which name it, whatever the order of the site file', () => {
    const rows = lineRows(site(), day, [], NOW)
    expect(rows.map((row) => [row.id, row.under])).toEqual([
      ['12345', ''],
      ['12315', ''],
      ['12331', '12315'],
    ])
  })

  it('count the waiting of a child with its parent', () => {
    const rows = lineRows(site(), day, [waiting({ line: '12331', since: at(-20) })], NOW)
    expect(rows.map((row) => [row.id, row.waiting, row.waitLevel])).toEqual([
      ['12345', 0, 'calm'],
      ['12315', 1, 'warn'],
      ['12331', 1, 'warn'],
    ])
  })

  it('have no figures before there are any', () => {
    expect(lineRows(site(), null, [], NOW)[0]).toMatchObject({ figures: null, rateLevel: 'calm' })
  })

  it('survive a line that is its own ancestor or has an unknown one', () => {
    const line = { label: 'x', name: 'x', queue: 'x', order_fields: [], keywords: [] }
    const odd = site({
      lines: [
        { ...line, id: 'a', parent: 'b' },
        { ...line, id: 'b', parent: 'a' },
        { ...line, id: 'c', parent: 'z' },
      ],
    })
    expect(lineRows(odd, null, [], NOW).map((row) => row.id)).toEqual(['c'])
  })
})

describe('levels', () => {
  it.each([
    [null, 'calm'],
    [0.95, 'calm'],
    [0.9499, 'warn'],
    [0.85, 'warn'],
    [0.84, 'alarm'],
  ])('of the answer rate %s: %s', (rate, level) => {
    expect(rateLevel(rate, 0.95, 20)).toBe(level)
    expect(rateLevel(rate, 0.95, 19)).toBe('calm')
  })

  it.each([
    [null, 'calm'],
    [15, 'calm'],
    [16, 'warn'],
    [60, 'alarm'],
  ])('of a wait of %s s: %s', (seconds, level) => {
    expect(waitLevel(seconds, 15)).toBe(level)
  })
})

describe('the formula under a rate', () => {
  const counts = {
    offered: 12,
    still_open: 2,
    answered: 8,
    answered_within: 6,
    outcomes: { short_abandon: 1 },
  }

  it('divides by the rows that are closed', () => {
    expect(fraction(lineFigures(counts), 8, 0.8)).toEqual({
      rate: 0.8,
      numerator: 8,
      denominator: 10,
      base: 'closed',
    })
  })

  it('says so when the site leaves short abandons out, or divides by the answered', () => {
    expect(fraction(lineFigures(counts), 8, 8 / 9)).toMatchObject({
      denominator: 9,
      base: 'closed_less_short',
    })
    expect(fraction(lineFigures(counts), 6, 6 / 8)).toMatchObject({ denominator: 8, base: 'answered' })
  })

  it('is nothing over nothing before the first call', () => {
    expect(fraction(lineFigures(), 0, null)).toEqual({
      rate: null,
      numerator: 0,
      denominator: 0,
      base: 'closed',
    })
  })
})

describe('the present', () => {
  it('knows who has waited longest', () => {
    expect(longestSince([])).toBeNull()
    expect(longestSince([waiting({ since: at(5) }), waiting({ since: at(-5) }), waiting()])).toBe(at(-5))
  })

  it('counts agents by state', () => {
    const counts = agentsByState([agent(), agent({ state: 'paused' }), agent({ state: 'paused' })])
    expect(counts).toMatchObject({ ready: 1, paused: 2, talking: 0 })
  })
})

import { describe, expect, it } from 'vitest'

import {
  clockSpan,
  count,
  languageName,
  oneDecimal,
  percent,
  phoneNumber,
  timeOfDay,
  useTimeZone,
  whenShort,
} from '@/format'

describe('durations', () => {
  it.each([
    [0, '0:00'],
    [7.9, '0:07'],
    [754, '12:34'],
    [3723, '1:02:03'],
    [-3, '0:00'],
    [null, '—'],
    [Number.NaN, '—'],
  ])('%s s is %s', (seconds, text) => {
    expect(clockSpan(seconds)).toBe(text)
  })
})

describe('rates', () => {
  it.each([
    [0.95, '95.00%'],
    [1, '100.00%'],
    [0, '0.00%'],
    [8365 / 8820, '94.84%'],
    [2 / 3, '66.67%'],
    [0.28005, '28.01%'],
    [1.005 / 100, '1.01%'],
    [null, '—'],
  ])('%s is %s: half up to two decimals', (rate, text) => {
    expect(percent(rate)).toBe(text)
  })

  it('nothing over nothing is a dash', () => {
    expect(percent(0 / 0)).toBe('—')
  })
})

describe('other figures', () => {
  it('have one decimal, half up', () => {
    expect([8.25, 8, 0.05, null].map(oneDecimal)).toEqual(['8.3', '8.0', '0.1', '—'])
  })

  it('are grouped when large', () => {
    expect(count(94_075, 'zh-CN')).toBe('94,075')
  })
})

describe('languages', () => {
  it('are named in the language of the page', () => {
    expect(languageName('en', 'zh-CN')).toBe('英语')
    expect(languageName('yue', 'zh-CN')).toBe('粤语')
    expect(languageName('en', 'en')).toBe('English')
  })

  it('stay a tag where nobody can name them', () => {
    expect(languageName('no language', 'zh-CN')).toBe('no language')
  })
})

describe('moments', () => {
  it('are written in twenty-four hours', () => {
    const midnight = new Date(2026, 9, 1, 0, 5, 9)
    expect(timeOfDay(midnight.getTime(), 'zh-CN')).toBe('00:05:09')
    expect(timeOfDay(midnight.getTime(), 'en')).toBe('00:05:09')
  })

  it('are those of the hotline, wherever the screen stands', () => {
    const moment = '2026-10-01T16:30:00Z'
    useTimeZone('Asia/Shanghai')
    expect(timeOfDay(moment, 'zh-CN')).toBe('00:30:00')
    expect(whenShort('2026-10-01T15:30:00Z', Date.parse(moment), 'zh-CN')).toBe('10月1日 23:30')
    useTimeZone(Intl.DateTimeFormat().resolvedOptions().timeZone)
  })

  it('say the day only when it is another', () => {
    const now = new Date(2026, 9, 2, 9, 0).getTime()
    expect(whenShort(new Date(2026, 9, 2, 8, 30).toISOString(), now, 'zh-CN')).toBe('08:30')
    expect(whenShort(new Date(2026, 9, 1, 8, 30).toISOString(), now, 'zh-CN')).toBe('10月1日 08:30')
  })
})

describe('telephone numbers', () => {
  it.each([
    ['13812341234', '138 1234 1234'],
    ['138****1234', '138 **** 1234'],
    ['075788881234', '075788881234'],
    ['', ''],
  ])('%s is %s', (number, text) => {
    expect(phoneNumber(number)).toBe(text)
  })
})

/** How figures, parts of a period and groups are called. Pure. */

import type { Change, Dimension, Grain, Measure, Series } from '@/api/figures'
import { languageName, momentText } from '@/format'

const DAY: Intl.DateTimeFormatOptions = { month: 'numeric', day: 'numeric' }
const TIME: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
const FORMATS: Readonly<Record<Grain, Intl.DateTimeFormatOptions>> = {
  quarter_hour: TIME,
  hour: TIME,
  day: { ...DAY, weekday: 'short' },
  week: DAY,
  month: { year: 'numeric', month: 'short' },
  quarter: { year: 'numeric', month: 'short' },
  year: { year: 'numeric' },
}

/** A part of a period: "09:00", "11/2 09:00" where there are several days, "11/2 周一", "2026年11月". */
export function partName(start: string, grain: Grain, oneDay: boolean, language: string): string {
  const hours = grain === 'quarter_hour' || grain === 'hour'
  const named = momentText(start, language, hours && !oneDay ? { ...DAY, ...TIME } : FORMATS[grain])
  if (grain === 'day') return named.replace(/(\d)(周)/, '$1 $2')
  if (grain === 'week') return language === 'en' ? `from ${named}` : `${named} 起`
  return grain === 'quarter' ? `${named}–` : named
}

export const measureName = (measure: Measure, language: string): string =>
  language === 'en' ? measure.name_en : measure.name

export const formulaOf = (measure: Measure, language: string): string =>
  language === 'en' ? measure.formula_en : measure.formula

/** A group's name; `unknown` for rows that do not say to which they belong. */
export function groupName(series: Series, by: Dimension | null, language: string, unknown: string): string {
  if (series.key === '') return unknown
  return by === 'language' ? languageName(series.key, language) : series.name
}

/** The norm in the unit in which figures are published. */
export const normOf = (measure: Measure): number | null =>
  measure.norm === null ? null : measure.unit === 'percent' ? measure.norm * 100 : measure.norm

/** Whether a figure is as the site wants it; null where nothing is wanted, or there is no figure. */
export function meetsNorm(measure: Measure, value: number | null): boolean | null {
  const norm = normOf(measure)
  if (norm === null || value === null || measure.better === 'neither') return null
  return measure.better === 'higher' ? value >= norm : value <= norm
}

/** 1200 -> "1,200"; times, which are sums of milliseconds, as seconds. */
export function sumText(sum: number, milliseconds: boolean, language: string): string {
  const shown = milliseconds ? sum / 1000 : sum
  const digits = milliseconds ? 1 : 0
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  const text = new Intl.NumberFormat(language, options).format(shown)
  return milliseconds ? `${text} s` : text
}

const FULL: Intl.DateTimeFormatOptions = { year: 'numeric', ...DAY, ...TIME }

/** A period with both its ends. */
export const spanText = (start: string, end: string, language: string): string =>
  `${momentText(start, language, FULL)} – ${momentText(end, language, FULL)}`

/** Which two periods were compared: the figure's own, and the other. */
export const periodsText = (change: Change, start: string, language: string): string =>
  `${spanText(start, change.until, language)} ↔ ${spanText(change.start, change.end, language)}`

/** How a figure has changed, as printed; the server says percentage points in Chinese. */
export const changeText = (change: Change | undefined, language: string): string =>
  (change?.text ?? '').replace(/\s*个百分点/, language === 'en' ? ' points' : ' 个百分点')

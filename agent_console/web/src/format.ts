/** How figures, durations and moments are written. Pure. */

export const NOTHING = '—'

/** 7 -> "0:07", 754 -> "12:34", 3723 -> "1:02:03". Whole seconds, rounded down as a running clock shows them. */
export function clockSpan(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return NOTHING
  const whole = Math.max(0, Math.floor(seconds))
  const pad = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`
}

/** Half up, as published figures are rounded; 1e-9 takes back what binary fractions lose (0.28005 * 10000). */
export function halfUp(value: number, decimals: number): string {
  const scale = 10 ** decimals
  return (Math.floor(value * scale + 0.5 + 1e-9) / scale).toFixed(decimals)
}

/** 0.958333 -> "95.83%"; nothing over nothing is "—". */
export function percent(rate: number | null): string {
  return rate === null || !Number.isFinite(rate) ? NOTHING : `${halfUp(rate * 100, 2)}%`
}

/** 8.25 -> "8.3" */
export function oneDecimal(value: number | null): string {
  return value === null || !Number.isFinite(value) ? NOTHING : halfUp(value, 1)
}

export function count(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value)
}

const timeFormats = new Map<string, Intl.DateTimeFormat>()
let zone: string | undefined

/** Times are the hotline's, wherever the screen stands; until the site is known, the browser's. */
export function useTimeZone(timeZone: string): void {
  zone = timeZone
  timeFormats.clear()
}

function timeFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  const known = timeFormats.get(key) ?? new Intl.DateTimeFormat(language, { timeZone: zone, ...options })
  timeFormats.set(key, known)
  return known
}

const HMS: Intl.DateTimeFormatOptions = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
}
const HM: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }

export function timeOfDay(moment: string | number, language: string): string {
  return timeFormat(language, HMS).format(new Date(moment))
}

export function day(moment: string | number, language: string): string {
  return timeFormat(language, { month: 'long', day: 'numeric', weekday: 'long' }).format(new Date(moment))
}

/** "10:42" of today, "10月31日 10:42" of another day. */
export function whenShort(moment: string, nowMs: number, language: string): string {
  const at = new Date(moment)
  const time = timeFormat(language, HM).format(at)
  if (day(moment, language) === day(nowMs, language)) return time
  return `${timeFormat(language, { month: 'short', day: 'numeric' }).format(at)} ${time}`
}

/** "en" -> "英语" on a Chinese page; a tag that the browser cannot name stays as it is. */
export function languageName(tag: string, language: string): string {
  try {
    return new Intl.DisplayNames(language, { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}

/** The hotline's day ("2026-11-02") at a moment. */
export function dateOf(moment: string | number): string {
  return timeFormat('sv-SE', { year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(moment))
}

/** A moment's parts, named by what is wanted of them, in the hotline's zone. */
export function momentText(
  moment: string | number,
  language: string,
  options: Intl.DateTimeFormatOptions,
): string {
  return timeFormat(language, options).format(new Date(moment))
}

const DAY_MS = 86_400_000

/** The day after "2026-10-31": "2026-11-01". */
export function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10)
}

/** The moment at which a day ("2026-10-01") begins in the hotline's zone. */
export function dayBegins(date: string): string {
  const utcMs = Date.parse(`${date}T00:00:00Z`)
  const options: Intl.DateTimeFormatOptions = { ...HMS, year: 'numeric', month: '2-digit', day: '2-digit' }
  const there = timeFormat('sv-SE', options).format(utcMs) // Sweden writes "2026-10-01 08:00:00"
  return new Date(2 * utcMs - Date.parse(`${there.replace(' ', 'T')}Z`)).toISOString()
}

/** 13812345678 -> "138 1234 5678"; a masked number or anything else stays as it came. */
export function phoneNumber(number: string): string {
  const mobile = /^(1\d{2})(\S{4})(\d{4})$/.exec(number)
  return mobile ? `${mobile[1]} ${mobile[2]} ${mobile[3]}` : number
}

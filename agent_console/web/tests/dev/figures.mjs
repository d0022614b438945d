/**
 * Figures as the server gives them: two humps a day, fewer at weekends, the same numbers for the same hour however
 * they are asked for. GET /api/figures/measures, query, explain, board, views.
 */

import { SITE } from './world.mjs'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ZONE_MS = 8 * HOUR_MS // Shanghai, all the year
const SHARES = {
  12345: 0.52,
  12315: 0.17,
  '12315-gs': 0.1,
  12358: 0.05,
  12333: 0.12,
  12329: 0.06,
  12348: 0.04,
}

const COUNTS = {
  offered: ['呼入排队量', 'offered', 'number'],
  answered: ['人工接听量', 'answered', 'number'],
  answered_within: ['15 秒内接听量', 'answered within 15 s', 'number'],
  abandoned: ['放弃量', 'abandoned', 'number'],
  closed: ['已离队', 'waits that ended', 'number'],
  wait_ms: ['接听者等待时长', 'wait of the answered', 'milliseconds'],
  talk_ms: ['通话时长', 'talk', 'milliseconds'],
}
const DIMENSIONS = ['line', 'queue', 'agent', 'skill', 'language']

const measure = (id, name, name_en, unit, above, below = [], better = 'neither', norm = null) => {
  const words = (side, at) => side.map((one) => COUNTS[one][at]).join(' + ')
  const formula = (at) => words(above, at) + (below.length > 0 ? ` / ${words(below, at)}` : '')
  return {
    ...{ id, name, name_en, unit, formula: formula(0), formula_en: formula(1), remark: '', remark_en: '' },
    ...{ better, norm, numerator: above, denominator: below, dimensions: DIMENSIONS },
  }
}
const MEASURES = [
  measure('answer_rate', '接通率', 'answer rate', 'percent', ['answered'], ['closed'], 'higher', 0.95),
  measure(
    'within_rate',
    '15 秒接通率',
    'answered within 15 s',
    'percent',
    ['answered_within'],
    ['closed'],
    'higher',
  ),
  measure(
    'asa',
    '平均应答时长',
    'average speed of answer',
    'seconds',
    ['wait_ms'],
    ['answered'],
    'lower',
    15,
  ),
  measure('mean_talk', '平均通话时长', 'mean talk', 'seconds', ['talk_ms'], ['answered']),
  measure('offered', '呼入排队量', 'offered', 'count', ['offered']),
  measure('answered', '人工接听量', 'answered', 'count', ['answered'], [], 'higher'),
  measure('abandoned', '放弃量', 'abandoned', 'count', ['abandoned'], [], 'lower'),
]

/** 0 to 1, the same for the same number. */
const chance = (seed) => {
  const mixed = Math.imul((seed ^ (seed >>> 15)) + 0x9e3779b9, 0x85ebca6b)
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32
}
const hump = (hour, at, width) => Math.exp(-(((hour - at) / width) ** 2))

/** What one hour of a part of the work comes to. */
function hourOf(startMs, share) {
  if (startMs > Date.now()) return Object.fromEntries(Object.keys(COUNTS).map((id) => [id, 0]))
  const local = new Date(startMs + ZONE_MS)
  const weekend = [0, 6].includes(local.getUTCDay())
  const hour = local.getUTCHours() + 0.5
  const load = hump(hour, 10, 2) + 0.85 * hump(hour, 15.5, 2.4) + 0.25 * hump(hour, 20, 2) + 0.03
  const luck = chance(startMs / HOUR_MS)
  const offered = Math.round(130 * share * load * (weekend ? 0.5 : 1) * (0.85 + 0.3 * luck))
  const abandoned = Math.round(offered * (0.01 + 0.06 * load * luck))
  const answered = offered - abandoned
  const answered_within = Math.round(answered * (0.97 - 0.1 * load * luck))
  const wait_ms = answered * Math.round(5_000 + 9_000 * load * luck)
  const talk_ms = answered * Math.round(170_000 + 40_000 * luck)
  return { offered, answered, answered_within, abandoned, closed: offered, wait_ms, talk_ms }
}

const midnight = (day) => Date.parse(`${day}T00:00:00+08:00`)
const localDay = (ms) => new Date(ms + ZONE_MS).toISOString().slice(0, 10)

function bounds(asked) {
  const [from, to] = [asked.get('from'), asked.get('to')]
  const day = /^\d{4}-\d{2}-\d{2}$/
  return [
    day.test(from) ? midnight(from) : Date.parse(from),
    day.test(to) ? midnight(to) + DAY_MS : Date.parse(to),
  ]
}

/** The next part's beginning, by the site's calendar. */
function after(ms, grain) {
  if (grain === 'hour' || grain === 'quarter_hour') return ms + HOUR_MS
  if (grain === 'day') return ms + DAY_MS
  const local = new Date(ms + ZONE_MS)
  if (grain === 'week') return ms + (7 - ((local.getUTCDay() + 6) % 7)) * DAY_MS
  const months = { month: 1, quarter: 3, year: 12 }[grain]
  const month = Math.floor(local.getUTCMonth() / months) * months + months
  return Date.UTC(local.getUTCFullYear(), month, 1) - ZONE_MS
}

function summed(start, end, share) {
  const sums = Object.fromEntries(Object.keys(COUNTS).map((id) => [id, 0]))
  for (let hour = start; hour < end; hour += HOUR_MS) {
    const found = hourOf(hour, share)
    for (const id of Object.keys(sums)) sums[id] += found[id]
  }
  return sums
}

const total = (sums, ids) => ids.reduce((sum, id) => sum + sums[id], 0)

function figure(of, sums) {
  const numerator = total(sums, of.numerator)
  if (of.denominator.length === 0) {
    return { numerator, denominator: null, value: numerator, text: numerator.toLocaleString('en') }
  }
  const denominator = total(sums, of.denominator)
  if (denominator === 0) return { numerator, denominator, value: null, text: '—' }
  const scale = of.unit === 'percent' ? 100 : 1 / 1000
  const value = Math.round(((100 * numerator) / denominator) * scale) / 100
  return { numerator, denominator, value, text: value.toFixed(2) + (of.unit === 'percent' ? '%' : ' s') }
}

/** `until`: where the period that is compared ends itself. */
function change(of, now, start, end, share, until) {
  const then = figure(of, summed(start, end, share))
  const apart = of.unit === 'percent' ? now.value - then.value : (100 * (now.value - then.value)) / then.value
  const value = now.value === null || !then.value ? null : Math.round(100 * apart) / 100
  const sign = value === null ? '—' : `${value > 0 ? '+' : ''}${value.toFixed(2)}`
  const text = sign + (value === null ? '' : of.unit === 'percent' ? ' pp' : '%')
  const [from, to] = [start, end].map((one) => new Date(one).toISOString())
  return { start: from, end: to, figure: then, value, text, until: new Date(until).toISOString() }
}

function point(of, start, end, share, compare) {
  const now = figure(of, summed(start, end, share))
  const length = end - start
  const changes = {}
  if (compare.includes('before')) changes.before = change(of, now, start - length, start, share, end)
  if (compare.includes('year_before')) {
    changes.year_before = change(of, now, start - 364 * DAY_MS, end - 364 * DAY_MS, share, end)
  }
  return { start: new Date(start).toISOString(), end: new Date(end).toISOString(), figure: now, changes }
}

function query(asked) {
  const of = MEASURES.find((one) => one.id === asked.get('measure')) ?? MEASURES[0]
  const [start, end] = bounds(asked)
  const grain = asked.get('grain')
  const compare = asked.getAll('compare')
  const parts = (share) => {
    if (grain === null) return [point(of, start, end, share, compare)]
    const found = []
    for (let at = start; at < end; at = after(at, grain)) {
      found.push(point(of, at, Math.min(end, after(at, grain)), share, compare))
    }
    return found
  }
  const line = asked.get('line')
  const whole = line === null ? 1 : (SHARES[line] ?? 0.02)
  const series = (key, name, parent, share) => ({ key, name, parent, points: parts(share) })
  const by = asked.get('by')
  const groups =
    by === 'line'
      ? SITE.lines.map(({ id, name, parent }) => series(id, name, parent, SHARES[id] ?? 0.02))
      : by === 'agent'
        ? SITE.agents.map(({ agent, name }, at) => series(agent, name, null, (at + 3) / 200))
        : by === null
          ? []
          : SITE.lines.slice(0, 3).map(({ id, name }) => series(id, name, null, SHARES[id]))
  return { measure: of, question: {}, total: series('', '', null, whole), groups }
}

const OUTCOMES = ['answered', 'answered', 'answered', 'answered', 'abandoned']

function explain(asked, past) {
  const of = MEASURES.find((one) => one.id === asked.get('measure')) ?? MEASURES[0]
  const [start, end] = bounds(asked)
  const line = asked.get('line')
  const sums = summed(start, end, line === null ? 1 : (SHARES[line] ?? 0.02))
  const info = (id) => {
    const [name, name_en, unit] = COUNTS[id]
    return { id, name, name_en, unit, source: 'queue_entries', sum: sums[id] }
  }
  const side = asked.get('side') ?? 'numerator'
  const [first] = of[side]
  const milliseconds = COUNTS[first][2] === 'milliseconds'
  const size = Math.min(20, milliseconds ? sums.answered : total(sums, of[side]))
  const until = Math.min(end, Date.now())
  const rows = Array.from({ length: size }, (_, number) => {
    const outcome = first.startsWith('answered')
      ? 'answered'
      : first === 'abandoned'
        ? 'abandoned'
        : OUTCOMES[number % 5]
    return {
      id: `row-${number}`,
      at: new Date(until - ((until - start) * (number + 0.5)) / size).toISOString(),
      adds: milliseconds ? 4000 + 700 * number : 1,
      call_id: past[number % Math.max(1, past.length)]?.call_id ?? null,
      line: line ?? SITE.lines[number % 4].id,
      queue: line ?? SITE.lines[number % 4].queue,
      language: '',
      agent: outcome === 'answered' ? (SITE.agents[number % SITE.agents.length]?.agent ?? null) : null,
      state: outcome,
      seconds: 3 + ((number * 7) % 25),
      talk_seconds: outcome === 'answered' ? 60 + ((number * 37) % 300) : null,
      caller_number: '138****1234',
      ...{ until: null, imported_from: null, imported_at: null },
    }
  })
  const only = Object.fromEntries(
    DIMENSIONS.flatMap((name) => (asked.get(name) ? [[name, asked.get(name)]] : [])),
  )
  return {
    measure: of,
    question: { start: new Date(start).toISOString(), end: new Date(end).toISOString(), only },
    figure: figure(of, sums),
    numerator: of.numerator.map(info),
    denominator: of.denominator.map(info),
    ...{ side, rows, after: null },
  }
}

function board() {
  const today = midnight(localDay(Date.now()))
  const hours = (start, share) =>
    Array.from({ length: 24 }, (_, hour) => hourOf(start + hour * HOUR_MS, share).offered)
  const trend = (line, share) => {
    const sums = summed(today - 7 * DAY_MS, Date.now() - 7 * DAY_MS, share)
    const then = Object.fromEntries(
      ['offered', 'answer_rate', 'within_rate', 'asa'].map((id) => [
        id,
        figure(
          MEASURES.find((one) => one.id === id),
          sums,
        ),
      ]),
    )
    return { line, hours: hours(today, share), hours_then: hours(today - 7 * DAY_MS, share), then }
  }
  return {
    day: localDay(Date.now()),
    then: new Date(Date.now() - 7 * DAY_MS).toISOString(),
    total: trend(null, 1),
    lines: SITE.lines.map(({ id }) => trend(id, SHARES[id] ?? 0.02)),
  }
}

const views = new Map()

/** The answer to a request under /api/figures/, or undefined. */
export function figures(path, method, asked, given, past) {
  if (path === '/api/figures/measures') return { measures: MEASURES }
  if (path === '/api/figures/query') return query(asked)
  if (path === '/api/figures/explain') return explain(asked, past)
  if (path === '/api/figures/board') return board()
  if (path !== '/api/figures/views') return undefined
  if (method === 'PUT') views.set(given.name, { ...given, saved_at: new Date().toISOString() })
  if (method === 'DELETE') views.delete(asked.get('name'))
  return { views: [...views.values()] }
}

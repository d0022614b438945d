/** A plan as the server gives one: two humps a day; agents by a rule of thumb, planned in three shifts. */

const DAY_MS = 86_400_000
const QUARTER_MS = 900_000

const hump = (hour, at, width) => Math.exp(-(((hour - at) / width) ** 2))

function quarter(starts, hour, weekend, asked) {
  const volume = Number(asked.get('volume') ?? 1)
  const aht = Number(asked.get('aht') ?? 214)
  const shape = hump(hour, 9.75, 1.6) + 0.8 * hump(hour, 15.5, 2.2) + 0.25 * hump(hour, 20, 1.8) + 0.02
  const calls = Math.round(100 * volume * (weekend ? 16 : 31) * shape) / 100
  const erlangs = (calls * aht) / 900
  const strict = Number(asked.get('target') ?? 0.95) * (15 / Number(asked.get('within') ?? 15)) ** 0.2
  const needed = Math.ceil(erlangs + 1.9 * strict * Math.sqrt(erlangs))
  const rostered = Math.ceil(needed / (1 - Number(asked.get('shrinkage') ?? 0)))
  const planned = hour < 8 ? 1 : hour < 16 ? 11 : hour < 18 ? 9 : 3
  const service = needed === 0 ? 1 : 1 / (1 + Math.exp(-1.6 * (planned - needed) - 2.9))
  return {
    starts: new Date(starts).toISOString(),
    calls,
    aht_seconds: aht + (asked.get('aht') === null ? 20 * hump(hour, 15, 4) : 0),
    needed,
    needed_patience: Math.max(0, needed - (needed > 6 ? 1 : 0)),
    rostered,
    planned,
    gap: planned - rostered,
    planned_service: Math.round(10_000 * service) / 10_000,
  }
}

export function staffing(asked) {
  const first = Date.parse(`${asked.get('day')}T00:00:00+08:00`)
  const count = Number(asked.get('days') ?? 1)
  const days = []
  const quarters = []
  for (let number = 0; number < count; number += 1) {
    const midnight = first + number * DAY_MS
    const day = new Date(midnight + DAY_MS / 3).toISOString().slice(0, 10)
    const weekend = [0, 6].includes(new Date(day).getUTCDay())
    const mine = Array.from({ length: 96 }, (_, place) =>
      quarter(midnight + place * QUARTER_MS, place / 4, weekend, asked),
    )
    quarters.push(...mine)
    const kind = number === 3 ? 'made_up' : 'ordinary'
    const published = !day.startsWith('2027')
    days.push({ day, kind, published, calls: mine.reduce((sum, one) => sum + one.calls, 0) })
  }
  return {
    line: asked.get('line'),
    target: Number(asked.get('target') ?? 0.95),
    within_seconds: Number(asked.get('within') ?? 15),
    patience_seconds: 96.4,
    shrinkage: Number(asked.get('shrinkage') ?? 0),
    volume: Number(asked.get('volume') ?? 1),
    history_from: '2026-05-24',
    history_days: 182,
    errors: {
      weeks: 8,
      wape: 0.1351,
      day_wape: 0.0378,
      bias: -0.0049,
      naive_wape: 0.1794,
      naive_day_wape: 0.0447,
      naive_bias: -0.002,
    },
    days,
    quarters,
    problems: [],
  }
}

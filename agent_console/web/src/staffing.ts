/** How many agents days to come need, as the page shows it. Pure. */

import type { StaffingPlan, StaffingQuarter, StaffingQuestion } from '@/api/types'
import type { ChartOption } from '@/charts/options'

/** What a person has moved; null is as the site and its past have it. */
export interface Supposed {
  readonly day: string
  readonly days: 1 | 7
  readonly line: string
  readonly volumePercent: number
  readonly ahtSeconds: number | null
  readonly targetPercent: number | null
  readonly withinSeconds: number | null
  readonly shrinkagePercent: number
}

export function questionOf(supposed: Supposed): StaffingQuestion {
  const { day, days, line, ahtSeconds, targetPercent, withinSeconds } = supposed
  return {
    day,
    days,
    ...(line === '' ? {} : { line }),
    ...(ahtSeconds === null ? {} : { aht: ahtSeconds }),
    ...(targetPercent === null ? {} : { target: targetPercent / 100 }),
    ...(withinSeconds === null ? {} : { within: withinSeconds }),
    ...(supposed.shrinkagePercent === 0 ? {} : { shrinkage: supposed.shrinkagePercent / 100 }),
    ...(supposed.volumePercent === 100 ? {} : { volume: supposed.volumePercent / 100 }),
  }
}

export interface Totals {
  readonly calls: number
  /** The quarter hour that wants the most on the roster; null without any. */
  readonly peak: StaffingQuarter | null
  readonly neededHours: number
  readonly plannedHours: number | null
  /** Quarter hours with fewer planned than wanted; null without shifts. */
  readonly short: number | null
  readonly meanAhtSeconds: number
}

const DAY_QUARTERS = 96
const NO_CALLS = 0.05 // a quarter hour with fewer and nobody planned says nothing

/** The quarter hours that have something to say. */
export const worthShowing = (plan: StaffingPlan): readonly StaffingQuarter[] =>
  plan.quarters.filter((one) => one.calls >= NO_CALLS || (one.planned ?? 0) > 0)

export function totalsOf(plan: StaffingPlan): Totals {
  const sum = (value: (one: StaffingQuarter) => number): number =>
    plan.quarters.reduce((total, one) => total + value(one), 0)
  const planned = plan.quarters.some((one) => one.planned !== null)
  const calls = sum((one) => one.calls)
  const peak = plan.quarters.reduce<StaffingQuarter | null>(
    (most, one) => (one.rostered > (most?.rostered ?? 0) ? one : most),
    null,
  )
  return {
    calls,
    peak,
    neededHours: sum((one) => one.rostered) / 4,
    plannedHours: planned ? sum((one) => one.planned ?? 0) / 4 : null,
    short: planned ? plan.quarters.filter((one) => (one.gap ?? 0) < 0).length : null,
    meanAhtSeconds: calls > 0 ? sum((one) => one.calls * one.aht_seconds) / calls : 0,
  }
}

export interface ChartTexts {
  readonly calls: string
  readonly needed: string
  readonly planned: string
  readonly axisCalls: string
  readonly axisAgents: string
}

/** Bars of calls, a step line of agents needed and a dashed one of those planned. `times` name the quarter hours. */
export function chartOf(plan: StaffingPlan, times: readonly string[], texts: ChartTexts): ChartOption {
  const planned = plan.quarters.some((one) => one.planned !== null)
  const steps = (name: string, data: (number | null)[], type: 'solid' | 'dashed') => ({
    type: 'line' as const,
    name,
    data,
    step: 'middle' as const,
    symbol: 'none',
    yAxisIndex: 1,
    lineStyle: { type, width: 2.5 },
  })
  return {
    grid: { left: 52, right: 52, top: 46, bottom: 30 },
    legend: { top: 4, itemGap: 24 },
    tooltip: { trigger: 'axis' },
    xAxis: {
      type: 'category',
      data: [...times],
      axisLabel: {
        interval: (place: number) => place % (times.length > DAY_QUARTERS ? DAY_QUARTERS : 8) === 0,
      },
    },
    yAxis: [
      { type: 'value', name: texts.axisCalls, nameGap: 12, minInterval: 1 },
      { type: 'value', name: texts.axisAgents, nameGap: 12, minInterval: 1, splitLine: { show: false } },
    ],
    series: [
      {
        type: 'bar',
        name: texts.calls,
        data: plan.quarters.map((one) => one.calls),
        barCategoryGap: '20%',
        itemStyle: { opacity: 0.45 },
      },
      steps(
        texts.needed,
        plan.quarters.map((one) => one.rostered),
        'solid',
      ),
      ...(planned
        ? [
            steps(
              texts.planned,
              plan.quarters.map((one) => one.planned),
              'dashed',
            ),
          ]
        : []),
    ],
  }
}

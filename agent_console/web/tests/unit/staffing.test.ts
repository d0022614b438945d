import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { ApiError, api } from '@/api/client'
import type { StaffingPlan, StaffingQuarter } from '@/api/types'
import StaffingTable from '@/components/staffing/StaffingTable.vue'
import SupposePanel from '@/components/staffing/SupposePanel.vue'
import { i18n } from '@/i18n'
import { chartOf, questionOf, totalsOf, worthShowing, type Supposed } from '@/staffing'
import { useStaffing } from '@/stores/staffing'

const AS_IT_IS: Supposed = {
  day: '2026-12-01',
  days: 1,
  line: '',
  volumePercent: 100,
  ahtSeconds: null,
  targetPercent: null,
  withinSeconds: null,
  shrinkagePercent: 0,
}

const quarter = (place: number, rest: Partial<StaffingQuarter> = {}): StaffingQuarter => ({
  starts: new Date(Date.UTC(2026, 11, 1, 0, 15 * place)).toISOString(),
  calls: 10,
  aht_seconds: 200,
  needed: 5,
  needed_patience: 4,
  rostered: 6,
  planned: 6,
  gap: 0,
  planned_service: 0.97,
  ...rest,
})

const plan = (quarters: readonly StaffingQuarter[], rest: Partial<StaffingPlan> = {}): StaffingPlan => ({
  line: null,
  target: 0.95,
  within_seconds: 15,
  patience_seconds: 90,
  shrinkage: 0,
  volume: 1,
  history_from: '2026-06-01',
  history_days: 182,
  errors: null,
  days: [{ day: '2026-12-01', kind: 'ordinary', published: true, calls: 30 }],
  quarters,
  problems: [],
  ...rest,
})

const THREE = [
  quarter(0),
  quarter(1, { calls: 20, aht_seconds: 260, rostered: 9, gap: -3, planned_service: 0.41 }),
  quarter(2, { calls: 0.01, needed: 0, needed_patience: 0, rostered: 0, planned: 0 }),
]

beforeEach(() => {
  setActivePinia(createPinia())
  vi.restoreAllMocks()
})

describe('what is supposed', () => {
  it('is asked of the server only where it was moved', () => {
    expect(questionOf(AS_IT_IS)).toEqual({ day: '2026-12-01', days: 1 })
    const moved: Supposed = {
      day: '2026-12-02',
      days: 7,
      line: '12315',
      volumePercent: 120,
      ahtSeconds: 300,
      targetPercent: 80,
      withinSeconds: 20,
      shrinkagePercent: 30,
    }
    expect(questionOf(moved)).toEqual({
      day: '2026-12-02',
      days: 7,
      line: '12315',
      volume: 1.2,
      aht: 300,
      target: 0.8,
      within: 20,
      shrinkage: 0.3,
    })
  })

  it('is moved by sliders, which say what stands without them', async () => {
    const props = { modelValue: AS_IT_IS, meanAhtSeconds: 213.6, targetPercent: 95, withinSeconds: 15 }
    const view = mount(SupposePanel, { props, global: { plugins: [i18n] } })
    expect(view.get('[data-testid=staffing-target]').text()).toContain('95%')
    expect(view.get('[data-testid=staffing-aht]').text()).toContain('按历史')
    await view.get('[data-testid=staffing-shrinkage] input').setValue('30')
    await view.get('[data-testid=staffing-days-7]').trigger('click')
    const told = view.emitted<[Supposed]>('update:modelValue')?.map(([one]) => one)
    expect(told?.[0]?.shrinkagePercent).toBe(30)
    expect(told?.[1]?.days).toBe(7)
  })
})

describe('a plan', () => {
  it('is summed: calls, the busiest quarter hour, hours, and how often agents are missing', () => {
    const totals = totalsOf(plan(THREE))
    expect(totals.calls).toBeCloseTo(30.01)
    expect(totals.peak).toBe(THREE[1])
    expect(totals.neededHours).toBe(15 / 4)
    expect(totals.plannedHours).toBe(12 / 4)
    expect(totals.short).toBe(1)
    expect(totals.meanAhtSeconds).toBeCloseTo(240, 0)
    const unplanned = totalsOf(plan([quarter(0, { planned: null, gap: null, planned_service: null })]))
    expect([unplanned.plannedHours, unplanned.short]).toEqual([null, null])
  })

  it('is drawn with a line for those planned only where there are shifts', () => {
    const texts = { calls: 'c', needed: 'n', planned: 'p', axisCalls: '', axisAgents: '' }
    const names = (of: StaffingPlan): unknown => {
      const { series } = chartOf(of, ['08:00'], texts)
      return Array.isArray(series) ? series.map((one) => one.name) : series
    }
    expect(names(plan(THREE))).toEqual(['c', 'n', 'p'])
    expect(names(plan([quarter(0, { planned: null })]))).toEqual(['c', 'n'])
  })

  it('lists quarter hours in which something happens, and names what is missing in words', () => {
    expect(worthShowing(plan(THREE))).toHaveLength(2)
    const table = mount(StaffingTable, { props: { plan: plan(THREE) }, global: { plugins: [i18n] } })
    const rows = table.findAll('[data-testid=staffing-quarter]')
    expect(rows).toHaveLength(2)
    expect(rows.map((row) => row.get('[data-column=gap]').text())).toEqual(['正好', '缺 3'])
    expect(rows[1]?.get('[data-column=roster]').text()).toBe('9')
    expect(rows[1]?.text()).toContain('41.00%')
  })
})

describe('the store', () => {
  it('shows the answer to what was supposed last, whatever comes late', async () => {
    const answers: ((found: StaffingPlan) => void)[] = []
    vi.spyOn(api, 'staffing').mockImplementation(() => new Promise((answer) => answers.push(answer)))
    const staffing = useStaffing()
    void staffing.ask(AS_IT_IS)
    void staffing.ask({ ...AS_IT_IS, volumePercent: 200 })
    const [first, second] = [plan([]), plan(THREE)]
    answers[1]?.(second)
    await flushPromises()
    answers[0]?.(first)
    await flushPromises()
    expect(staffing.plan).toBe(second)
    expect(staffing.loading).toBe(false)
  })

  it('says why there is no plan', async () => {
    vi.spyOn(api, 'staffing').mockRejectedValue(new ApiError(400, 'too_little_history', 'too few'))
    const staffing = useStaffing()
    await staffing.ask(AS_IT_IS)
    expect(staffing.plan).toBeNull()
    expect(staffing.failed).toContain('不足 14 天')
  })

  it('asks once while a slider is on its way', async () => {
    vi.useFakeTimers()
    const asked = vi.spyOn(api, 'staffing').mockResolvedValue(plan(THREE))
    const staffing = useStaffing()
    for (const volumePercent of [105, 110, 115]) staffing.suppose({ ...AS_IT_IS, volumePercent })
    await vi.runAllTimersAsync()
    expect(asked.mock.calls).toEqual([[{ day: '2026-12-01', days: 1, volume: 1.15 }]])
    vi.useRealTimers()
  })
})

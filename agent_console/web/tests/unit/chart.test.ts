import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import Chart from '@/components/Chart.vue'
import { i18n } from '@/i18n'

const drawn = vi.hoisted(() => ({
  setOption: vi.fn(),
  resize: vi.fn(),
  dispose: vi.fn(),
  on: vi.fn(),
  init: vi.fn(),
}))
vi.mock('@/charts/echarts', () => ({ init: drawn.init }))

beforeEach(() => {
  vi.clearAllMocks()
  drawn.init.mockReturnValue(drawn)
})

describe('a chart', () => {
  const props = { option: { series: [{ type: 'line' as const, data: [1, 2] }] }, label: '接通率，按日' }

  it('is drawn, drawn anew for other figures, told to whoever cannot see it, and put away', async () => {
    const view = mount(Chart, { props, slots: { default: '1，2' }, global: { plugins: [i18n] } })
    await flushPromises()
    expect(drawn.setOption.mock.lastCall?.[0].series).toEqual(props.option.series)
    expect(view.get('[role=img]').attributes('aria-label')).toBe('接通率，按日')
    expect(view.get('figcaption').text()).toContain('1，2')
    await view.setProps({ option: { series: [{ type: 'bar', data: [3] }] } })
    expect(drawn.setOption.mock.lastCall?.[0].series).toEqual([{ type: 'bar', data: [3] }])
    view.unmount()
    expect(drawn.dispose).toHaveBeenCalledOnce()
  })

  it('that cannot be loaded says where the figures are', async () => {
    drawn.init.mockImplementation(() => {
      throw new Error('no canvas')
    })
    const view = mount(Chart, { props, global: { plugins: [i18n] } })
    await flushPromises()
    expect(view.get('[role=status]').text()).toContain('数字见表格')
  })
})

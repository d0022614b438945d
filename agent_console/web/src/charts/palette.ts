/** How charts look: colours that the common kinds of colour blindness keep apart (Okabe and Ito), and never colour alone. */

export type Look = 'light' | 'dark'

/** Of series in their order. On white the yellow of the original cannot be read; its place is taken by ochre. */
const COLOURS: Readonly<Record<Look, readonly string[]>> = {
  light: ['#0072b2', '#d55e00', '#009e73', '#a8487f', '#b97f00', '#3d8fc4', '#5f5f5f', '#7a6a1c'],
  dark: ['#56b4e9', '#e69f00', '#2fc79b', '#e39ac6', '#f0e442', '#8fb7ff', '#c9c9c9', '#ff9d5c'],
}

/** Marks and strokes tell series apart where colours do not. */
export const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect'] as const
export const STROKES = ['solid', 'dashed', 'dotted'] as const

const INK: Readonly<Record<Look, { text: string; rule: string; ground: string }>> = {
  light: { text: '#465664', rule: '#e0e6eb', ground: '#ffffff' },
  dark: { text: '#b4c4d0', rule: '#263846', ground: '#16232e' },
}

export const colours = (look: Look): readonly string[] => COLOURS[look]

const FONT = "'Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"

/** What all charts of a look have in common, as ECharts wants a theme. */
export function theme(look: Look): Record<string, unknown> {
  const { text, rule, ground } = INK[look]
  const axis = {
    axisLine: { lineStyle: { color: rule } },
    axisTick: { lineStyle: { color: rule } },
    axisLabel: { color: text, fontSize: 13 },
    splitLine: { lineStyle: { color: rule } },
    nameTextStyle: { color: text, fontSize: 13 },
  }
  return {
    color: COLOURS[look],
    backgroundColor: 'transparent',
    textStyle: { fontFamily: FONT, color: text },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: axis,
    legend: { textStyle: { color: text, fontSize: 14 }, pageTextStyle: { color: text } },
    tooltip: { backgroundColor: ground, borderColor: rule, textStyle: { color: text, fontSize: 14 } },
  }
}

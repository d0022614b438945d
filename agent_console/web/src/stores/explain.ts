/** The figure that is being explained: its formula, its counts and the rows behind them. */

import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

import { api } from '@/api/client'
import type { CountSide, Explanation, FigurePoint, FigureQuestion, FigureRow } from '@/api/figures'
import { errorText } from '@/errors'

export const useExplain = defineStore('explain', () => {
  const question = shallowRef<FigureQuestion | null>(null)
  const changes = shallowRef<FigurePoint['changes']>({})
  const found = shallowRef<Explanation | null>(null)
  const side = ref<CountSide>('numerator')
  const rows = shallowRef<readonly FigureRow[]>([])
  const after = ref<string | null>(null)
  const loading = ref(false)
  const failure = ref('')

  async function load(further: boolean): Promise<void> {
    const wanted = question.value
    const of = side.value
    if (wanted === null) return
    loading.value = true
    try {
      const page = await api.explain(wanted, of, further ? (after.value ?? undefined) : undefined)
      if (question.value !== wanted || side.value !== of) return // another figure is explained by now
      found.value = page
      rows.value = further ? [...rows.value, ...page.rows] : page.rows
      after.value = page.after
      failure.value = ''
    } catch (error) {
      if (question.value === wanted) failure.value = errorText(error)
    } finally {
      if (question.value === wanted && side.value === of) loading.value = false
    }
  }

  /** Explains a figure, and says what it was compared with. */
  function open(wanted: FigureQuestion, compared: FigurePoint['changes'] = {}): Promise<void> {
    question.value = wanted
    changes.value = compared
    found.value = null
    side.value = 'numerator'
    rows.value = []
    after.value = null
    return load(false)
  }

  function choose(which: CountSide): Promise<void> {
    side.value = which
    rows.value = []
    return load(false)
  }

  const more = (): Promise<void> => load(true)

  function close(): void {
    question.value = null
    found.value = null
  }

  return { question, changes, found, side, rows, after, loading, failure, open, choose, more, close }
})

/** Reports: the list, and the one that is read or edited. While one is being made the list is asked for again. */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { ApiError, api } from '@/api/client'
import type { ReportContent, ReportOrder, ReportShelf } from '@/api/reports'
import { errorText } from '@/errors'
import { changesOf, kept, type Typed } from '@/reports'

const ASK_AGAIN_MS = 1_500 // nobody tells a page that a report is made

export const useReports = defineStore('reports', () => {
  const shelf = shallowRef<ReportShelf | null>(null)
  const content = shallowRef<ReportContent | null>(null)
  const typed = shallowRef<Typed>({})
  const failure = ref('')
  const contentFailure = ref('')
  const loading = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let wanted: { name: string; period: string } | null = null
  let open = false

  const changes = computed(() => changesOf(content.value?.blocks ?? [], typed.value))
  const dirty = computed(() => Object.keys(changes.value).length > 0)
  const making = computed(() => (shelf.value?.making?.failed === null ? shelf.value.making : null))

  async function load(): Promise<void> {
    open = true
    clearTimeout(timer)
    try {
      const before = making.value
      shelf.value = await api.reports()
      failure.value = ''
      if (before !== null && making.value === null) await made(before.name, before.period)
    } catch (error) {
      failure.value = errorText(error)
    }
    if (open && making.value !== null) timer = setTimeout(() => void load(), ASK_AGAIN_MS)
  }

  /** What was asked for is shown once it is there, unless something else is being written on. */
  async function made(name: string, period: string): Promise<void> {
    const there = shelf.value?.reports.some((one) => one.name === name && one.period === period)
    if (there === true && !dirty.value) await read(name, period)
  }

  async function read(name: string, period: string): Promise<void> {
    const mine = (wanted = { name, period })
    loading.value = true
    typed.value = {}
    contentFailure.value = ''
    try {
      const found = await api.reportContent(name, period)
      if (wanted === mine) content.value = found
    } catch (error) {
      if (wanted !== mine) return
      content.value = null
      contentFailure.value = errorText(error)
    } finally {
      if (wanted === mine) loading.value = false
    }
  }

  /** Shows nothing of a report of which there are only files. */
  function forget(): void {
    wanted = null
    content.value = null
    typed.value = {}
    contentFailure.value = ''
    loading.value = false
  }

  function type(id: string, text: string): void {
    typed.value = { ...typed.value, [id]: text }
  }

  function discard(): void {
    typed.value = {}
  }

  async function make(order: ReportOrder): Promise<void> {
    await api.makeReport(order)
    await load()
  }

  /** Somebody else was faster: theirs is shown, and what was typed on other texts stays typed. */
  async function reread(before: ReportContent): Promise<void> {
    const now = await api.reportContent(before.head.name, before.head.period)
    if (content.value !== before) return
    typed.value = kept(before.blocks, now.blocks, typed.value)
    content.value = now
  }

  async function changed(change: (now: ReportContent) => Promise<ReportContent>): Promise<void> {
    const before = content.value
    if (before === null) return
    try {
      const now = await change(before)
      if (content.value !== before) return
      typed.value = {}
      content.value = now
    } catch (error) {
      if (error instanceof ApiError && error.code === 'stale') await reread(before)
      throw error
    }
    await load()
  }

  const save = (): Promise<void> =>
    changed(({ head, revision }) =>
      api.editReport(head.name, head.period, { revision, texts: changes.value }),
    )

  /** A text as it was made. */
  const restore = (id: string): Promise<void> =>
    changed(({ head, revision }) =>
      api.editReport(head.name, head.period, { revision, texts: { ...changes.value, [id]: null } }),
    )

  const finish = (): Promise<void> =>
    changed(({ head, revision }) => api.finishReport(head.name, head.period, revision))

  /** Nobody looks any more. */
  function close(): void {
    open = false
    clearTimeout(timer)
    forget()
  }

  return {
    ...{ shelf, content, typed, failure, contentFailure, loading, changes, dirty, making },
    ...{ load, read, forget, type, discard, make, save, restore, finish, close },
  }
})

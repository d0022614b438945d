/**
 * The draft of the present call's work order, which whoever has the call writes on.
 *
 * Saved by itself a second after the last key; what others save meanwhile is taken in field by field. A field that
 * both changed waits for a decision, and nothing is saved until then: neither's words are lost.
 */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'

import { api, ApiError } from '@/api/client'
import type { Draft, DraftFields } from '@/api/types'
import { type Conflict, EMPTY, type FieldName, merge, same } from '@/draft/merge'
import { keepTyping, typingOf } from '@/draft/typing'

import { useLive } from './live'
import { useSession } from './session'

const AFTER_LAST_KEY_MS = 1_000
const AGAIN_MS = 5_000

export const useDraft = defineStore('draft', () => {
  const live = useLive()
  const session = useSession()
  const callId = ref<string | null>(null)
  /** The draft as the server last told it; null until it did. */
  const saved = shallowRef<Draft | null>(null)
  const fields = shallowRef<DraftFields>(EMPTY)
  const conflicts = shallowRef<readonly Conflict[]>([])
  /** Fields that were written in on this page: nothing is offered for them any more. */
  const touched = shallowRef<ReadonlySet<FieldName>>(new Set())
  const saving = ref(false)
  const failed = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Counts the turns to a call: an answer to what was asked before the last one says nothing of what is shown. */
  let turn = 0

  const base = computed(() => saved.value?.fields ?? EMPTY)
  const dirty = computed(() => saved.value !== null && !same(fields.value, base.value))
  const user = computed(() => session.me?.user ?? '')

  function keep(): void {
    const id = callId.value
    if (id === null || saved.value === null) return
    const typing = { revision: saved.value.revision, base: base.value, fields: fields.value }
    keepTyping(user.value, id, dirty.value ? typing : null)
  }

  function later(milliseconds: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void save(), milliseconds)
  }

  /** Takes in what the server has: as it is, or merged with what was typed here. */
  function takeIn(draft: Draft): void {
    if (draft.call_id !== callId.value || draft.revision < (saved.value?.revision ?? 0)) return
    const typed = saved.value === null ? typingOf(user.value, draft.call_id) : null
    const merged = merge(typed?.base ?? base.value, typed?.fields ?? fields.value, draft)
    const begun = saved.value === null && typed === null
    saved.value = draft
    fields.value = begun ? draft.fields : merged.fields
    const undecided = conflicts.value.filter((one) => fields.value[one.field] !== draft.fields[one.field])
    const told = new Set(merged.conflicts.map((one) => one.field))
    conflicts.value = begun
      ? []
      : [
          ...undecided
            .filter((one) => !told.has(one.field))
            .map((one) => ({ ...one, theirs: draft.fields[one.field] })),
          ...merged.conflicts,
        ]
    keep()
    if (dirty.value) later(AFTER_LAST_KEY_MS)
  }

  async function load(): Promise<void> {
    const [id, asked] = [callId.value, turn]
    if (id === null) return
    try {
      const draft = await api.draft(id)
      if (asked === turn) takeIn(draft)
    } catch {
      // Asked again at the next saving, which is refused as stale if anything was missed.
    }
  }

  function edit(change: Partial<DraftFields>): void {
    if (saved.value === null) return
    fields.value = { ...fields.value, ...change }
    touched.value = new Set([...touched.value, ...(Object.keys(change) as FieldName[])])
    keep()
    if (dirty.value) later(AFTER_LAST_KEY_MS)
  }

  /** Decides a field that both changed: the own words, or the other's. */
  function decide(field: FieldName, whose: 'mine' | 'theirs'): void {
    const conflict = conflicts.value.find((one) => one.field === field)
    conflicts.value = conflicts.value.filter((one) => one.field !== field)
    if (whose === 'theirs' && conflict !== undefined) edit({ [field]: conflict.theirs })
    else later(0)
  }

  async function save(): Promise<void> {
    clearTimeout(timer)
    const [id, before, written, asked] = [callId.value, saved.value, fields.value, turn]
    if (id === null || before === null || conflicts.value.length > 0 || !dirty.value) return
    if (saving.value) return later(AFTER_LAST_KEY_MS)
    saving.value = true
    try {
      // the words are the own ones: those of the answer may be masked
      const draft = { ...(await api.saveDraft(id, before.revision, written)), fields: written }
      if (asked === turn) isSaved(draft)
      else if (callId.value !== id) keepTyping(user.value, id, null)
    } catch (error) {
      if (asked === turn) notSaved(error)
    } finally {
      saving.value = false
    }
    if (callId.value === id && (live.state.drafts[id] ?? 0) > (saved.value?.revision ?? 0)) await load()
  }

  function isSaved(draft: Draft): void {
    saved.value = draft
    failed.value = false
    keep()
    if (dirty.value) later(AFTER_LAST_KEY_MS)
  }

  function notSaved(error: unknown): void {
    const newer = staleWith(error)
    failed.value = newer === null
    if (newer !== null) takeIn(newer)
    else if (!(error instanceof ApiError) || error.status === 0 || error.status >= 500) later(AGAIN_MS)
  }

  /** Turns to another call, or to none; what was being written on the one before is saved. */
  function turnTo(id: string | null): void {
    if (id === callId.value) return
    void save()
    turn += 1
    callId.value = id
    saved.value = null
    fields.value = EMPTY
    conflicts.value = []
    touched.value = new Set()
    failed.value = false
  }

  watch(
    () => live.state.drafts[callId.value ?? ''],
    (revision) => {
      if (revision !== undefined && !saving.value && revision > (saved.value?.revision ?? 0)) void load()
    },
  )
  watch(
    () => live.broken,
    (broken) => {
      if (broken) return
      void load() // what was missed meanwhile
      void save()
    },
  )

  return {
    callId,
    saved,
    fields,
    conflicts,
    touched,
    saving,
    failed,
    dirty,
    takeIn,
    load,
    edit,
    decide,
    save,
    turnTo,
  }
})

/** The newer draft that a refused saving came back with. */
function staleWith(error: unknown): Draft | null {
  if (!(error instanceof ApiError) || error.code !== 'stale') return null
  return (error.body as { draft?: Draft } | null)?.draft ?? null
}

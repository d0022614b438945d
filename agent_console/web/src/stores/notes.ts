/**
 * Notes on the call that is open: those written before (by whoever had it first) and the one being written.
 *
 * What is being written is kept in this tab with every key stroke, so that a reload loses nothing, and goes to the
 * server when the field is left, at Ctrl+Enter, and when the call or its wrap-up ends. Notes are only ever added.
 */

import { defineStore } from 'pinia'
import { ref, shallowRef, watch } from 'vue'

import { api } from '@/api/client'
import type { Note } from '@/api/types'

import { useDraft } from './draft'
import { useLive } from './live'

const KEY = 'hotline.note.'

export const useNotes = defineStore('notes', () => {
  const live = useLive()
  const order = useDraft()
  const callId = ref<string | null>(null)
  const notes = shallowRef<readonly Note[]>([])
  const draft = ref('')
  const status = ref<'idle' | 'saving' | 'saved' | 'failed'>('idle')
  /** What others wrote could not be fetched. */
  const unread = ref(false)

  watch(draft, (text) => {
    if (callId.value === null) return
    if (text === '') sessionStorage.removeItem(KEY + callId.value)
    else sessionStorage.setItem(KEY + callId.value, text)
    if (text !== '' && status.value !== 'saving') status.value = 'idle'
  })

  /** Fetches what the call brings along: notes, the draft, and the text heard before it came here. */
  async function load(): Promise<void> {
    const id = callId.value
    if (id === null) return
    try {
      const past = await api.call(id)
      live.textIs(past.segments)
      order.takeIn(past.draft)
      if (callId.value === id) notes.value = past.notes
      unread.value = false
    } catch {
      unread.value = true // said beside the notes, with a way to try again
    }
  }

  async function save(): Promise<void> {
    const id = callId.value
    const text = draft.value.trim()
    if (id === null || text === '' || status.value === 'saving') return
    status.value = 'saving'
    try {
      const saved = await api.note(id, text)
      sessionStorage.removeItem(KEY + id)
      if (callId.value !== id) return
      notes.value = [...notes.value, saved]
      if (draft.value.trim() === text) draft.value = ''
      status.value = 'saved'
    } catch {
      if (callId.value === id) status.value = 'failed' // the text is still there, with a way to try again
    }
  }

  /** Turns to another call, or to none; what was being written on the one before is saved. */
  async function turnTo(id: string | null): Promise<void> {
    if (id === callId.value) return
    const saving = save()
    callId.value = id
    order.turnTo(id)
    notes.value = []
    draft.value = id === null ? '' : (sessionStorage.getItem(KEY + id) ?? '')
    status.value = 'idle'
    unread.value = false
    await Promise.all([saving, load()])
  }

  return { callId, notes, draft, status, unread, load, save, turnTo }
})

/**
 * Notes on the call that is open: those written before (by whoever had it first) and the one being written.
 *
 * What is being written is kept in this tab with every key stroke, so that a reload loses nothing, and goes to the
 * server when the field is left, at Ctrl+Enter, and when the call or its wrap-up ends. What could not be saved stays
 * in the tab until it is, whichever call is on by then. Notes are only ever added.
 */

import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'

import { api } from '@/api/client'
import type { Note } from '@/api/types'

import { useDraft } from './draft'
import { useLive } from './live'
import { useSession } from './session'

/** What a user wrote in this tab and is not saved, by call. */
function keptBefore(prefix: string): Record<string, string> {
  const keys = Object.keys(sessionStorage).filter((key) => key.startsWith(prefix))
  return Object.fromEntries(keys.map((key) => [key.slice(prefix.length), sessionStorage.getItem(key) ?? '']))
}

export const useNotes = defineStore('notes', () => {
  const live = useLive()
  const order = useDraft()
  const session = useSession()
  const callId = ref<string | null>(null)
  const notes = shallowRef<readonly Note[]>([])
  const prefix = computed(() => `hotline.note.${session.me?.user ?? ''}.`)
  const kept = ref<Readonly<Record<string, string>>>({})
  const status = ref<'idle' | 'saving' | 'saved' | 'failed'>('idle')
  /** What others wrote could not be fetched. */
  const unread = ref(false)
  const running = new Map<string, Promise<boolean>>()

  watch(prefix, (mine) => (kept.value = keptBefore(mine)), { immediate: true, flush: 'sync' })

  function keep(id: string, text: string): void {
    const { [id]: _, ...others } = kept.value
    kept.value = text === '' ? others : { ...others, [id]: text }
    if (text === '') sessionStorage.removeItem(prefix.value + id)
    else sessionStorage.setItem(prefix.value + id, text)
  }

  const draft = computed({
    get: () => kept.value[callId.value ?? ''] ?? '',
    set: (text) => {
      if (callId.value === null) return
      keep(callId.value, text)
      if (text !== '' && status.value !== 'saving') status.value = 'idle'
    },
  })

  /** What was written on calls before and could not be saved. */
  const unsaved = computed(() =>
    Object.entries(kept.value)
      .filter(([id, text]) => id !== callId.value && text.trim() !== '' && !running.has(id))
      .map(([id, text]) => ({ callId: id, text })),
  )

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

  async function send(id: string): Promise<boolean> {
    const text = kept.value[id] ?? ''
    if (text.trim() === '') return true
    if (callId.value === id) status.value = 'saving'
    try {
      const saved = await api.note(id, text.trim())
      const now = kept.value[id] ?? ''
      keep(id, now.startsWith(text) ? now.slice(text.length).trimStart() : now) // typed on meanwhile
      if (callId.value === id) {
        notes.value = [...notes.value, saved]
        status.value = 'saved'
      }
      return true
    } catch {
      if (callId.value === id) status.value = 'failed' // the text is still there, with a way to try again
      return false
    }
  }

  /** Saves what was written on a call, after what is being saved of it already. Says whether all of it is. */
  async function save(id: string | null = callId.value): Promise<boolean> {
    if (id === null) return true
    const mine = (running.get(id) ?? Promise.resolve(true)).then(() => send(id))
    running.set(id, mine)
    const done = await mine
    if (running.get(id) === mine) {
      running.delete(id)
      kept.value = { ...kept.value } // what is no longer under way may now be told as unsaved
    }
    return done
  }

  /** Saves all that is left, before the page is left. */
  async function saveAll(): Promise<boolean> {
    return (await Promise.all(Object.keys(kept.value).map((id) => save(id)))).every(Boolean)
  }

  /** What shall not be kept after all. */
  const discard = (id: string): void => keep(id, '')

  /** Turns to another call, or to none; what was being written on the one before is saved. */
  async function turnTo(id: string | null): Promise<void> {
    if (id === callId.value) return
    const saving = save()
    callId.value = id
    order.turnTo(id)
    notes.value = []
    status.value = 'idle'
    unread.value = false
    await Promise.all([saving, load()])
  }

  return { callId, notes, draft, status, unread, unsaved, load, save, saveAll, discard, turnTo }
})

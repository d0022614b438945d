/** What was typed and is not saved yet, kept in this browser over a reload; gone when it is saved or signed out. */

import type { DraftFields } from '@/api/types'

const PREFIX = 'hotline.draft.'

/** What was typed, and the draft that it was typed on. */
export interface Typing {
  readonly revision: number
  readonly base: DraftFields
  readonly fields: DraftFields
}

const key = (user: string, callId: string): string => `${PREFIX}${encodeURIComponent(user)}.${callId}`

export function keepTyping(user: string, callId: string, typing: Typing | null): void {
  try {
    if (typing === null) localStorage.removeItem(key(user, callId))
    else localStorage.setItem(key(user, callId), JSON.stringify(typing))
  } catch {
    // A full or forbidden storage: what is typed is still on the page, and is saved a second later.
  }
}

export function typingOf(user: string, callId: string): Typing | null {
  try {
    return JSON.parse(localStorage.getItem(key(user, callId)) ?? 'null') as Typing | null
  } catch {
    return null
  }
}

export function forgetTyping(user: string): void {
  const prefix = `${PREFIX}${encodeURIComponent(user)}.`
  for (const one of Object.keys(localStorage)) if (one.startsWith(prefix)) localStorage.removeItem(one)
}

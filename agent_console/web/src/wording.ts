/** How texts are shown: as written or as heard, with keywords marked. */

import { ref } from 'vue'

import type { Utterance } from '@/live/transcript'

/** Texts are read as they were heard, on every page, until somebody changes back. */
export const asHeard = ref(false)

export interface Part {
  readonly text: string
  readonly marked: boolean
}

/** A text cut where keywords begin and end; of two at one place the longer is marked. */
export function parts(text: string, keywords: readonly string[]): readonly Part[] {
  const longestFirst = [...keywords].sort((one, other) => other.length - one.length)
  const found: Part[] = []
  let plain = 0
  let at = 0
  while (at < text.length) {
    const keyword = longestFirst.find((word) => text.startsWith(word, at))
    if (keyword === undefined) {
      at += 1
      continue
    }
    if (plain < at) found.push({ text: text.slice(plain, at), marked: false })
    found.push({ text: keyword, marked: true })
    at += keyword.length
    plain = at
  }
  if (plain < text.length) found.push({ text: text.slice(plain), marked: false })
  return found
}

/** The text to show of an utterance. */
export function shownText(item: Utterance, heard: boolean): string {
  return heard ? item.text : item.written
}

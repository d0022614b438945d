/** A text cut at its marks, so that a page shows them without any HTML in the text. Pure. */

import type { Mark } from '@/api/types'

export interface MarkedPiece {
  readonly text: string
  readonly marked: boolean
}

/** Marks count characters as people do; JavaScript's own indices count some of them twice. */
export function cutAtMarks(text: string, marks: readonly Mark[]): readonly MarkedPiece[] {
  const characters = [...text]
  const pieces: MarkedPiece[] = []
  const add = (from: number, to: number, marked: boolean): void => {
    if (from < to) pieces.push({ text: characters.slice(from, to).join(''), marked })
  }
  let at = 0
  for (const [from, to] of marks) {
    add(at, from, false)
    add(from, to, true)
    at = to
  }
  add(at, characters.length, false)
  return pieces
}

/** Test calls as the page shows them: what is typed on a listener's sheet, and what is known of a call. Pure. */

import { MARK_PARTS, type MarkPart, type TestCall, type TrialMarks } from '@/api/trials'

/** The sheet as typed. */
export type Typed = Record<MarkPart | 'person_seconds' | 'note', string>

const shown = (value: number | null): string => (value === null ? '' : String(value))

export function typedOf(marks: TrialMarks): Typed {
  return {
    menu: shown(marks.menu),
    answering: shown(marks.answering),
    manner: shown(marks.manner),
    knowledge: shown(marks.knowledge),
    call_back: shown(marks.call_back),
    person_seconds: shown(marks.person_seconds),
    note: marks.note,
  }
}

/** A number as typed; undefined: it is none. Nothing typed is null: not marked. */
function numberOf(text: string): number | null | undefined {
  const plain = text.trim()
  if (plain === '') return null
  return /^\d+(\.\d{1,2})?$/.test(plain) ? Number(plain) : undefined
}

export interface Read {
  readonly marks: TrialMarks
  /** Fields that hold no number, or more than they may. */
  readonly wrong: readonly (keyof Typed)[]
}

/** Reads a sheet; `most` bounds the fields: full marks, and the call's length for when a person spoke. */
export function readSheet(
  typed: Typed,
  full: Readonly<Record<MarkPart, number>>,
  spokenSeconds: number,
): Read {
  const wrong: (keyof Typed)[] = []
  const read = (field: Exclude<keyof Typed, 'note'>, most: number): number | null => {
    const found = numberOf(typed[field])
    if (found !== undefined && (found === null || found <= most)) return found
    wrong.push(field)
    return null
  }
  const points = Object.fromEntries(MARK_PARTS.map((part) => [part, read(part, full[part])]))
  const person_seconds = read('person_seconds', spokenSeconds)
  return { marks: { ...points, person_seconds, note: typed.note.trim() } as TrialMarks, wrong }
}

export type Points = Readonly<Record<MarkPart, number | null>>

/** What the parts come to; null while nothing is marked. `whole`: nothing is left to mark. */
export function pointsOf(marks: Points): { readonly points: number | null; readonly whole: boolean } {
  const given = MARK_PARTS.map((part) => marks[part]).filter((points) => points !== null)
  const points = given.length === 0 ? null : given.reduce((sum, one) => sum + one, 0)
  return { points, whole: given.length === MARK_PARTS.length }
}

/** From the first ring to a person: the listener's word goes before the ledger's. */
export function reachedSeconds(call: TestCall): number | null {
  const person = call.marks.person_seconds ?? call.person_seconds
  return person === null || call.answer_seconds === null ? null : call.answer_seconds + person
}

/** How long the menu took: until the last key was pressed, each once the other side was quiet; null without keys. */
export function menuSeconds({ keys }: TestCall): number | null {
  const last = /@(\d+(?:\.\d+)?)$/.exec(keys)
  return last === null ? null : Number(last[1])
}

/** Whether the line that ought to answer did; null where that is not asked or not known. */
export function asExpected({ order, reached_line: reached }: TestCall): boolean | null {
  return order.line === '' || reached === null ? null : order.line === reached
}

/** How fast an answer is: what inspectors praise (15 s) and what they criticise (28 s and more). */
export function speedOf(seconds: number | null): 'good' | 'slow' | 'bad' | null {
  if (seconds === null) return null
  return seconds <= 15 ? 'good' : seconds < 28 ? 'slow' : 'bad'
}

/** Of speech on a telephone; beyond these it is hard to understand. */
export function levelOf(dbfs: number | null): 'fine' | 'faint' | 'loud' | null {
  if (dbfs === null) return null
  return dbfs < -35 ? 'faint' : dbfs > -8 ? 'loud' : 'fine'
}

const DIALLABLE = /^\+?[0-9*#]{1,20}$/
export const diallable = (number: string): boolean => DIALLABLE.test(number.trim())
export const pressable = (keys: string): boolean => /^[0-9*#]{0,10}$/.test(keys.trim())

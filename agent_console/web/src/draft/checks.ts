/** What inspectors deduct points for, found while it is typed: pure. Warnings only; a draft is always saved. */

import type { DraftFields } from '@/api/types'

export const LEAST_CHARACTERS = 20

export type Warning = 'short' | 'informed' | 'refused' | 'address_male' | 'address_female'

/** How many Chinese characters a text has: signs, digits and letters do not count. */
export const characters = (text: string): number => text.match(/\p{Script=Han}/gu)?.length ?? 0

/** Closed on the phone, yet it says that a department was told. */
const INFORMED =
  /已告知|(?:通知|转告|移交|转交|转办|派单)(?:了|给|至|到)?[^，。；！？\n]{0,12}(?:单位|部门|局|委|办|街道|社区)/u
const REFUSED = /不予受理/u

/** The caller addressed as the other sex: by role or by their own surname. A third party's address is no matter. */
function addressed(fields: DraftFields, words: string): boolean {
  const surname = /^\p{Script=Han}/u.exec(fields.name)?.[0]
  const who = ['市民', '来电人', '诉求人', '群众', ...(surname === undefined ? [] : [surname])].join('|')
  const text = `${fields.title}\n${fields.content}`
  return (
    new RegExp(words, 'u').test(fields.name) ||
    new RegExp(`(?:${who})\\p{Script=Han}{0,2}?(?:${words})`, 'u').test(text)
  )
}

export function warningsOf(fields: DraftFields): readonly Warning[] {
  const found: Warning[] = []
  const text = `${fields.title}\n${fields.content}`
  if (fields.content.trim() !== '' && characters(fields.content) < LEAST_CHARACTERS) found.push('short')
  if (fields.answered && INFORMED.test(text)) found.push('informed')
  if (REFUSED.test(text)) found.push('refused')
  if (fields.sex === 'male' && addressed(fields, '女士|小姐|大姐|阿姨')) found.push('address_female')
  if (fields.sex === 'female' && addressed(fields, '先生|大哥|大爷|大叔')) found.push('address_male')
  return found
}

/** Two people write on one draft: field by field, pure. */

import type { Draft, DraftFields } from '@/api/types'

export type FieldName = keyof DraftFields

/** A field that both changed: `theirs` is what stands in the draft now. */
export interface Conflict {
  readonly field: FieldName
  readonly theirs: DraftFields[FieldName]
  readonly by: string | null
}

export interface Merged {
  readonly fields: DraftFields
  readonly conflicts: readonly Conflict[]
}

export const EMPTY: DraftFields = {
  name: '',
  sex: null,
  phone: '',
  address: '',
  request_type: null,
  title: '',
  content: '',
  unit: '',
  urgent: false,
  answered: false,
  platform: '',
  goods: '',
  price: '',
  bought_on: '',
  order_number: '',
}

export const FIELDS = Object.keys(EMPTY) as readonly FieldName[]

export const same = (one: DraftFields, other: DraftFields): boolean =>
  FIELDS.every((field) => one[field] === other[field])

/**
 * What to show when `theirs` was saved while `mine` was written on `base`: untouched fields take the other's value,
 * the own ones stay, and a field that both changed is a conflict, in which the own words stay until it is decided.
 */
export function merge(base: DraftFields, mine: DraftFields, theirs: Draft): Merged {
  const conflicts: Conflict[] = []
  const entries = FIELDS.map((field) => {
    const [was, own, other] = [base[field], mine[field], theirs.fields[field]]
    if (own === was || own === other) return [field, other] as const
    if (other !== was) conflicts.push({ field, theirs: other, by: theirs.updated_by })
    return [field, own] as const
  })
  return { fields: Object.fromEntries(entries) as unknown as DraftFields, conflicts }
}

/** How the fields of a draft are called, and their values said: keys of the texts. */

import type { DraftFields } from '@/api/types'

import type { FieldName } from './merge'

export const LABELS: Readonly<Record<FieldName, string>> = {
  name: 'draft.name',
  sex: 'draft.sex',
  phone: 'draft.phone',
  address: 'draft.address',
  request_type: 'draft.type',
  title: 'draft.subject',
  content: 'draft.content',
  unit: 'draft.unit',
  urgent: 'draft.urgent',
  answered: 'draft.answered',
  platform: 'draft.platform',
  goods: 'draft.goods',
  price: 'draft.price',
  bought_on: 'draft.bought_on',
  order_number: 'draft.order_number',
}

/** What a field says: empty where it says nothing; a flag that is set says its own name. */
export function said(fields: DraftFields, field: FieldName, t: (key: string) => string): string {
  const value = fields[field]
  if (value === null || value === '' || value === false) return ''
  if (field === 'sex') return t(`draft.sexOf.${value}`)
  if (field === 'request_type') return t(`draft.typeOf.${value}`)
  return value === true ? t(LABELS[field]) : value
}

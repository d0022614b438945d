import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'

import CallCard from '@/components/CallCard.vue'
import { i18n } from '@/i18n'
import { useSession } from '@/stores/session'

import { call, site } from './samples'

beforeEach(() => setActivePinia(createPinia()))

describe('the card of a call', () => {
  const lists = (caller_lists: readonly string[]): string[] => {
    useSession().site = site()
    const shown = { ...call({ caller_lists }), rings: [], ended_at: null, outcome: null }
    const props = { call: shown, phase: 'ringing' as const }
    const card = mount(CallCard, { props, global: { plugins: [i18n] } })
    const found = card.findAll('[data-testid="call-lists"] li').map((one) => one.text())
    card.unmount()
    return found
  }

  it('says on which lists the caller is, one that is no longer known by its name', () => {
    expect(lists(['deputies', 'gone'])).toEqual(['人大代表', 'gone'])
    expect(lists([])).toEqual([])
  })
})

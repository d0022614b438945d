import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'

import QueueChoice from '@/components/QueueChoice.vue'
import { i18n } from '@/i18n'

import { me } from './samples'

beforeEach(() => setActivePinia(createPinia()))

describe('signing in to some queues', () => {
  it('begins with all, leaves out what is unticked, and never signs in to none', async () => {
    const choice = mount(QueueChoice, { props: { queues: me().queues }, global: { plugins: [i18n] } })
    await choice.find('[data-testid=choose-queues]').trigger('click')
    await choice.trigger('keydown', { key: '1' })
    await choice.find('[data-queue="12315"]').trigger('change')
    await choice.trigger('keydown', { key: 'Enter' })
    expect(choice.emitted('choose')).toBeUndefined()
    await choice.trigger('keydown', { key: '2' })
    await choice.trigger('keydown', { key: 'Enter' })
    expect(choice.emitted('choose')).toEqual([[['12315']]])
  })
})

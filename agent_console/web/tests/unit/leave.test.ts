import { flushPromises, mount, RouterLinkStub, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { api, ApiError } from '@/api/client'
import type { AgentState } from '@/api/types'
import TopBar from '@/components/TopBar.vue'
import { i18n } from '@/i18n'
import { useLive } from '@/stores/live'
import { useSession } from '@/stores/session'

import { agent, me, site } from './samples'

let bar: VueWrapper
let done: string[]

async function leaving(state: AgentState): Promise<void> {
  useSession().me = me({ agent: agent({ state }) })
  bar = mount(TopBar, {
    global: { plugins: [i18n], stubs: { RouterLink: RouterLinkStub } },
    attachTo: document.body,
  })
  await bar.find('[data-testid=leave]').trigger('click')
  await flushPromises()
}

async function agree(): Promise<void> {
  await bar.find('[data-testid=confirm-yes]').trigger('click')
  await flushPromises()
}

beforeEach(() => {
  setActivePinia(createPinia())
  sessionStorage.clear()
  useSession().site = site()
  done = []
  vi.spyOn(useLive(), 'close').mockImplementation(() => void done.push('close'))
  vi.spyOn(api, 'agentSignOut').mockImplementation(() => {
    done.push('sign out')
    return Promise.resolve(agent({ state: 'signed_out' }))
  })
  vi.spyOn(api, 'leave').mockImplementation(() => {
    done.push('leave')
    return Promise.resolve()
  })
})

afterEach(() => {
  bar.unmount()
  document.body.replaceChildren()
  vi.restoreAllMocks()
})

describe('leaving the page', () => {
  it('asks whoever still serves queues, and signs out of them first', async () => {
    await leaving('ready')
    expect(done).toEqual([])
    await agree()
    expect(done).toEqual(['sign out', 'leave', 'close'])
    expect(useSession().me).toBeNull()
  })

  it('is at once for whoever is signed out, and not possible during a call', async () => {
    await leaving('talking')
    expect(done).toEqual([])
    expect(document.querySelector('.el-message')?.textContent).toContain('请先结束手上的电话')
    bar.unmount()
    await leaving('signed_out')
    expect(done).toEqual(['leave', 'close'])
  })

  it('that fails is told, and the page goes on, connected', async () => {
    vi.spyOn(api, 'leave').mockRejectedValue(new ApiError(503, 'database_unavailable', ''))
    await leaving('signed_out')
    expect(done).toEqual([])
    expect(useSession().me).not.toBeNull()
    expect(document.querySelector('.el-message')?.textContent).toContain('数据库暂时不可用')
  })

  it('is no lost sign-in although the server closes the socket with it', async () => {
    vi.spyOn(api, 'leave').mockImplementation(() => {
      useSession().forget() // what the closing of the socket does
      return Promise.resolve()
    })
    await leaving('signed_out')
    expect([useSession().me, useSession().ended]).toEqual([null, false])
  })
})

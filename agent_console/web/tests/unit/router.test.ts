import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { api, ApiError } from '@/api/client'
import type { Me } from '@/api/types'
import { router, safeTarget } from '@/router'
import { useSession } from '@/stores/session'

import { me, site } from './samples'

router.onError(() => undefined) // the test that expects one asserts it

beforeEach(() => setActivePinia(createPinia()))
afterEach(() => vi.restoreAllMocks())

function as(user: Me | null): void {
  vi.spyOn(api, 'site').mockResolvedValue(site())
  if (user === null) vi.spyOn(api, 'me').mockRejectedValue(new ApiError(401, 'not_signed_in', ''))
  else vi.spyOn(api, 'me').mockResolvedValue(user)
}

const goTo = async (path: string): Promise<string> => {
  await router.push(path)
  return router.currentRoute.value.fullPath
}

describe('the way in', () => {
  it('is the sign-in for a stranger, and remembers where they wanted to go', async () => {
    as(null)
    expect(await goTo('/wallboard/calls')).toBe('/login?next=/wallboard/calls')
    expect(await goTo('/')).toBe('/login')
  })

  it('leads an agent to the agent page and a supervisor to the floor', async () => {
    as(me())
    expect(await goTo('/')).toBe('/agent')
    useSession().$dispose()
    setActivePinia(createPinia())
    as(me({ role: 'supervisor' }))
    expect(await goTo('/')).toBe('/board')
  })

  it('passes by the sign-in when it is done already', async () => {
    as(me())
    expect(await goTo('/login?next=/wallboard')).toBe('/wallboard')
  })

  it('does not take a server that cannot be reached for a missing sign-in', async () => {
    vi.spyOn(api, 'me').mockRejectedValue(new ApiError(0, 'unreachable', ''))
    await expect(router.push('/agent?again')).rejects.toMatchObject({ code: 'unreachable' })
    expect(useSession().asked).toBe(false)
  })
})

describe('where to go after signing in', () => {
  it.each([
    ['/wallboard', '/wallboard'],
    ['//evil.example', '/agent'],
    ['/\\evil.example', '/agent'],
    ['https://evil.example', '/agent'],
    ['/login?next=/login', '/agent'],
    [undefined, '/agent'],
  ])('%s leads to %s', (wanted, target) => {
    expect(safeTarget(wanted, '/agent')).toBe(target)
  })
})

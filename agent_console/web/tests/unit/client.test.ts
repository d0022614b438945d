import { afterEach, describe, expect, it, vi } from 'vitest'

import { api, ApiError } from '@/api/client'
import { errorText } from '@/errors'

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(status === 204 ? null : typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers,
  })

function serve(respond: () => Response | Promise<Response>): ReturnType<typeof vi.fn> {
  const fetcher = vi.fn(async () => respond())
  vi.stubGlobal('fetch', fetcher)
  return fetcher
}

const thrown = async (work: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await work.catch((one: unknown) => one)
  if (!(error instanceof ApiError)) throw new Error('no ApiError was thrown')
  return error
}

afterEach(() => vi.unstubAllGlobals())

describe('the API', () => {
  it('sends JSON and gives the answer', async () => {
    const fetcher = serve(() => answer(200, { user: 'chen' }))
    expect(await api.signIn('chen', 'secret')).toEqual({ user: 'chen' })
    expect(fetcher).toHaveBeenCalledWith(
      '/api/session',
      expect.objectContaining({ method: 'POST', body: '{"user":"chen","password":"secret"}' }),
    )
  })

  it('writes call ids and moments so that they survive the address', async () => {
    const fetcher = serve(() => answer(200, { calls: [] }))
    await api.call('node1-1.2/../x?')
    expect(fetcher.mock.calls[0]?.[0]).toBe('/api/calls/node1-1.2%2F..%2Fx%3F')
    await api.calls(50, '2026-10-01T10:00:00+08:00')
    expect(fetcher.mock.calls[1]?.[0]).toBe('/api/calls?limit=50&before=2026-10-01T10%3A00%3A00%2B08%3A00')
  })

  it('takes an empty answer', async () => {
    serve(() => answer(204, null))
    expect(await api.leave()).toBeUndefined()
  })

  it("tells the server's reason, in words of its own where it knows the obstacle", async () => {
    const said = async (code: string): Promise<string> => {
      serve(() => answer(409, { error: { code, message: 'not signed in', hint: 'sign in first' } }))
      const error = await thrown(api.agentResume())
      expect(error).toMatchObject({ status: 409, code, hint: 'sign in first' })
      return errorText(error)
    }
    expect(await said('agent_signed_out')).toBe('还没有签入，请先签入')
    expect(await said('illegal_now')).toBe('现在不能这样做：not signed in sign in first')
    expect(await said('never_heard_of')).toBe('现在不能这样做：not signed in sign in first')
  })

  it('tells how long to wait after too many attempts', async () => {
    serve(() => answer(429, { error: { code: 'too_many_attempts', message: '' } }, { 'Retry-After': '42' }))
    expect(await thrown(api.signIn('a', 'b'))).toMatchObject({ retryAfterSeconds: 42 })
  })

  it('makes an error of a refusal that is no JSON, and of an answer that is none', async () => {
    serve(() => answer(502, '<html>'))
    expect(await thrown(api.me())).toMatchObject({ status: 502, code: 'bad_answer' })
    serve(() => answer(200, '<html>'))
    expect(await thrown(api.me())).toMatchObject({ code: 'bad_answer' })
  })

  it('says when the server cannot be reached', async () => {
    serve(() => Promise.reject(new TypeError('Failed to fetch')))
    const error = await thrown(api.me())
    expect(error).toMatchObject({ status: 0, code: 'unreachable' })
    expect(errorText(error)).toBe('连不上服务器，请稍后再试')
  })
})

describe('an error without a text of its own', () => {
  it("is told in the server's words", () => {
    expect(errorText(new ApiError(418, 'teapot', 'I am a teapot', 'Pour gently.'))).toBe(
      '没有成功：I am a teapot Pour gently.',
    )
    expect(errorText(new Error('odd'))).toContain('odd')
  })
})

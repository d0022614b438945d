import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { HelloFrame, ServerFrame } from '@/api/types'
import { backoffMs } from '@/live/backoff'
import { LiveSocket, type SocketStatus } from '@/live/socket'

class PretendSocket {
  static all: PretendSocket[] = []
  readonly sent: string[] = []
  closed = false
  onopen: (() => void) | null = null
  onmessage: ((message: { data: unknown }) => void) | null = null
  onclose: ((close: { code: number }) => void) | null = null

  constructor(readonly url: string) {
    PretendSocket.all.push(this)
  }

  send(text: string): void {
    this.sent.push(text)
  }

  close(): void {
    this.closed = true
  }

  welcome(): void {
    this.onopen?.()
    this.say({ type: 'welcome', boot_id: 'b', seq: 0, resumed: false })
  }

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
}

const last = (): PretendSocket => {
  const socket = PretendSocket.all.at(-1)
  if (socket === undefined) throw new Error('no socket was opened')
  return socket
}

describe('the connection', () => {
  let statuses: SocketStatus[]
  let frames: ServerFrame[]
  let signedOut: number
  let hello: HelloFrame
  let socket: LiveSocket

  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('WebSocket', PretendSocket)
    PretendSocket.all = []
    statuses = []
    frames = []
    signedOut = 0
    hello = { type: 'hello', topics: ['agent'], boot_id: null, last_seq: null }
    const owner = {
      hello: () => hello,
      frame: (frame: ServerFrame) => frames.push(frame),
      status: (status: SocketStatus) => statuses.push(status),
      signedOut: () => (signedOut += 1),
    }
    socket = new LiveSocket('ws://here/ws', owner, () => 1)
    socket.start()
  })

  afterEach(() => {
    socket.stop()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('says hello first and hands frames on', () => {
    last().welcome()
    last().say({ type: 'alive', seq: 4 })
    expect(JSON.parse(last().sent[0] ?? '')).toEqual(hello)
    expect(frames.map((frame) => frame.type)).toEqual(['welcome', 'alive'])
    expect(statuses).toEqual(['connecting', 'live'])
  })

  it('comes back by itself and says where it was', () => {
    last().welcome()
    hello = { ...hello, boot_id: 'b', last_seq: 7 }
    last().onclose?.({ code: 1012 })
    expect(statuses.at(-1)).toBe('reconnecting')
    vi.advanceTimersByTime(500)
    expect(PretendSocket.all).toHaveLength(2)
    last().welcome()
    expect(JSON.parse(last().sent[0] ?? '')).toMatchObject({ boot_id: 'b', last_seq: 7 })
    expect(statuses.at(-1)).toBe('live')
  })

  it('waits longer after each attempt in vain', () => {
    last().onclose?.({ code: 1006 })
    vi.advanceTimersByTime(500)
    last().onclose?.({ code: 1006 })
    vi.advanceTimersByTime(999)
    expect(PretendSocket.all).toHaveLength(2)
    vi.advanceTimersByTime(1)
    expect(PretendSocket.all).toHaveLength(3)
  })

  it('does not wait when the network is back', () => {
    last().onclose?.({ code: 1006 })
    socket.hurry()
    expect(PretendSocket.all).toHaveLength(2)
    vi.advanceTimersByTime(60_000)
    expect(PretendSocket.all.filter((one) => !one.closed)).toHaveLength(1)
  })

  it('takes a line that is silent for long for dead', () => {
    last().welcome()
    vi.advanceTimersByTime(39_000)
    last().say({ type: 'alive', seq: 1 })
    vi.advanceTimersByTime(39_000)
    expect(statuses.at(-1)).toBe('live')
    vi.advanceTimersByTime(2_000)
    expect(statuses.at(-1)).toBe('reconnecting')
    expect(PretendSocket.all[0]?.closed).toBe(true)
  })

  it('gives up on a server that accepts and says nothing', () => {
    last().onopen?.()
    vi.advanceTimersByTime(10_000)
    expect(statuses.at(-1)).toBe('reconnecting')
  })

  it('comes back at once when it was too slow', () => {
    last().welcome()
    last().onclose?.({ code: 4408 })
    vi.advanceTimersByTime(0)
    expect(PretendSocket.all).toHaveLength(2)
  })

  it('ends with the sign-in', () => {
    last().welcome()
    last().onclose?.({ code: 4401 })
    vi.advanceTimersByTime(60_000)
    expect(signedOut).toBe(1)
    expect(PretendSocket.all).toHaveLength(1)
  })

  it.each([4400, 4403, 1009])('does not come back after %d', (code) => {
    last().welcome()
    last().onclose?.({ code })
    vi.advanceTimersByTime(60_000)
    expect(statuses.at(-1)).toBe('refused')
    expect(PretendSocket.all).toHaveLength(1)
  })

  it('says when too many pages are open, and tries again later', () => {
    last().welcome()
    last().onclose?.({ code: 4429 })
    expect(statuses.at(-1)).toBe('crowded')
    vi.advanceTimersByTime(500)
    expect(PretendSocket.all).toHaveLength(2)
  })

  it('passes over what is no frame', () => {
    last().welcome()
    last().onmessage?.({ data: 'nonsense' })
    last().onmessage?.({ data: new ArrayBuffer(2) })
    expect(frames).toHaveLength(1)
  })

  it('stays closed once stopped', () => {
    last().welcome()
    socket.stop()
    vi.advanceTimersByTime(60_000)
    socket.hurry()
    expect(PretendSocket.all).toHaveLength(1)
    expect(last().closed).toBe(true)
    expect(statuses.at(-1)).toBe('closed')
  })
})

describe('the waits between attempts', () => {
  it('double up to a ceiling and are spread over their upper half', () => {
    const longest = [0, 1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(attempt, () => 1))
    expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000])
    expect(backoffMs(2, () => 0)).toBe(1000)
  })
})

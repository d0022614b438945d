/**
 * A WebSocket that comes back by itself.
 *
 * It says hello on every connection (with where the page is, so that the server resumes), hands each frame on, and
 * after a break waits with jittered back-off. The server gives a sign of life every 15 s; a connection that is silent
 * for much longer is taken for dead, because a browser is not told of a peer that vanished.
 */

import type { HelloFrame, ServerFrame } from '@/api/types'

import { backoffMs } from './backoff'
import { parseFrame } from './reducer'

/** `refused`: the server will not have us, and coming back by ourselves would not help. */
export type SocketStatus = 'connecting' | 'live' | 'reconnecting' | 'crowded' | 'refused' | 'closed'

/** The server's close codes that change what we do; see docs/console-api.md. */
const NOT_SIGNED_IN = 4401
const TOO_SLOW = 4408
const TOO_MANY_SOCKETS = 4429
const REFUSALS = new Set([4400, 4403, 1009])
const VANISHED = 1006

const SILENCE_MS = 40_000
const WELCOME_MS = 10_000

export interface SocketOwner {
  hello(): HelloFrame
  frame(frame: ServerFrame): void
  status(status: SocketStatus, attempt: number): void
  /** The session is over. The socket does not come back by itself. */
  signedOut(): void
}

export class LiveSocket {
  private socket: WebSocket | null = null
  private attempt = 0
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private silenceTimer: ReturnType<typeof setTimeout> | undefined
  private stopped = true

  constructor(
    private readonly url: string,
    private readonly owner: SocketOwner,
    private readonly random: () => number = Math.random,
  ) {}

  start(): void {
    if (!this.stopped) return
    this.stopped = false
    this.attempt = 0
    this.owner.status('connecting', 0)
    this.connect()
  }

  stop(): void {
    if (this.stopped) return
    this.stopped = true
    this.drop()
    this.owner.status('closed', 0)
  }

  /** Do not wait for the back-off: the network is back, or the page is looked at again. */
  hurry(): void {
    if (this.stopped || this.socket !== null) return
    clearTimeout(this.retryTimer)
    this.connect()
  }

  private connect(): void {
    const socket = new WebSocket(this.url)
    this.socket = socket
    this.expect(WELCOME_MS)
    socket.onopen = () => socket.send(JSON.stringify(this.owner.hello()))
    socket.onmessage = (message: MessageEvent) => this.received(message.data)
    socket.onclose = (close: CloseEvent) => this.lost(close.code)
  }

  private received(data: unknown): void {
    const frame = typeof data === 'string' ? parseFrame(data) : null
    if (frame === null) return
    if (frame.type === 'welcome') {
      this.attempt = 0
      this.owner.status('live', 0)
    }
    this.expect(SILENCE_MS)
    this.owner.frame(frame)
  }

  /** Something has to arrive within `ms`: at first the welcome, then a sign of life. */
  private expect(ms: number): void {
    clearTimeout(this.silenceTimer)
    this.silenceTimer = setTimeout(() => this.lost(VANISHED), ms)
  }

  private lost(code: number): void {
    this.drop()
    if (this.stopped) return
    if (code === NOT_SIGNED_IN || REFUSALS.has(code)) {
      this.stopped = true
      this.owner.status(code === NOT_SIGNED_IN ? 'closed' : 'refused', 0)
      if (code === NOT_SIGNED_IN) this.owner.signedOut()
      return
    }
    const wait = code === TOO_SLOW ? 0 : backoffMs(this.attempt, this.random)
    this.attempt += 1
    this.owner.status(code === TOO_MANY_SOCKETS ? 'crowded' : 'reconnecting', this.attempt)
    this.retryTimer = setTimeout(() => this.connect(), wait)
  }

  /** Lets go of the connection at once, without waiting for the peer's goodbye. */
  private drop(): void {
    clearTimeout(this.retryTimer)
    clearTimeout(this.silenceTimer)
    const socket = this.socket
    this.socket = null
    if (socket === null) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}

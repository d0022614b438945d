import { describe, expect, it } from 'vitest'

import { NO_OFFSET, observe, secondsSince } from '@/live/clock'

import { at, T0 } from './samples'

const server = Date.parse(T0)

describe("the server's clock", () => {
  it('is told from the quickest message, not from the slow ones', () => {
    const local = server - 5_000 // this computer is five seconds behind
    let offset = observe(NO_OFFSET, T0, local + 900)
    expect(offset.ms).toBe(4_100)
    offset = observe(offset, at(1), local + 1_000 + 20)
    expect(offset.ms).toBe(4_980)
    offset = observe(offset, at(2), local + 2_000 + 700)
    expect(offset.ms).toBe(4_980)
  })

  it('is not disturbed by old events that are replayed', () => {
    const offset = observe(observe(NO_OFFSET, T0, server), at(-300), server + 10)
    expect(offset.ms).toBe(0)
  })

  it('is followed when a clock is set', () => {
    let offset = observe(NO_OFFSET, at(60), server)
    for (let n = 0; n < 64; n += 1) offset = observe(offset, at(n), server + n * 1000)
    expect(offset.ms).toBe(0)
  })

  it('passes over what is no moment', () => {
    expect(observe(NO_OFFSET, 'yesterday', server)).toBe(NO_OFFSET)
  })
})

describe('running times', () => {
  it('count from a server moment and are never negative', () => {
    expect(secondsSince(T0, server + 2_500)).toBe(2.5)
    expect(secondsSince(at(3), server)).toBe(0)
    expect(secondsSince('', server)).toBe(0)
  })
})

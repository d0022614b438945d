/** Control of the own live call: one command at a time, its answer shown at once. */

import { defineStore } from 'pinia'
import { ref } from 'vue'

import { api, type CallVerb } from '@/api/client'
import type { CallView, Target } from '@/api/types'
import { obstacle, type ControlCommand, type Obstacle } from '@/control'

import { useLive } from './live'
import { useSeat } from './seat'

const VERBS: Readonly<Record<Exclude<ControlCommand, 'transfer' | 'consult' | 'emergency'>, CallVerb>> = {
  answer: 'answer',
  hangup: 'hangup',
  hold: 'hold',
  unhold: 'unhold',
  mute: 'mute',
  unmute: 'unmute',
  complete: 'consult/complete',
  cancel: 'consult/cancel',
  'three-way': 'three-way',
  'pause-recording': 'recording/pause',
  'resume-recording': 'recording/resume',
}

export type PlainCommand = keyof typeof VERBS

export const useControls = defineStore('controls', () => {
  const live = useLive()
  const seat = useSeat()
  /** The command under way: until its answer no other is given. */
  const busy = ref<ControlCommand | null>(null)

  /** Why a command cannot be given now; null when it can. */
  function why(command: ControlCommand): Obstacle | null {
    if (busy.value !== null) return 'busy'
    return obstacle(command, { call: seat.call, phase: seat.phase, asked: seat.asked })
  }

  async function run(
    command: ControlCommand,
    request: (callId: string) => Promise<CallView>,
  ): Promise<boolean> {
    const call = seat.call
    if (why(command) !== null || call === null) return false
    busy.value = command
    try {
      live.callIs(await request(call.call_id))
      return true
    } finally {
      busy.value = null
    }
  }

  const give = (command: PlainCommand): Promise<boolean> =>
    run(command, (callId) => api.onCall(callId, VERBS[command]))
  const transfer = (target: Target): Promise<boolean> =>
    run('transfer', (callId) => api.transfer(callId, target))
  const consult = (target: Target): Promise<boolean> =>
    run('consult', (callId) => api.consult(callId, target))
  const emergency = (service: string): Promise<boolean> =>
    run('emergency', (callId) => api.emergency(callId, service))

  return { busy, why, give, transfer, consult, emergency }
})

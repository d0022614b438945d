/** Control of the own live call: one command at a time, its answer shown at once. */

import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'

import { api, type CallVerb } from '@/api/client'
import type { CallView, Target } from '@/api/types'
import { hangUp, obstacle, type ControlCommand, type Obstacle } from '@/control'

import { useLive } from './live'
import { useSeat } from './seat'
import { useSession } from './session'

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
  drop: 'three-way/drop',
  'pause-recording': 'recording/pause',
  'resume-recording': 'recording/resume',
}

export type PlainCommand = keyof typeof VERBS

export const useControls = defineStore('controls', () => {
  const live = useLive()
  const seat = useSeat()
  const session = useSession()
  /** The command under way: until its answer no other is given. */
  const busy = ref<ControlCommand | null>(null)

  /** The emergency service that is being called; null once it is in the talk, or given up. */
  const dialling = ref<string | null>(null)
  /** The service that did not come into the talk. */
  const failed = ref<string | null>(null)

  const situation = computed(() => ({ call: seat.call, phase: seat.phase, guest: seat.guest }))
  const hangsUp = computed(() => hangUp(situation.value))

  /** Why a command cannot be given now; null when it can. An emergency waits for no other command. */
  function why(command: ControlCommand): Obstacle | null {
    if (busy.value !== null && (command !== 'emergency' || busy.value === 'emergency')) return 'busy'
    return obstacle(command, situation.value)
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
      if (busy.value === command) busy.value = null
    }
  }

  function give(command: PlainCommand): Promise<boolean> {
    if (command === 'cancel' || command === 'drop' || command === 'hangup') dialling.value = null
    return run(command, (callId) => api.onCall(callId, VERBS[command]))
  }
  const transfer = (target: Target): Promise<boolean> =>
    run('transfer', (callId) => api.transfer(callId, target))
  const consult = (target: Target): Promise<boolean> =>
    run('consult', (callId) => api.consult(callId, target))
  async function emergency(service: string): Promise<boolean> {
    dialling.value = failed.value = null // an enquiry that is ended for it is no failure
    const done = await run('emergency', (callId) => api.emergency(callId, service))
    if (done) dialling.value = service
    return done
  }

  /** A service that is no longer called and has not come into the talk has not been reached. */
  watch(
    () => [dialling.value, seat.call?.consult?.state, seat.call?.consult?.target] as const,
    ([service, state, target]) => {
      if (service === null || state === 'ringing' || state === 'talking') return
      const number = session.site?.emergency.find((one) => one.service === service)?.number ?? service
      const reached = state === 'three_way' && target === number // else it is whoever was there before
      if (!reached && seat.phase === 'talking') failed.value = service
      dialling.value = null
    },
  )

  return { busy, failed, hangsUp, why, give, transfer, consult, emergency }
})

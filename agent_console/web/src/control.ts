/** What may be done with the own call now, and if not, why not: a table. Pure; the server has the last word (409). */

import type { CallPhase, LiveCall } from '@/live/state'

export type ControlCommand =
  | 'answer'
  | 'hangup'
  | 'hold'
  | 'unhold'
  | 'mute'
  | 'unmute'
  | 'transfer'
  | 'consult'
  | 'complete'
  | 'cancel'
  | 'three-way'
  | 'drop'
  | 'emergency'
  | 'pause-recording'
  | 'resume-recording'

/** Why a button does nothing now; each has a text of its own (`obstacle.*`). */
export type Obstacle =
  | 'no_call'
  | 'over'
  | 'not_ringing'
  | 'not_talking'
  | 'no_enquiry'
  | 'enquiry'
  | 'three_way'
  | 'no_three_way'
  | 'target_rings'
  | 'asked'
  | 'not_recorded'
  | 'busy'

interface Situation {
  readonly call: LiveCall | null
  readonly phase: 'none' | CallPhase
  /** The call is a colleague's, who asks this agent about it or joined this agent with the caller. */
  readonly guest: boolean
}

type Rule = (now: Situation) => Obstacle | null

const onCall: Rule = ({ call, phase }) =>
  call === null || phase === 'none' ? 'no_call' : phase === 'ended' ? 'over' : null
const ringing: Rule = (now) => onCall(now) ?? (now.phase === 'ringing' ? null : 'not_ringing')
const talking: Rule = (now) => onCall(now) ?? (now.phase === 'talking' ? null : 'not_talking')
const own: Rule = (now) => talking(now) ?? (now.guest ? 'asked' : null)
const alone: Rule = (now) =>
  own(now) ??
  (now.call?.consult == null ? null : now.call.consult.state === 'three_way' ? 'three_way' : 'enquiry')
/** Until all three talk: then no transfer is left that could be completed or taken back. */
const enquiring: Rule = (now) =>
  own(now) ??
  (now.call?.consult == null ? 'no_enquiry' : now.call.consult.state === 'three_way' ? 'three_way' : null)
const enquiryTalks: Rule = (now) =>
  enquiring(now) ?? (now.call?.consult?.state === 'ringing' ? 'target_rings' : null)
const joined: Rule = (now) => own(now) ?? (now.call?.consult?.state === 'three_way' ? null : 'no_three_way')
const recorded: Rule = (now) =>
  own(now) ?? (now.call?.recording === 'on' || now.call?.recording === 'paused' ? null : 'not_recorded')

const RULES: Readonly<Record<ControlCommand, Rule>> = {
  answer: ringing,
  hangup: talking,
  hold: alone,
  unhold: alone,
  mute: talking,
  unmute: talking,
  transfer: alone,
  consult: alone,
  complete: enquiryTalks,
  cancel: enquiring,
  'three-way': enquiryTalks,
  drop: joined,
  emergency: talking, // comes before whatever else goes on: the server sees to the rest
  'pause-recording': recorded,
  'resume-recording': recorded,
}

/** What hanging up does now: during an enquiry it hands the caller over. */
export type HangUp = 'hangup' | 'hand-over' | 'leave-three' | 'leave-enquiry'

export function hangUp({ call, guest }: Situation): HangUp {
  const state = call?.consult?.state
  if (state === undefined) return 'hangup'
  if (state === 'three_way') return 'leave-three'
  return guest ? 'leave-enquiry' : 'hand-over'
}

export function obstacle(command: ControlCommand, now: Situation): Obstacle | null {
  return RULES[command](now)
}

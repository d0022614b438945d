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
  | 'target_rings'
  | 'asked'
  | 'not_recorded'
  | 'busy'

interface Situation {
  readonly call: LiveCall | null
  readonly phase: 'none' | CallPhase
  /** A colleague asks this agent about the call: the caller is the colleague's. */
  readonly asked: boolean
}

type Rule = (now: Situation) => Obstacle | null

const onCall: Rule = ({ call, phase }) =>
  call === null || phase === 'none' ? 'no_call' : phase === 'ended' ? 'over' : null
const ringing: Rule = (now) => onCall(now) ?? (now.phase === 'ringing' ? null : 'not_ringing')
const talking: Rule = (now) => onCall(now) ?? (now.phase === 'talking' ? null : 'not_talking')
const own: Rule = (now) => talking(now) ?? (now.asked ? 'asked' : null)
const alone: Rule = (now) =>
  own(now) ??
  (now.call?.consult == null ? null : now.call.consult.state === 'three_way' ? 'three_way' : 'enquiry')
const enquiring: Rule = (now) => own(now) ?? (now.call?.consult == null ? 'no_enquiry' : null)
const enquiryTalks: Rule = (now) =>
  enquiring(now) ?? (now.call?.consult?.state === 'ringing' ? 'target_rings' : null)
const notYetThree: Rule = (now) =>
  enquiryTalks(now) ?? (now.call?.consult?.state === 'three_way' ? 'three_way' : null)
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
  'three-way': notYetThree,
  emergency: alone,
  'pause-recording': recorded,
  'resume-recording': recorded,
}

export function obstacle(command: ControlCommand, now: Situation): Obstacle | null {
  return RULES[command](now)
}

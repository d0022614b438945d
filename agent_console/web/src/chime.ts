/** Two soft tones for a new alert, if this browser's user wants them. */

import { ref } from 'vue'

const CHOICE = 'hotline.sound'
const TONES_HZ = [660, 880]
const TONE_SECONDS = 0.18
const LOUDNESS = 0.12 // of 1: heard beside a headset, not across the room

export const soundOn = ref(localStorage.getItem(CHOICE) === 'on')
let audio: AudioContext | undefined

/** Browsers let a page sound only after a click: so the choice itself is the first try. */
export function chooseSound(on: boolean): void {
  soundOn.value = on
  localStorage.setItem(CHOICE, on ? 'on' : 'off')
  if (on) chime()
}

export function chime(): void {
  if (!soundOn.value || typeof AudioContext === 'undefined') return
  audio ??= new AudioContext()
  void audio.resume()
  const gain = audio.createGain()
  gain.gain.value = LOUDNESS
  gain.connect(audio.destination)
  for (const [index, hertz] of TONES_HZ.entries()) {
    const tone = audio.createOscillator()
    tone.frequency.value = hertz
    tone.connect(gain)
    tone.start(audio.currentTime + index * TONE_SECONDS)
    tone.stop(audio.currentTime + (index + 1) * TONE_SECONDS)
  }
}

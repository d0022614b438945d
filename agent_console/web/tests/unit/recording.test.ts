import { mount, flushPromises } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { ApiError, api } from '@/api/client'
import type { RecordingAbout } from '@/api/types'
import RecordingPlayer from '@/components/RecordingPlayer.vue'
import TranscriptView from '@/components/TranscriptView.vue'
import { i18n } from '@/i18n'
import { transcriptOf } from '@/live/transcript'
import { keyTarget, nextRate, outline, spokenAt, toSound, toTranscript } from '@/playback'

import { segment } from './samples'

const ABOUT: RecordingAbout = {
  seconds: 100,
  transcript_offset_seconds: 0.5,
  pauses: [[40, 50]],
  levels: { caller: [0, 255], agent: [255, 0] },
  held: false,
}
const global = { plugins: [i18n] }

describe('where sound and text meet', () => {
  const items = transcriptOf([
    segment({ start_seconds: 1, end_seconds: 5 }),
    segment({ side: 'agent', start_seconds: 4, end_seconds: 6 }),
    segment({ utterance: 2, start_seconds: 9, end_seconds: 10 }),
  ]).items

  it('finds who speaks, the latest to begin when two do, nobody in between', () => {
    expect([0.5, 2, 4.5, 5.5, 7, 9.5].map((seconds) => spokenAt(items, seconds))).toEqual([
      null,
      'caller:1',
      'agent:1',
      'agent:1',
      null,
      'caller:2',
    ])
  })

  it('turns one clock into the other, within the recording', () => {
    expect(toTranscript(ABOUT, 10)).toBe(10.5)
    expect(toSound(ABOUT, 10.5)).toBe(10)
    expect([toSound(ABOUT, 0), toSound(ABOUT, 1000)]).toEqual([0, 100])
  })

  it('moves by keys and stays inside', () => {
    expect(['ArrowLeft', 'ArrowRight', 'Home', 'End', 'x'].map((key) => keyTarget(key, 98, 100))).toEqual([
      93,
      100,
      0,
      100,
      null,
    ])
  })

  it('goes round the speeds', () => {
    expect([1, 1.25, 1.5, 2].map(nextRate)).toEqual([1.25, 1.5, 2, 1])
  })

  it('draws the caller upwards and the agent downwards', () => {
    expect(outline([0, 255], true)).toBe('M0 24L0.0 23.4H200.0L200.0 1.4H400.0V24Z')
    expect(outline([255], false)).toBe('M0 24L0.0 46.6H400.0V24Z')
  })
})

describe('the player', () => {
  beforeEach(() => {
    vi.restoreAllMocks()
    vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue(undefined)
    vi.spyOn(HTMLMediaElement.prototype, 'pause').mockReturnValue(undefined)
  })

  async function player(answer: RecordingAbout | Error = ABOUT) {
    const asked = vi.spyOn(api, 'recordingAbout')
    if (answer instanceof Error) asked.mockRejectedValue(answer)
    else asked.mockResolvedValue(answer)
    const view = mount(RecordingPlayer, { props: { callId: 'c 1' }, global, attachTo: document.body })
    await flushPromises()
    return view
  }

  it('asks for no sound before it is played, since each listening is written down', async () => {
    const view = await player()
    const sound = view.get('[data-testid=recording-sound]')
    expect(sound.attributes('preload')).toBe('none')
    expect(sound.attributes('src')).toBe('/api/calls/c%201/recording')
    expect(HTMLMediaElement.prototype.play).not.toHaveBeenCalled()
    await view.get('[data-testid=recording-play]').trigger('click')
    expect(HTMLMediaElement.prototype.play).toHaveBeenCalledOnce()
  })

  it('is moved by keys and tells where it is on the clock of the text', async () => {
    const view = await player()
    const track = view.get('[data-testid=recording-track]')
    await track.trigger('keydown', { key: 'ArrowRight' })
    expect(view.emitted('at')?.at(-1)).toEqual([5.5])
    expect(view.get('[data-testid=recording-time]').text()).toBe('0:05 / 1:40')
    expect(track.attributes('aria-valuenow')).toBe('5')
    await track.trigger('keydown', { key: ' ' })
    expect(HTMLMediaElement.prototype.play).toHaveBeenCalledOnce()
  })

  it('jumps to a time of the text and plays', async () => {
    const view = await player()
    ;(view.vm as unknown as { jump: (seconds: number) => void }).jump(20.5)
    await flushPromises()
    const sound = view.get('[data-testid=recording-sound]').element as HTMLAudioElement
    expect(sound.currentTime).toBe(20)
    expect(HTMLMediaElement.prototype.play).toHaveBeenCalledOnce()
  })

  it('changes the speed', async () => {
    const view = await player()
    const button = view.get('[data-testid=recording-rate]')
    await button.trigger('click')
    await button.trigger('click')
    expect(button.text()).toBe('1.5×')
    expect((view.get('audio').element as HTMLAudioElement).playbackRate).toBe(1.5)
  })

  it('shows where nothing was recorded', async () => {
    const pause = (await player()).get('[data-testid=recording-pause]')
    expect([pause.attributes('x'), pause.attributes('width')]).toEqual(['160', '40'])
  })

  it('is not there for whom there is nothing to hear', async () => {
    const view = await player(new ApiError(403, 'forbidden', 'no'))
    expect(view.find('[data-testid=recording]').exists()).toBe(false)
  })

  it('says so when the sound cannot be had', async () => {
    const view = await player()
    await view.get('audio').trigger('error')
    expect(view.get('[data-testid=recording-failed]').attributes('role')).toBe('alert')
  })
})

describe('the text beside the player', () => {
  beforeEach(() => setActivePinia(createPinia()))

  const props = { callId: 'c1', live: false, follow: false, empty: '', jumpable: true }
  const transcript = transcriptOf([
    segment({ text: '一', final: true }),
    segment({ utterance: 2, text: '二', final: true, start_seconds: 62 }),
  ])

  it('marks what is being played and keeps it in sight', async () => {
    const view = mount(TranscriptView, { props: { ...props, transcript, spoken: null }, global })
    const seen = vi.fn<() => void>()
    Element.prototype.scrollIntoView = seen
    await view.setProps({ spoken: 'caller:2' })
    await flushPromises()
    expect(view.get('.spoken [data-testid=segment]').text()).toBe('二')
    expect(seen).toHaveBeenCalledOnce()
  })

  it('plays from the time that is clicked', async () => {
    const view = mount(TranscriptView, { props: { ...props, transcript }, global })
    const times = view.findAll('[data-testid=segment-jump]')
    expect(times[1]?.text()).toBe('1:02')
    await times[1]?.trigger('click')
    expect(view.emitted('jump')).toEqual([[62]])
  })
})

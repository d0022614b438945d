/** Keeps a scrolled box at its newest line, until the reader scrolls up to read in peace. A text that is over is not
 * followed: it is read from its beginning. */

import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** This near to the end counts as being there. */
const NEAR_PX = 40

export interface Stick {
  readonly stuck: Ref<boolean>
  toEnd(): void
}

export function useStick(
  box: Readonly<Ref<HTMLElement | null>>,
  inner: Readonly<Ref<HTMLElement | null>>,
  follow: () => boolean,
): Stick {
  const stuck = ref(follow())
  let lastTop = 0
  let observer: ResizeObserver | null = null

  const atEnd = (element: HTMLElement): boolean =>
    element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR_PX

  function toEnd(): void {
    stuck.value = true
    if (box.value !== null) box.value.scrollTop = box.value.scrollHeight
  }

  /** Only going up lets go: text that grows below never does. */
  function scrolled(): void {
    const element = box.value
    if (element === null) return
    if (atEnd(element)) stuck.value = follow()
    else if (element.scrollTop < lastTop) stuck.value = false
    lastTop = element.scrollTop
  }

  function grown(): void {
    if (stuck.value) toEnd()
  }

  onMounted(() => {
    box.value?.addEventListener('scroll', scrolled, { passive: true })
    observer = new ResizeObserver(grown)
    if (box.value !== null) observer.observe(box.value)
    if (inner.value !== null) observer.observe(inner.value)
    if (stuck.value) toEnd()
  })
  onBeforeUnmount(() => {
    box.value?.removeEventListener('scroll', scrolled)
    observer?.disconnect()
  })

  return { stuck, toEnd }
}

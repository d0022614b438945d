/** Keys that work anywhere on a page. None of them is taken by a browser or an input method. */

import { onBeforeUnmount, onMounted } from 'vue'

/** "F2", "Shift+F2", "Escape": the handler's answer says whether the key was used. */
export type Bindings = Readonly<Record<string, () => boolean>>

export function chord(event: KeyboardEvent): string {
  const prefix = [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', event.shiftKey && 'Shift'].filter(Boolean)
  return [...prefix, event.key].join('+')
}

export function useKeys(bindings: Bindings): void {
  const pressed = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || event.repeat || event.metaKey) return
    if (bindings[chord(event)]?.() === true) event.preventDefault()
  }
  onMounted(() => window.addEventListener('keydown', pressed))
  onBeforeUnmount(() => window.removeEventListener('keydown', pressed))
}

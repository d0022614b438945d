/** Keys that work anywhere on a page. None of them is taken by a browser or an input method. */

import { onBeforeUnmount, onMounted } from 'vue'

/** "F2", "Shift+F2", "Alt+T", "Escape": the handler's answer says whether the key was used. */
export type Bindings = Readonly<Record<string, () => boolean>>

export function chord(event: KeyboardEvent): string {
  const prefix = [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', event.shiftKey && 'Shift'].filter(Boolean)
  // with Alt some keyboards write signs of their own: then the key cap counts
  const key = event.altKey && event.code.startsWith('Key') ? event.code.slice(3) : event.key
  return [...prefix, key].join('+')
}

/** The keys of a part of the page while it is there; a function gives them as they are when one is pressed. */
export function useKeys(bindings: Bindings | (() => Bindings)): void {
  const pressed = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || event.repeat || event.metaKey) return
    const now = typeof bindings === 'function' ? bindings() : bindings
    if (now[chord(event)]?.() === true) event.preventDefault()
  }
  onMounted(() => window.addEventListener('keydown', pressed))
  onBeforeUnmount(() => window.removeEventListener('keydown', pressed))
}

/** Whether somebody is writing into a field now. */
export function typing(): boolean {
  const focused = document.activeElement
  return (
    focused instanceof HTMLElement &&
    (focused.isContentEditable || focused.matches('input, textarea, select'))
  )
}

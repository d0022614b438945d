/** Errors as a person is told them. */

import { ApiError } from '@/api/client'
import { ElMessage } from '@/element'
import { i18n } from '@/i18n'

const SHOWN_MS = 5_000

/** What has no text of its own is told in the server's words, which say why and what to do. */
export function errorText(error: unknown): string {
  const { t, te } = i18n.global
  if (!(error instanceof ApiError)) return t('error.unknown', { message: String(error) })
  const said = [error.message, error.hint].filter((text) => text !== '').join(' ')
  const known = te(`error.${error.code}`) ? error.code : error.status === 409 ? 'illegal_now' : 'unknown'
  return t(`error.${known}`, { message: said })
}

/** Shows an error over the page for a while; the same one twice is shown once. */
export function tell(error: unknown): void {
  inform(errorText(error), 'warning')
}

/** Does something that may fail; a failure is told. Says whether it was done. */
export async function attempt(action: () => Promise<unknown>): Promise<boolean> {
  try {
    return (await action()) !== false
  } catch (error) {
    tell(error)
    return false
  }
}

/** Something to know, over the page, for a while or until it is closed. */
export function inform(text: string, kind: 'info' | 'success' | 'warning' = 'info', stays = false): void {
  ElMessage({
    message: text,
    type: kind,
    duration: stays ? 0 : SHOWN_MS,
    showClose: true,
    grouping: true,
    placement: 'bottom', // nothing that can be pressed stands there
    offset: 24,
  })
}

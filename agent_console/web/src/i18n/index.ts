/** Chinese first: the site says which language it speaks, a person may choose otherwise for this browser. */

import { createI18n } from 'vue-i18n'

import { en } from './en'
import { zhCN, type Messages } from './zh-CN'

export type Language = 'zh-CN' | 'en'

const CHOICE = 'hotline.language'

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: 'zh-CN',
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zhCN, en },
})

function chosen(): Language | null {
  const stored = localStorage.getItem(CHOICE)
  return stored === 'zh-CN' || stored === 'en' ? stored : null
}

function show(language: Language): void {
  i18n.global.locale.value = language
  document.documentElement.lang = language
}

/** Shows the person's choice, or else the site's language. */
export function useLanguageOf(site: { readonly language: string } | null): void {
  show(chosen() ?? (site?.language === 'en' ? 'en' : 'zh-CN'))
}

export function chooseLanguage(language: Language): void {
  localStorage.setItem(CHOICE, language)
  show(language)
}

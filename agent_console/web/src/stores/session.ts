/** Who is signed in to the page, and what the page needs to know once. */

import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'

import { api, ApiError } from '@/api/client'
import type { Me, Site, SiteLine } from '@/api/types'
import { forgetTyping } from '@/draft/typing'
import { useTimeZone } from '@/format'

export const useSession = defineStore('session', () => {
  const me = shallowRef<Me | null>(null)
  const site = shallowRef<Site | null>(null)
  const asked = shallowRef(false)
  /** The server ended the last sign-in; the person did not ask for it. */
  const ended = shallowRef(false)
  /** The server has been updated since this page was loaded. */
  const outdated = shallowRef(false)
  let leaving = false

  const lines = computed<ReadonlyMap<string, SiteLine>>(
    () => new Map(site.value?.lines.map((line) => [line.id, line])),
  )
  const agentNames = computed(() => new Map(site.value?.agents.map(({ agent, name }) => [agent, name])))
  const partyNames = computed(
    () =>
      new Map([
        ...(site.value?.numbers ?? []).map(({ number, name }) => [number, name] as const),
        ...(site.value?.agents ?? []).map(({ extension, name }) => [extension, name] as const),
      ]),
  )
  const home = computed(() => (me.value?.role === 'supervisor' ? '/board' : '/agent'))

  async function loadSite(): Promise<void> {
    site.value = await api.site()
    useTimeZone(site.value.timezone)
  }

  /** After a server start: is it still the version that this page came from? */
  async function noticeUpdate(): Promise<void> {
    try {
      outdated.value = (await api.site()).version !== site.value?.version
    } catch (error) {
      if (!(error instanceof ApiError)) throw error // asked again at the next start
    }
  }

  /** Asks the server who we are. A missing sign-in is an answer; anything else is thrown. */
  async function load(): Promise<void> {
    try {
      me.value = await api.me()
      await loadSite()
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      me.value = null
    }
    asked.value = true
  }

  async function signIn(user: string, password: string): Promise<void> {
    const signedIn = await api.signIn(user, password)
    await loadSite()
    me.value = signedIn
    ended.value = false
    asked.value = true
  }

  /** Forgets the sign-in here; the server has ended it already. */
  function forget(): void {
    if (leaving) return
    ended.value = true
    me.value = null
  }

  /** An agent by name; whoever is no longer in the site file by the id. */
  const agentName = (agent: string | null): string => agentNames.value.get(agent ?? '') ?? agent ?? ''

  /** A list of callers by its title; one that is no longer in the site file by its name. */
  const listTitle = (name: string): string =>
    site.value?.caller_lists.find((one) => one.name === name)?.title ?? name

  /** Somebody on the phone: name and number of a colleague or a listed number, else the number alone. */
  function partyName(number: string): string {
    const name = partyNames.value.get(number)
    return name === undefined || name === number ? number : `${name} ${number}`
  }

  /** Ends the sign-in. The server closes the socket with it, which then is no loss of the sign-in. */
  async function leave(): Promise<void> {
    leaving = true
    try {
      await api.leave()
      if (me.value !== null) forgetTyping(me.value.user)
      ended.value = false
      me.value = null
    } finally {
      leaving = false
    }
  }

  return {
    me,
    site,
    asked,
    ended,
    outdated,
    lines,
    home,
    agentName,
    listTitle,
    partyName,
    load,
    noticeUpdate,
    signIn,
    forget,
    leave,
  }
})

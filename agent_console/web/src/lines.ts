/** A line's colour: by its place in the site file, so that it is the same on every page and every day. */

import type { Site } from '@/api/types'

/** Distinguishable for the common kinds of colour blindness, and dark enough for white letters. */
const COLOURS = ['#1f6286', '#9a5b13', '#2f7a57', '#8a3f6b', '#5a5fa8', '#7a6a1c', '#2b7c86', '#a3473d']

export function lineColour(site: Site | null, lineId: string): string {
  const index = site?.lines.findIndex((line) => line.id === lineId) ?? -1
  return index < 0 ? '#5b6875' : (COLOURS[index % COLOURS.length] ?? '#5b6875')
}

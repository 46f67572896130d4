import type { Right } from './api/client'

/** A page in the navigation: where it is and what it takes to see it. */
export interface NavPage {
  title: string
  to: string
  right?: Right
  /** Words that the search finds it by, beside its title. */
  words?: string
}

/** A step of the loop. `key` is the letter after g that leads there. */
export interface Section {
  title: string
  key: string
  pages: NavPage[]
}

/** The map of the product, in the order of the loop. A section shows once it
 * has pages that the one who is signed in may see. */
export const sections: Section[] = [
  { title: 'Now', key: 'n', pages: [{ title: 'Now', to: '/', right: 'look', words: 'overview totals site' }] },
  { title: 'Machines', key: 'm', pages: [{ title: 'Pools', to: '/pools', right: 'look', words: 'stratum worker account reject stale' }] },
  { title: 'Health', key: 'h', pages: [] },
  { title: 'Power', key: 'p', pages: [] },
  { title: 'Money', key: 'o', pages: [] },
  { title: 'Tenants', key: 't', pages: [] },
  {
    title: 'Places',
    key: 'l',
    pages: [
      { title: 'Sites', to: '/places/sites', right: 'look', words: 'layout container rack slot feeder pdu import csv foreman' },
      { title: 'Discovery', to: '/places/discovery', right: 'look', words: 'scan ranges find machines network' },
    ],
  },
  { title: 'Settings', key: 's', pages: [{ title: 'Firmware passwords', to: '/settings/passwords', right: 'configure', words: 'credentials unlock locked login' }] },
]

/** Sections with the pages that these rights open. */
export function visible(rights: readonly Right[]): Section[] {
  return sections.map((s) => ({ ...s, pages: s.pages.filter((p) => !p.right || rights.includes(p.right)) })).filter((s) => s.pages.length > 0)
}

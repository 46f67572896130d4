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
  {
    title: 'Now',
    key: 'n',
    pages: [
      { title: 'Now', to: '/', right: 'look', words: 'overview totals site' },
      { title: 'Alarms', to: '/alarms', right: 'look', words: 'alerts incidents acknowledge history' },
      { title: 'Silences and maintenance', to: '/alarms/quiet', right: 'look', words: 'mute silence window' },
    ],
  },
  { title: 'Machines', key: 'm', pages: [] },
  { title: 'Health', key: 'h', pages: [] },
  { title: 'Power', key: 'p', pages: [] },
  { title: 'Money', key: 'o', pages: [] },
  { title: 'Tenants', key: 't', pages: [] },
  { title: 'Places', key: 'l', pages: [] },
  {
    title: 'Settings',
    key: 's',
    pages: [
      { title: 'Alarm rules', to: '/settings/alarm-rules', right: 'look', words: 'thresholds levels alerts' },
      { title: 'Notifications', to: '/settings/notifications', right: 'configure', words: 'receivers escalation email slack telegram pagerduty webhook on call' },
    ],
  },
]

/** Sections with the pages that these rights open. */
export function visible(rights: readonly Right[]): Section[] {
  return sections.map((s) => ({ ...s, pages: s.pages.filter((p) => !p.right || rights.includes(p.right)) })).filter((s) => s.pages.length > 0)
}

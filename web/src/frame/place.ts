import { useSyncExternalStore } from 'react'
import type { Section } from '../nav'

// What the page under the frame calls itself: the browser tab and the last of
// the breadcrumbs say it.
let title = ''
const listeners = new Set<() => void>()

/** Sets the title of the page that is shown; until it has one, the tab says
 * something near. */
export function setPlace(next: string, near = '') {
  document.title = next || near ? `${next || near} · Ballast` : 'Ballast'
  if (next === title) return
  title = next
  for (const l of listeners) l()
}

export function usePlace(): string {
  return useSyncExternalStore(
    (l) => {
      listeners.add(l)
      return () => void listeners.delete(l)
    },
    () => title,
  )
}

/** A step of the way from the navigation to the page; the last has no address. */
export interface Crumb {
  title: string
  to?: string
}

/** The section and page of the navigation that a path lies under: the longest
 * address that it starts with. A section also covers pages that only hang on
 * its name ("/machines/17"). */
export function whereIs(path: string, sections: Section[]): { section?: Section; page?: Section['pages'][number] } {
  let best: ReturnType<typeof whereIs> = {}
  for (const section of sections) {
    for (const page of section.pages) {
      const fits = path === page.to || (page.to !== '/' && path.startsWith(page.to + '/'))
      if (fits && page.to.length > (best.page?.to.length ?? -1)) best = { section, page }
    }
  }
  return best
}

/** The way to a page that is deeper than the navigation goes; nothing for the
 * pages of the navigation themselves. */
export function crumbs(path: string, sections: Section[], here: string): Crumb[] {
  if (path === '/') return []
  const { section, page } = whereIs(path, sections)
  if (!section || !page) return sections[0]?.pages[0]?.to === '/' ? [{ title: sections[0].pages[0].title, to: '/' }, { title: here || path.split('/').filter(Boolean).join(' ') }] : []
  if (path === page.to) return []
  const out: Crumb[] = []
  if (section.title !== page.title) out.push({ title: section.title, to: section.pages[0]!.to })
  out.push({ title: page.title, to: page.to }, { title: here })
  return out.filter((c, i) => c.title && (i === 0 || c.to !== out[i - 1]!.to || !c.to))
}

import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'

/** What the whole dashboard looks at: one site or all, and how far back. It
 * stands in the address, the same on every page. */
export interface View {
  site?: string
  range?: '1h' | '6h' | '24h' | '7d' | '30d'
}

export const ranges: { value: NonNullable<View['range']>; label: string; seconds: number }[] = [
  { value: '1h', label: '1 hour', seconds: 3600 },
  { value: '6h', label: '6 hours', seconds: 6 * 3600 },
  { value: '24h', label: '1 day', seconds: 86400 },
  { value: '7d', label: '1 week', seconds: 7 * 86400 },
  { value: '30d', label: '30 days', seconds: 30 * 86400 },
]

/** The view and how to change it. `seconds` is the length of the time range,
 * `query` the part of an API address that narrows it to the site. */
export function useView() {
  const { site, range = '1h' } = useSearch({ from: '/frame' })
  const go = useNavigate()
  return useMemo(
    () => ({
      site,
      range,
      seconds: ranges.find((r) => r.value === range)!.seconds,
      query: site ? `site=${encodeURIComponent(site)}` : '',
      set: (next: Partial<View>) => void go({ to: '.', search: (old: Record<string, unknown>) => ({ ...old, ...next }) as never, replace: true }),
    }),
    [site, range, go],
  )
}

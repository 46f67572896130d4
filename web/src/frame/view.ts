import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'

/** What the whole dashboard looks at: one site or all, and which time. It
 * stands in the address, the same on every page. The time is a range that ends
 * now, or, when somebody zoomed in, from and to (Unix seconds). */
export interface View {
  site?: string
  range?: '1h' | '6h' | '24h' | '7d' | '30d'
  from?: number
  to?: number
}

export const ranges: { value: NonNullable<View['range']>; label: string; seconds: number }[] = [
  { value: '1h', label: '1 hour', seconds: 3600 },
  { value: '6h', label: '6 hours', seconds: 6 * 3600 },
  { value: '24h', label: '1 day', seconds: 86400 },
  { value: '7d', label: '1 week', seconds: 7 * 86400 },
  { value: '30d', label: '30 days', seconds: 30 * 86400 },
]

/** Takes from an address what a view may hold, and nothing else. */
export function readView(s: Record<string, unknown>): View {
  const whole = (v: unknown) => (typeof v === 'number' && Number.isSafeInteger(v) && v > 0 ? v : undefined)
  const from = whole(s.from)
  const to = whole(s.to)
  const zoomed = from !== undefined && to !== undefined && from < to
  return {
    site: typeof s.site === 'string' && s.site !== '' ? s.site : undefined,
    range: ranges.some((r) => r.value === s.range) ? (s.range as View['range']) : undefined,
    from: zoomed ? from : undefined,
    to: zoomed ? to : undefined,
  }
}

/** The view and how to change it. `seconds` is the length of the time looked at,
 * `query` the part of an API address that narrows it to the site; `zoomed` tells
 * that the time does not end now, and `span()` is it in Unix seconds, when asked. */
export function useView() {
  const { site, range = '1h', from, to } = useSearch({ from: '/frame' })
  const go = useNavigate()
  return useMemo(() => {
    const zoomed = from !== undefined && to !== undefined
    const seconds = zoomed ? to - from : ranges.find((r) => r.value === range)!.seconds
    return {
      site,
      range,
      seconds,
      zoomed,
      from,
      to,
      span: (): [number, number] => {
        if (zoomed) return [from, to]
        const now = Math.ceil(Date.now() / 1000)
        return [now - seconds, now]
      },
      query: site ? `site=${encodeURIComponent(site)}` : '',
      set: (next: Partial<View>) => void go({ to: '.', search: (old: Record<string, unknown>) => ({ ...old, ...next }) as never, replace: true }),
    }
  }, [site, range, from, to, go])
}

import type { History, Schema } from '../../api/client'
import { dash } from '../../format'

type Num = number | null | undefined

/** $12.3 m, $450 k, $12. */
export function usd(v: Num): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return dash
  const a = Math.abs(v)
  const sign = v < 0 ? '−' : ''
  if (a >= 1e9) return `${sign}$${(a / 1e9).toFixed(2)} bn`
  if (a >= 1e6) return `${sign}$${(a / 1e6).toFixed(2)} m`
  if (a >= 1e4) return `${sign}$${(a / 1e3).toFixed(1)} k`
  return `${sign}$${grouped(a)}`
}

/** 12.3 % of a share of one. */
export function share(v: Num, places = 1): string {
  return v === null || v === undefined || !Number.isFinite(v) ? dash : `${(100 * v).toFixed(places)} %`
}

/** +3.1 % of a change. */
export function change(v: Num, places = 1): string {
  return v === null || v === undefined || !Number.isFinite(v) ? dash : `${v > 0 ? '+' : v < 0 ? '−' : ''}${Math.abs(100 * v).toFixed(places)} %`
}

export function times(v: Num, places = 2): string {
  return v === null || v === undefined || !Number.isFinite(v) ? dash : v.toFixed(places)
}

export function grouped(v: Num, places = 0): string {
  return v === null || v === undefined ? dash : v.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places })
}

/** Six digits at most, without a tail of noughts. */
export function digits(v: Num): string {
  return v === null || v === undefined ? dash : Number(v.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 6 })
}

export const day = (t: string | Date): string => new Date(t).toISOString().slice(0, 10)

/** A day so many days after another, both 2026-11-23. */
export function daysOn(from: string, days: number): string {
  const t = new Date(from + 'T00:00:00Z')
  t.setUTCDate(t.getUTCDate() + days)
  return day(t)
}

/** Own numbers in the shape that a chart reads. */
export function series(at: number[], lines: Record<string, (number | null)[]>): History {
  return {
    bucket_s: 86_400,
    from: '',
    to: '',
    resolutions: [],
    times: at,
    series: Object.entries(lines).map(([metric, values]) => ({ metric, values })),
  } as unknown as History
}

export const noSeries = series([], {})

/** The value of a quantile. */
export const at = (qs: readonly Schema['StressQuantile'][] | null | undefined, p: number) => qs?.find((q) => q.at === p)

import type { History } from '../api/client'
import { dash } from '../format'

// What a chart shows, without the drawing: one row of times, lines and bands on
// it, and what it says in words and as a table.

/** A line of a chart: which series of the history, what to call it. */
export interface Line {
  metric: string
  board?: number
  label: string
}

/** A forecast: for each time the value that is not exceeded with probability q. */
export interface Fan {
  label: string
  /** Unix seconds. */
  times: number[]
  /** In rising order of q, 0 to 1; the middle one is drawn as a line. */
  quantiles: { q: number; values: (number | null)[] }[]
}

/** Something that happened at a time: a mark across all charts of a view. */
export interface Mark {
  /** Unix seconds. */
  at: number
  text: string
  kind?: 'decision' | 'event' | 'bad'
}

/** A column of values beside the times. */
export interface Column {
  label: string
  values: (number | null | undefined)[]
  /** Of a fan's quantile; lines have none. */
  q?: number
}

export interface Sheet {
  times: number[]
  columns: Column[]
}

function find(l: Line, data: History) {
  return data.series?.find((s) => s.metric === l.metric && (l.board === undefined || s.board === l.board))
}

/** The lines that have anything to show: a firmware does not tell everything. */
export function told(lines: Line[], data: History): Line[] {
  return lines.filter((l) => find(l, data)?.values?.some((v) => v !== null))
}

/** Lays lines and fan on one row of times. A time that only the other has is
 * undefined (the line goes through), a missing measurement null (it breaks). */
export function sheet(lines: Line[], data: History, fan?: Fan): Sheet {
  const own = data.times ?? []
  const columns: Column[] = lines.map((l) => ({ label: l.label, values: (find(l, data)?.values as (number | null)[] | undefined) ?? own.map(() => null) }))
  if (!fan || fan.times.length === 0) return { times: own, columns }
  const times = [...new Set([...own, ...fan.times])].toSorted((a, b) => a - b)
  const spread = (at: number[], values: (number | null | undefined)[]) => {
    const by = new Map(at.map((t, i) => [t, values[i]]))
    return times.map((t) => (by.has(t) ? (by.get(t) ?? null) : undefined))
  }
  return {
    times,
    columns: [...columns.map((c) => ({ ...c, values: spread(own, c.values) })), ...fan.quantiles.map((f) => ({ label: quantile(fan, f.q), q: f.q, values: spread(fan.times, f.values) }))],
  }
}

/** "forecast, 90 % below" */
const quantile = (fan: Fan, q: number) => (q === 0.5 ? `${fan.label}, median` : `${fan.label}, ${+(q * 100).toFixed(1)} % below`)

const number = (v: number | null | undefined) => (v === null || v === undefined ? dash : v.toLocaleString('en-US', { maximumFractionDigits: Math.abs(v) >= 1000 ? 0 : 2 }))

/** A value with its unit, as legends show it. */
export const valued = (v: number | null | undefined, unit: string) => (v === null || v === undefined ? dash : `${number(v)} ${unit}`)

/** The newest value of a column that is there. */
export function newest(c: Column): number | null {
  for (let i = c.values.length - 1; i >= 0; i--) if (c.values[i] !== null && c.values[i] !== undefined) return c.values[i]!
  return null
}

/** What a chart shows, in a sentence for those who do not see it. */
export function summary(title: string, unit: string, s: Sheet, marks: Mark[] = []): string {
  if (s.times.length === 0) return `${title}: nothing was recorded in this time.`
  const parts = s.columns
    .filter((c) => c.q === undefined || c.q === 0.5)
    .map((c) => {
      const there = c.values.filter((v): v is number => v !== null && v !== undefined)
      if (there.length === 0) return `${c.label}: nothing`
      let [lo, hi] = [there[0]!, there[0]!]
      for (const v of there) [lo, hi] = [Math.min(lo, v), Math.max(hi, v)]
      return `${c.label}: last ${number(newest(c))}, between ${number(lo)} and ${number(hi)}`
    })
  const within = marks.filter((m) => m.at >= s.times[0]! && m.at <= s.times[s.times.length - 1]!)
  return `${title} in ${unit}. ${parts.join('; ')}.${within.length ? ` ${within.length} ${within.length === 1 ? 'event is' : 'events are'} marked.` : ''} Arrow keys read the values.`
}

/** One cell of CSV, quoted where it must be; text that a spreadsheet would run
 * as a formula is made harmless. */
export function csvCell(v: unknown): string {
  if (v === null || v === undefined) return ''
  if (typeof v === 'number') return String(v)
  let s = String(v)
  if (/^[=+\-@\t\r]/.test(s) && !/^[-+]?[\d.]+$/.test(s)) s = `'${s}`
  return /[",\n\r]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s
}

/** The chart as CSV: a row for each time, empty where nothing was measured. */
export function csv(unit: string, s: Sheet): string {
  const head = ['time', ...s.columns.map((c) => `${c.label} (${unit})`)].map(csvCell).join(',')
  const rows = s.times.map((t, i) => [new Date(t * 1000).toISOString(), ...s.columns.map((c) => csvCell(c.values[i]))].join(','))
  return [head, ...rows].join('\r\n') + '\r\n'
}

/** Hands a text to the browser as a file. */
export function save(name: string, text: string, type = 'text/csv') {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const a = document.createElement('a')
  a.href = url
  a.download = name.replace(/[^\w.-]+/g, '-').toLowerCase()
  a.click()
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** What stands under the time axis: clock times within a day, with the day where
 * it begins; days for longer. */
export function axisTimes(splits: number[], step: number, zone?: string): string[] {
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: step < 60 ? '2-digit' : undefined, timeZone: zone })
  const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: zone })
  let last = ''
  return splits.map((t, i) => {
    const d = day.format(t * 1000)
    const fresh = d !== last && (i > 0 || step >= 86400)
    last = d
    if (step >= 86400) return d
    return fresh ? `${clock.format(t * 1000)}\n${d}` : clock.format(t * 1000)
  })
}

/** The mark nearest to a time, when it is within reach (seconds). */
export function nearMark(marks: Mark[], at: number, reach: number): Mark | undefined {
  let best: Mark | undefined
  for (const m of marks) if (Math.abs(m.at - at) <= reach && (!best || Math.abs(m.at - at) < Math.abs(best.at - at))) best = m
  return best
}

import { dash, fixed, span } from '../../format'

/** A price per MWh with as many places as help: "$24.19". */
export function money(v: number | null | undefined, currency: string): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return dash
  const places = Math.abs(v) >= 1000 ? 0 : 2
  const n = fixed(Math.abs(v), places)
  const sign = v < 0 ? '−' : ''
  return currency === 'USD' ? `${sign}$${n}` : `${sign}${n} ${currency}`
}

/** The currency of a unit such as "USD/MWh". */
export const currencyOf = (unit: string) => unit.split('/')[0] ?? ''

/** What a status means, for those who do not live with it. */
export const means: Record<string, string> = {
  settled: 'final',
  provisional: 'published, may be revised',
  expected: 'a forecast',
  estimated: 'something stood in for what is missing',
  missing: 'not known',
}

/** How a status is coloured; words carry it too. */
export const tone: Record<string, string> = { settled: 'teal', provisional: 'harbour', expected: 'grape', estimated: 'orange', missing: 'red' }

export const percent = (v: number | null | undefined, places = 1) => (v === null || v === undefined || !Number.isFinite(v) ? dash : `${fixed(100 * v, places)} %`)

/** A time of a day on a zone's clock. */
export const clock = (t: string | number, zone?: string) => new Date(typeof t === 'number' ? t * 1000 : t).toLocaleTimeString('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' })

export const dayClock = (t: string | number, zone?: string) => new Date(typeof t === 'number' ? t * 1000 : t).toLocaleString('en-GB', { timeZone: zone, weekday: 'short', hour: '2-digit', minute: '2-digit' })

export const longMonth = (m: string) => new Date(`${m}-15T12:00:00Z`).toLocaleDateString('en-US', { month: 'long', year: 'numeric', timeZone: 'UTC' })

/** "3 min ago"; a dash for never. */
export const ago = (t: string | null | undefined, now: number) => (t ? `${span((now - Date.parse(t)) / 1000)} ago` : dash)

/** An exact decimal with thousands, at most so many places. */
export function decimal(text: string | null | undefined, places = 3): string {
  if (!text) return dash
  const n = Number(text)
  return Number.isFinite(n) ? n.toLocaleString('en-US', { maximumFractionDigits: places }) : text
}

/** An exact amount as the API tells it ("$6778.80", "-€20.16", "1234.50 CHF"), with
 * thousands and a true minus; nothing is rounded. */
export function amount(text: string | null | undefined): string {
  if (!text) return dash
  return text.replace('-', '−').replace(/\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','))
}

/** What a rate is for: "29.5 USD/MWh"; a share of money is a percentage. */
export function rate(text: string | null | undefined, of: string, currency: string): string {
  if (!text) return dash
  if (of === currency) return `${decimal(String(100 * Number(text)), 4)} %`
  return `${decimal(text, 6)} ${currency}/${of}`
}

/** A time with its day on a zone's clock: "2026-10-05 17:00". */
export const when = (t: string, zone?: string) => new Date(t).toLocaleString('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' })

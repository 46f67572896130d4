import type { Schema } from '../../api/client'
import { dash, fixed, scaled } from '../../format'

export type Report = Schema['ReportReport']
export type Loss = Schema['ReportLoss']

/** Reasons of losses in words, and the colour of each. */
export const reasons: Record<Loss['reason'], { words: string; colour: string }> = {
  silent: { words: 'no reading', colour: 'var(--silent)' },
  down: { words: 'stopped', colour: 'var(--down)' },
  hot: { words: 'too hot, fans or coolant', colour: '#b43c14' },
  pool: { words: 'no live pool', colour: 'var(--locked)' },
  degraded: { words: 'hashing below nominal', colour: 'var(--degraded)' },
  starting: { words: 'starting or tuning', colour: 'var(--starting)' },
  curtailed: { words: 'off or set lower on purpose', colour: 'var(--sleeping)' },
  unclear: { words: 'state not told', colour: 'var(--unknown)' },
}

export const percent = (v: number | null | undefined, places = 1) => (v === null || v === undefined ? dash : `${fixed(100 * v, places)} %`)
/** Energy with the unit that reads best. */
export const energy = (j: number | null | undefined) => scaled(j === null || j === undefined ? j : j / 3.6e9, [[1, 'MWh'], [0.001, 'kWh'], [1e-6, 'Wh']])
export const mwh = (j: number | null | undefined) => (j === null || j === undefined ? dash : fixed(j / 3.6e9, 2))

/** "Sunday, 22 November 2026" of "2026-11-22". */
export const longDay = (day: string) => new Date(`${day}T12:00:00Z`).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
export const shortDay = (day: string) => new Date(`${day}T12:00:00Z`).toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' })

/** The day n days after "2026-11-22". */
export const later = (day: string, n: number) => new Date(Date.parse(`${day}T12:00:00Z`) + n * 86400_000).toISOString().slice(0, 10)

/** Time of day on the site's clocks. */
export const clock = (at: string, zone: string) => new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone })

/** The main reasons of a loss, most first. */
export const why = (ls: Loss[] | null | undefined, n = 3) =>
  (ls ?? [])
    .slice(0, n)
    .map((l) => `${reasons[l.reason].words} ${fixed(l.lost_th_days, l.lost_th_days < 10 ? 2 : 1)}`)
    .join(', ')

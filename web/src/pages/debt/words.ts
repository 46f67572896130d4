import type { Schema } from '../../api/client'
import { dash } from '../../format'

export type Figure = Schema['DeskFigure']
export type Input = Schema['DeskInput']
export type Source = Schema['DeskSource']
export type Covenant = Schema['DeskCovenantLine']
export type Position = Schema['DebtPosition']
export type Company = Pick<Position, 'name' | 'currency' | 'example' | 'empty' | 'rev' | 'day' | 'now' | 'remarks'>
export type Money = Schema['Amount']

/** The sign of a currency, or its code. */
export const sign = (currency: string) => ({ USD: '$', EUR: '€', GBP: '£' })[currency] ?? `${currency} `

/** Money in a few characters, for axes and charts. */
export function short(v: number, currency: string): string {
  const s = sign(currency)
  const a = Math.abs(v)
  const minus = v < 0 ? '−' : ''
  if (a >= 999.5e6) return `${minus}${s}${(a / 1e9).toFixed(1)} B`
  if (a >= 999.5e3) return `${minus}${s}${(a / 1e6).toFixed(a < 10e6 ? 2 : 1)} M`
  if (a >= 1e3) return `${minus}${s}${Math.round(a / 1e3)} k`
  return `${minus}${s}${Math.round(a)}`
}

/** Minor units as units of the currency. */
export const units = (m: Money) => m.minor / (m.currency === 'BTC' ? 1e8 : m.currency === 'JPY' ? 1 : 100)

/** "12 Mar 2027". */
export function day(iso: string | undefined): string {
  if (!iso) return dash
  return new Date(iso + 'T00:00:00Z').toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
}

/** "Mar 27", for axes. */
export const month = (iso: string) => new Date(iso + 'T00:00:00Z').toLocaleDateString('en-GB', { month: 'short', year: '2-digit', timeZone: 'UTC' })

export const states: Record<Covenant['state'], { word: string; mark: string; colour: string }> = {
  holds: { word: 'holds', mark: '●', colour: 'var(--ink-good)' },
  near: { word: 'near', mark: '◆', colour: 'var(--ink-warn)' },
  breached: { word: 'breached', mark: '▲', colour: 'var(--ink-bad)' },
  'not known': { word: 'not known', mark: '○', colour: 'var(--dim)' },
}

export const purposes: Record<string, string> = { mining: 'mining', ai: 'AI', general: 'general' }

/** Facilities keep their colour on every chart. */
const palette = { light: ['#0072b2', '#b36b00', '#007a59', '#a8447f', '#2a8fc7', '#b34a00', '#5b5f97', '#6b705c'], dark: ['#5ab0ea', '#e69f00', '#2fc49a', '#e08fbb', '#8fd0f2', '#f0824a', '#a5a8e0', '#b8bda8'] }
export const colourOf = (i: number, scheme: 'light' | 'dark') => palette[scheme][i % palette[scheme].length]!

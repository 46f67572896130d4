import type { History } from '../src/api/client'
import type { Fan, Mark } from '../src/parts/Chart'

// Numbers that look like a site's, the same at every run.

/** A small generator (mulberry32), so that pictures do not change by themselves. */
function dice(seed: number) {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export const start = Date.UTC(2026, 2, 1, 6) / 1000

export function history(metrics: Record<string, [number, number]>, points = 240, step = 60, hole?: [number, number]): History {
  const times = Array.from({ length: points }, (_, i) => start + i * step)
  const series = Object.entries(metrics).map(([metric, [level, swing]], k) => {
    const roll = dice(k + 7)
    let v = level
    return { metric, unit: '', values: times.map((_, i) => ((v += (roll() - 0.5) * swing + (level - v) * 0.05), hole && i >= hole[0] && i < hole[1] ? null : v)) }
  })
  return { from: '', to: '', bucket_s: step, times, series, resolutions: ['raw'] } as unknown as History
}

export function forecast(level: number): Fan {
  const times = Array.from({ length: 49 }, (_, i) => start + 240 * 60 + i * 900)
  const base = times.map((_, i) => level + 18 * Math.sin(i / 7) + (i > 30 && i < 36 ? 140 : 0))
  const at = (q: number) => ({ q, values: base.map((b, i) => b + (q - 0.5) * (8 + i * 1.6)) })
  return { label: 'forecast', times, quantiles: [0.05, 0.25, 0.5, 0.75, 0.95].map(at) }
}

export const marks: Mark[] = [
  { at: start + 60 * 60, text: 'Put 200 machines to sleep', kind: 'decision' },
  { at: start + 110 * 60, text: 'Lost 12 machines in C04', kind: 'bad' },
  { at: start + 170 * 60, text: 'Retarget: difficulty +2.1 %', kind: 'event' },
]

export interface Animal {
  id: number
  name: string
  condition: string
  place: string
  power: number | null
  hashrate: number | null
}

export function herd(n: number): Animal[] {
  const roll = dice(n)
  const states = ['hashing', 'hashing', 'hashing', 'hashing', 'degraded', 'sleeping', 'down', 'silent']
  return Array.from({ length: n }, (_, i) => ({
    id: i + 1,
    name: i % 97 === 0 ? `a machine with a name that somebody made far too long to fit, number ${i + 1}` : `m${String(i + 1).padStart(5, '0')}`,
    condition: states[Math.floor(roll() * states.length)]!,
    place: `C${String(1 + (i % 40)).padStart(2, '0')} / R${1 + (i % 8)} / ${i % 64}`,
    power: roll() < 0.1 ? null : 2800 + Math.floor(roll() * 900),
    hashrate: roll() < 0.1 ? null : 90 + roll() * 140,
  }))
}

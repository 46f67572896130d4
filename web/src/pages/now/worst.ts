import type { Row } from '../../api/client'
import { fixed } from '../../format'

// Which machines a person should look at first, and why, in a few words.

/** A chip this hot is near the limit of every model in the table. */
const hot = 90

export interface Look {
  row: Row
  why: string
  /** What it does not earn: TH/s that are missing of what it should hash. */
  missing: number
}

const weight: Record<string, number> = { down: 400, silent: 300, locked: 200, degraded: 150, unknown: 60 }

/** How much a machine needs a look; nothing for one that does what it should.
 * One that is off on purpose never does. */
export function look(r: Row): { score: number; why: string } | undefined {
  if (r.condition === 'sleeping') return undefined
  const short = r.nominal_ths && r.hashrate_ths !== null ? 1 - r.hashrate_ths / r.nominal_ths : 0
  const parts: string[] = []
  if (r.trouble) parts.push(r.trouble)
  if (r.condition === 'down') parts.push('answers, does not hash, and should')
  if (r.condition === 'degraded' && short > 0.02) parts.push(`hashes ${fixed(100 * (1 - short), 0)} % of what it should`)
  if (r.faults > 0) parts.push(`${r.faults} ${r.faults === 1 ? 'fault' : 'faults'} told`)
  if (r.temp_c !== null && r.temp_c >= hot) parts.push(`${fixed(r.temp_c, 0)} °C`)
  const base = weight[r.condition] ?? 0
  const score = base + Math.min(r.faults, 10) * 8 + (r.temp_c !== null && r.temp_c >= hot ? 60 + r.temp_c - hot : 0) + (base > 0 ? 50 * Math.max(0, short) : 0)
  if (score === 0) return undefined
  if (parts.length === 0) parts.push(r.condition === 'silent' ? 'does not answer' : r.condition === 'locked' ? 'wants a password' : r.condition === 'unknown' ? 'not read yet' : 'less than it should')
  return { score, why: [...new Set(parts)].join(' · ') }
}

/** The machines that need a look, worst first, and how many there are in all. */
export function worst(rows: Iterable<Row>, most = 12): { list: Look[]; total: number } {
  const all: (Look & { score: number })[] = []
  for (const row of rows) {
    const l = look(row)
    if (l) all.push({ row, ...l, missing: Math.max(0, (row.nominal_ths ?? 0) - (row.hashrate_ths ?? 0)) })
  }
  all.sort((a, b) => b.score - a.score || b.missing - a.missing || b.row.since - a.row.since || a.row.id - b.row.id)
  return { list: all.slice(0, most).map(({ row, why, missing }) => ({ row, why, missing })), total: all.length }
}

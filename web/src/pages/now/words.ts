import type { Activity } from '../../api/client'
import { fixed, power, span } from '../../format'
import type { Mark } from '../../parts/chartdata'

// What happened, in words.

const many = (n: number) => (n === 1 ? '1 machine' : `${fixed(n, 0)} machines`)

/** "Put 200 machines to sleep" */
export function what(a: Activity): string {
  const n = many(a.machines)
  const s = (a.setting ?? {}) as { power_w?: number; profile?: string; mode?: string; on?: boolean }
  const to = (v: string | undefined) => (a.differ ? 'values of their own' : v || 'another value')
  switch (a.kind) {
    case 'scan':
      return a.trouble ? 'A scan failed' : `Scanned: ${n} found, ${fixed(a.new ?? 0, 0)} new`
    case 'found':
      return `Found ${n}${a.place ? ` in ${a.place}` : ''}`
    case 'lost':
      return `Lost ${n}${a.place ? ` in ${a.place}` : ''}`
  }
  const at = a.machines > 1 && a.place ? ` in ${a.place}` : ''
  switch (a.wish) {
    case 'sleep':
      return `Put ${n} to sleep${at}`
    case 'wake':
      return `Woke ${n}${at}`
    case 'reboot':
      return `Rebooted ${n}${at}`
    case 'restart':
      return `Started mining anew on ${n}${at}`
    case 'power':
      return `Set ${n}${at} to ${to(s.power_w === undefined ? undefined : power(s.power_w).join(' '))}`
    case 'profile':
      return `Set ${n}${at} to ${a.differ ? 'profiles of their own' : `profile ${s.profile ?? ''}`}`
    case 'mode':
      return `Set ${n}${at} to ${a.differ ? 'modes of their own' : `mode ${s.mode ?? ''}`}`
    case 'pools':
      return `Changed the pools of ${n}${at}`
    case 'locate':
      return `${s.on === false ? 'Put out' : 'Lit'} the locate light of ${n}${at}`
  }
  return `${a.wish ?? 'Command'}: ${n}${at}`
}

/** Why: the reason that was given; for what happened by itself, what it means. */
export function why(a: Activity): string {
  if (a.kind === 'lost') return `${a.machines > 1 ? 'They stopped answering together and are' : 'It stopped answering and is'} silent still.`
  if (a.kind === 'found') return 'Seen for the first time.'
  if (a.kind === 'scan') return a.trouble ?? `It took ${span((Date.parse(a.until) - Date.parse(a.at)) / 1000)}.`
  return a.reason || 'No reason was given.'
}

/** How it went beside what telemetry confirmed: "12 under way, 3 refused". */
export function rest(states: Record<string, number> | undefined): string {
  const n = (...keys: string[]) => keys.reduce((sum, k) => sum + (states?.[k] ?? 0), 0)
  const parts: [number, string][] = [
    [n('pending', 'dispatched', 'acknowledged'), 'under way'],
    [n('refused'), 'refused'],
    [n('unreachable'), 'not reached'],
    [n('expired'), 'not confirmed in time'],
    [n('drifted'), 'drifted'],
    [n('superseded'), 'replaced by a newer command'],
  ]
  return parts
    .filter(([k]) => k > 0)
    .map(([k, word]) => `${fixed(k, 0)} ${word}`)
    .join(', ')
}

/** Confirmed now, of the commands that were not replaced since. */
export function confirmed(states: Record<string, number> | undefined): { done: number; of: number } {
  let of = 0
  for (const [k, v] of Object.entries(states ?? {})) if (k !== 'superseded') of += v
  return { done: states?.confirmed ?? 0, of }
}

/** The marks that activities make on charts. */
export function marksOf(items: Activity[] | null | undefined): Mark[] {
  return (items ?? []).map((a) => ({ at: Date.parse(a.at) / 1000, text: what(a), kind: a.kind === 'command' ? 'decision' : a.kind === 'lost' ? 'bad' : 'event' }))
}

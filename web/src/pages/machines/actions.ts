import type { Right, Schema } from '../../api/client'

export type Wish = Schema['CommandWish']
export type Preview = Schema['CommandBody']
export type Batch = Schema['BatchDetail']
export type Command = Schema['LedgerCommand']
export type Envelope = Schema['MinerEnvelope']

/** Something that can be asked of machines. */
export interface Action {
  kind: Wish['kind']
  title: string
  /** What the button says that does it. */
  verb: string
  right: Right
  danger?: boolean
  /** What has to be known about it beside figures. */
  warning?: string
}

export const actions: Action[] = [
  { kind: 'sleep', title: 'Sleep', verb: 'Put to sleep', right: 'command', danger: true },
  { kind: 'wake', title: 'Wake', verb: 'Wake', right: 'command', warning: 'Machines draw most while they start. Wake a full feeder in parts.' },
  { kind: 'power', title: 'Power limit', verb: 'Set the limit', right: 'command' },
  { kind: 'profile', title: 'Profile', verb: 'Set the profile', right: 'command' },
  { kind: 'mode', title: 'Mode', verb: 'Set the mode', right: 'command' },
  { kind: 'pools', title: 'Pools', verb: 'Replace the pools', right: 'command', danger: true, warning: 'From then on they mine for the account written here.' },
  { kind: 'restart', title: 'Restart mining', verb: 'Restart', right: 'repair', danger: true, warning: 'They hash nothing until they are up again.' },
  { kind: 'reboot', title: 'Reboot', verb: 'Reboot', right: 'repair', danger: true, warning: 'They hash nothing until they are up again.' },
  { kind: 'locate', title: 'Locate light', verb: 'Set the light', right: 'repair' },
]

export const actionOf = (kind: string) => actions.find((a) => a.kind === kind)

interface Setting {
  kind?: string
  power_w?: number
  profile?: string
  mode?: string
  on?: boolean
  pools?: { url: string; user: string }[]
}

/** A wish in words: "power limit 3,000 W". */
export function wishWords(kind: string, setting: unknown): string {
  const s = (setting ?? {}) as Setting
  const title = actionOf(kind)?.title ?? kind
  switch (kind) {
    case 'power':
      return `${title} ${(s.power_w ?? 0).toLocaleString('en-US')} W`
    case 'profile':
      return `${title} ${s.profile}`
    case 'mode':
      return `${title} ${s.mode}`
    case 'locate':
      return `${title} ${s.on ? 'on' : 'off'}`
    case 'pools':
      return `${title}: ${(s.pools ?? []).map((p) => p.url.replace(/^stratum\+tcp:\/\//, '')).join(', ')}`
  }
  return title
}

/** The states of a command in the order of its life, with what each means and
 * the condition whose colour it borrows. */
export const states: { key: string; means: string; colour: string; settled?: boolean; failed?: boolean }[] = [
  { key: 'pending', means: 'written, not sent yet', colour: 'unknown' },
  { key: 'dispatched', means: 'sent, or being sent', colour: 'starting' },
  { key: 'acknowledged', means: 'the machine said yes; telemetry has not shown it yet', colour: 'starting' },
  { key: 'confirmed', means: 'a later reading shows it', colour: 'hashing', settled: true },
  { key: 'drifted', means: 'should be in force, and readings show something else', colour: 'degraded', settled: true, failed: true },
  { key: 'refused', means: 'the machine said no', colour: 'down', settled: true, failed: true },
  { key: 'unreachable', means: 'nobody answered until the deadline', colour: 'silent', settled: true, failed: true },
  { key: 'expired', means: 'the deadline passed without proof', colour: 'down', settled: true, failed: true },
  { key: 'superseded', means: 'a newer command took its place', colour: 'sleeping', settled: true },
  { key: 'cancelled', means: 'taken back before it was sent', colour: 'sleeping', settled: true },
]

export const stateOf = (key: string) => states.find((s) => s.key === key)

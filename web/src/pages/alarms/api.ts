import { useQueryClient } from '@tanstack/react-query'
import type { Schema } from '../../api/client'

export type AlarmRow = Schema['AlarmRow']
export type AlarmBody = Schema['AlarmBody']
export type Member = Schema['AlarmMember']
export type Rule = Schema['AlarmRule']
export type RuleNow = Schema['RuleNow']
export type RulesBody = Schema['RulesBody']
export type WatchInfo = Schema['AlarmWatchInfo']
export type Match = Schema['AlarmMatch']
export type Silence = Schema['AlarmSilence']
export type WindowNow = Schema['WindowNow']
export type MaintenanceWindow = Schema['AlarmWindow']
export type Escalation = Schema['EscalationNow']
export type ReceiverInfo = Schema['ReceiverInfo']
export type ReceiverWish = Schema['ReceiverWish']

/** Asks anew for everything that a change to alarms may have changed. */
export function useRenew() {
  const queries = useQueryClient()
  return (...keys: string[]) => Promise.all(keys.map((k) => queries.invalidateQueries({ queryKey: [k] })))
}

/** Where an alarm is, in the words of the site. */
export function where(a: AlarmRow): string {
  return a.cause_by === 'alone' ? a.cause : `${a.cause_by} ${a.cause}`
}

/** What a match picks, in words. */
export function matchWords(m: Match | undefined): string {
  if (!m) return 'everything'
  const parts: string[] = []
  const add = (word: string, list?: string[] | null) => list?.length && parts.push(`${word} ${list.join(', ')}`)
  add('site', m.sites)
  add('building', m.buildings)
  add('container', m.containers)
  add('rack', m.racks)
  add('group', m.groups)
  add('model', m.models)
  add('firmware', m.firmwares)
  add('', m.subjects)
  return parts.join(' · ').trim() || 'everything'
}

/** A date and time as the reader's clock shows it, short. */
export function moment(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
}

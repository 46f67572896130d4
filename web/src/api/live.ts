import { useSyncExternalStore } from 'react'
import type { AlarmRow, Row, Site } from './client'

/** The event "alarms": all that is open, and how many of each severity nobody took on. */
export interface AlarmsEvent {
  counts: { info: number; minor: number; major: number; critical: number }
  open: AlarmRow[]
  more: number
}

/** What the live stream has told so far. A new object at every change, but one
 * map of rows that changes in place: compare versions. */
export interface Live {
  site?: Site
  rows: ReadonlyMap<number, Row>
  /** Grows when rows changed: cheaper to compare than the map. */
  version: number
  /** Missing until the stream told, or when this server watches for none. */
  alarms?: AlarmsEvent
  /** False while the stream is down: everything shown is old, since `at`. */
  connected: boolean
  at: number
  /** Times that the stream was opened anew: a server that came back may be another one. */
  opened: number
}

const rows = new Map<number, Row>()
let live: Live = { rows, version: 0, connected: false, at: 0, opened: 0 }
const listeners = new Set<() => void>()
let source: EventSource | undefined
let narrowed: string | undefined // the site that the stream is narrowed to
let seen = '' // the revision that we have: a new stream goes on from it
let slow = false // the page is hidden: a beat every ten seconds is enough
let watchdog: number | undefined
let retry: number | undefined
let telling: number | undefined

// A beat is several events; the page is told once for all of them. A page that
// nobody sees is told when it is looked at again.
function change(next: Partial<Live>) {
  live = { ...live, ...next }
  if (document.hidden) return
  telling ??= window.setTimeout(tell, 25)
}

function tell() {
  telling = undefined
  for (const l of listeners) l()
}

/** Opens the stream. The browser reconnects by itself and says what it saw last;
 * a stream that has gone silent (a laptop that slept, a network that changed) is
 * opened anew, and says it too: nothing is missed either way. */
export function connect(site = narrowed) {
  if (source && site === narrowed) return
  window.clearTimeout(retry)
  if (site !== narrowed) {
    disconnect()
    narrowed = site
    seen = ''
    rows.clear()
    change({ site: undefined, alarms: undefined, version: live.version + 1 })
  }
  const query = new URLSearchParams()
  if (site) query.set('site', site)
  if (seen) query.set('since', seen)
  if (slow) query.set('every', '10')
  source = new EventSource('/api/v1/live' + (query.size ? `?${query}` : ''))
  source.addEventListener('hello', () => change({ opened: live.opened + 1 }))
  source.addEventListener('site', (e) => {
    change({ site: JSON.parse(e.data) as Site, connected: true, at: Date.now() })
  })
  source.addEventListener('machines', (e) => {
    if (e.lastEventId) seen = e.lastEventId
    const { all, rows: changed, gone } = JSON.parse(e.data) as { all: boolean; rows: Row[]; gone?: number[] }
    if (all) rows.clear()
    for (const r of changed) rows.set(r.id, r)
    for (const id of gone ?? []) rows.delete(id)
    change({ version: live.version + 1 })
  })
  source.addEventListener('alarms', (e) => {
    change({ alarms: JSON.parse(e.data) as AlarmsEvent })
  })
  source.onerror = () => {
    change({ connected: false })
    if (source?.readyState === EventSource.CLOSED) {
      disconnect()
      // Refused, not lost: signed out, or the server is another one now.
      fetch('/api/v1/session').then((r) => (r.status === 401 ? window.dispatchEvent(new Event('signed-out')) : again()), again)
    }
  }
  watchdog ??= start()
}

function again() {
  window.clearTimeout(retry)
  retry = window.setTimeout(() => connect(), 2000)
}

/** Looks whether the stream still speaks: every few seconds, and at once when
 * the page comes back to the front or the network comes back. */
function start(): number {
  for (const event of ['visibilitychange', 'pageshow', 'focus']) addEventListener(event, check)
  addEventListener('online', reconnect)
  document.addEventListener('visibilitychange', sight)
  return window.setInterval(check, 3000)
}

function check() {
  if (source && live.at && Date.now() - live.at > (slow ? 30_000 : 10_000) && live.connected) reconnect()
}

/** Opens the stream anew, now. */
export function reconnect() {
  if (!narrowed && !live.at && !source) return // never opened: nobody is signed in
  change({ connected: false })
  disconnect()
  connect()
}

export function disconnect() {
  window.clearTimeout(retry)
  source?.close()
  source = undefined
}

/** Forgets everything: somebody else may sign in. */
export function forget() {
  disconnect()
  seen = ''
  narrowed = undefined
  rows.clear()
  live = { rows, version: live.version + 1, connected: false, at: 0, opened: live.opened }
  tell()
}

/** Opens the stream anew in another rhythm, from where it had come to. */
function pace(hidden: boolean) {
  if (slow === hidden) return
  slow = hidden
  if (!source) return
  disconnect()
  connect()
}

let hiding: number | undefined

// Five seconds hidden are a look at another tab; then the page is out of sight.
function sight() {
  window.clearTimeout(hiding)
  if (document.hidden) hiding = window.setTimeout(() => pace(true), 5000)
  else {
    pace(false)
    tell()
  }
}

function subscribe(l: () => void) {
  listeners.add(l)
  return () => {
    listeners.delete(l)
  }
}

/** The live state of the site; renders again at every change. */
export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live)
}

/** One value of the live state; renders again only when that value changes. */
export function useLivePart<T>(pick: (l: Live) => T): T {
  return useSyncExternalStore(subscribe, () => pick(live))
}

/** The live state at this moment, for what happens outside of rendering. */
export const liveNow = () => live

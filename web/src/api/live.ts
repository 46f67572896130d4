import { useSyncExternalStore } from 'react'
import type { AlarmRow, Row, Site } from './client'

/** The event "alarms": all that is open, and how many of each severity nobody took on. */
export interface AlarmsEvent {
  counts: { info: number; minor: number; major: number; critical: number }
  open: AlarmRow[]
  more: number
}

/** What the live stream has told so far. A new object at every change. */
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
}

let live: Live = { rows: new Map(), version: 0, connected: false, at: 0 }
const listeners = new Set<() => void>()
let source: EventSource | undefined
let narrowed: string | undefined // the site that the stream is narrowed to
let watchdog: number | undefined

function change(next: Partial<Live>) {
  live = { ...live, ...next }
  for (const l of listeners) l()
}

/** Opens the stream. The browser reconnects by itself and says what it saw last;
 * a stream that has gone silent (a laptop that slept) is opened anew. */
export function connect(site = narrowed) {
  if (source && site === narrowed) return
  if (site !== narrowed) {
    disconnect()
    narrowed = site
    change({ site: undefined, alarms: undefined, rows: new Map(), version: live.version + 1 })
  }
  source = new EventSource('/api/v1/live' + (site ? `?site=${encodeURIComponent(site)}` : ''))
  source.addEventListener('site', (e) => {
    change({ site: JSON.parse(e.data) as Site, connected: true, at: Date.now() })
  })
  source.addEventListener('machines', (e) => {
    const { all, rows, gone } = JSON.parse(e.data) as { all: boolean; rows: Row[]; gone?: number[] }
    const next = new Map(all ? [] : live.rows)
    for (const r of rows) next.set(r.id, r)
    for (const id of gone ?? []) next.delete(id)
    change({ rows: next, version: live.version + 1 })
  })
  source.addEventListener('alarms', (e) => {
    change({ alarms: JSON.parse(e.data) as AlarmsEvent })
  })
  source.onerror = () => {
    change({ connected: false })
    if (source?.readyState === EventSource.CLOSED) {
      disconnect()
      // Refused, not lost: signed out, or the server is another one now.
      fetch('/api/v1/session').then(
        (r) => (r.status === 401 ? window.dispatchEvent(new Event('signed-out')) : window.setTimeout(() => connect(), 2000)),
        () => window.setTimeout(() => connect(), 2000),
      )
    }
  }
  watchdog ??= window.setInterval(() => {
    if (live.at && Date.now() - live.at > 10_000 && live.connected) {
      change({ connected: false })
      disconnect()
      connect()
    }
  }, 3000)
}

export function disconnect() {
  source?.close()
  source = undefined
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

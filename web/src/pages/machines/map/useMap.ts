import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ask, Failed } from '../../../api/client'
import type { SiteMap } from './layout'
import { decode, type State } from './state'

/** The structure of the map; asked for again when `stale` says that it is old. */
export function useStructure(site: string | undefined) {
  const narrow = site ? `?site=${encodeURIComponent(site)}` : ''
  return useQuery({ queryKey: ['map', site], queryFn: ({ signal }) => ask<SiteMap>('GET', `/map${narrow}`, undefined, signal), refetchInterval: 60_000, structuralSharing: (old, next) => (old && (old as SiteMap).version === (next as SiteMap).version ? old : next) })
}

/** How often the state is asked for; the more machines, the less often. */
const every = (machines: number) => (machines > 50_000 ? 5000 : 2000)

/** The state of the map in a metric, kept fresh with changes only. `tick` grows
 * with each answer; the arrays change in place. */
export function useMapState(map: SiteMap | undefined, site: string | undefined, metric: string, onStale: () => void): { state?: State; tick: number; error?: Error } {
  const [shown, setShown] = useState<{ state?: State; tick: number; error?: Error }>({ tick: 0 })
  const stale = useRef(onStale)
  stale.current = onStale
  const version = map?.version
  const count = map?.machines?.length ?? 0
  useEffect(() => {
    if (version === undefined) return
    const stop = new AbortController()
    let old: State | undefined
    let timer: number | undefined
    const turn = async () => {
      try {
        const query = new URLSearchParams({ metric })
        if (site) query.set('site', site)
        if (old) query.set('since', old.since)
        const res = await fetch(`/api/v1/map/state?${query}`, { signal: stop.signal })
        if (res.status === 401) window.dispatchEvent(new Event('signed-out'))
        if (!res.ok) throw new Failed(res.status, 'The state of the map was not told; it is asked for again.')
        const next = decode(await res.arrayBuffer(), metric, old)
        if (stop.signal.aborted) return
        if (next.version !== version) stale.current()
        else {
          old = next
          setShown((s) => ({ state: next, tick: s.tick + 1 }))
        }
      } catch (e) {
        if (stop.signal.aborted) return
        old = undefined
        setShown((s) => ({ ...s, error: e as Error }))
      }
      if (!document.hidden) timer = window.setTimeout(turn, every(count))
    }
    const back = () => {
      window.clearTimeout(timer)
      if (!document.hidden) void turn()
    }
    void turn()
    document.addEventListener('visibilitychange', back)
    return () => {
      stop.abort()
      window.clearTimeout(timer)
      document.removeEventListener('visibilitychange', back)
    }
  }, [version, site, metric, count])
  return shown
}

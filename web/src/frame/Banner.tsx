import { Button } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { reconnect, useLive } from '../api/live'
import { useNow } from '../parts/Age'
import { span } from '../format'

/** The script that a page of the dashboard is made of: its name carries its
 * content's hash. */
export const scriptOf = (html: string) => html.match(/<script[^>]+src="(\/assets\/[^"]+)"/)?.[1]

/** Tells whether the server has another dashboard than the one that runs here:
 * asked whenever the stream was opened anew, which a restart always causes. */
function useNewer(opened: number): boolean {
  const [newer, set] = useState(false)
  const first = useRef(true)
  useEffect(() => {
    if (opened < 2 && first.current) return
    first.current = false
    const mine = document.querySelector<HTMLScriptElement>('script[type=module][src]')?.getAttribute('src')
    const gone = new AbortController()
    fetch('/', { signal: gone.signal, cache: 'no-cache', headers: { Accept: 'text/html' } })
      .then((r) => (r.ok ? r.text() : ''))
      .then((html) => {
        const theirs = scriptOf(html)
        if (mine && theirs) set(mine !== theirs)
      })
      .catch(() => undefined) // lost again: the next opening asks anew
    return () => gone.abort()
  }, [opened])
  return newer
}

/** What concerns every page: the server is lost, or has a newer dashboard. */
export function Banner() {
  const live = useLive()
  const now = useNow()
  const newer = useNewer(live.opened)
  const [later, setLater] = useState(false)
  const lost = live.at > 0 && !live.connected && now - live.at > 4000
  return (
    <div role="status">
      {lost && (
        <div className="banner bad" data-testid="lost">
          <p>
            <strong>The server is not reached, since {new Date(live.at).toLocaleTimeString()}.</strong> You see the site as it was then, {span((now - live.at) / 1000)} ago; search, tables and the map go on with that. History, commands and settings wait until it is back; this page tries again by
            itself.
          </p>
          <Button size="compact-sm" variant="default" onClick={reconnect}>
            Try now
          </Button>
        </div>
      )}
      {newer && !lost && !later && (
        <div className="banner info" data-testid="newer">
          <p>
            <strong>The server runs a newer dashboard.</strong> Load it when it suits you; until then this one goes on.
          </p>
          <Button size="compact-sm" variant="default" onClick={() => location.reload()}>
            Load it
          </Button>
          <Button size="compact-sm" variant="subtle" onClick={() => setLater(true)}>
            Later
          </Button>
        </div>
      )}
    </div>
  )
}

import { Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { ask, type PowerLine } from '../../api/client'
import { useView } from '../../frame/view'
import { dash, fixed, power, span } from '../../format'
import { Trouble } from '../../parts/Trouble'

const watts = (w: number | null | undefined) => power(w).join(' ')

/** What a line of the power tree says of the meter against its machines, and
 * how much of the cap is in use. */
export function judged(l: PowerLine): { drawn?: number; by: 'meter' | 'machines' | ''; used?: number; gap?: string } {
  const drawn = l.metered_w ?? l.told_w ?? undefined
  const by = l.metered_w !== undefined ? 'meter' : l.told_w !== undefined ? 'machines' : ''
  const used = drawn !== undefined && l.cap_w ? drawn / l.cap_w : undefined
  let gap: string | undefined
  if (l.metered_w !== undefined && l.told_w !== undefined && l.machines > 0) {
    const d = l.metered_w - l.told_w
    const percent = l.told_w > 0 ? ` (${fixed(Math.abs((100 * d) / l.told_w), 0)} %)` : ''
    gap = `meter ${d >= 0 ? 'above' : 'below'} the machines’ own sum by ${watts(Math.abs(d))}${percent}`
    if (d > 0.5 * l.told_w && l.unmetered === 0) gap += ': more than cooling and losses explain'
    else if (d >= 0) gap += l.unmetered > 0 ? `: ${fixed(l.unmetered, 0)} ${l.unmetered === 1 ? 'machine does' : 'machines do'} not tell, and cooling and losses` : ': cooling and losses'
  }
  return { drawn, by, used, gap }
}

/** Power against what may be drawn: the site, then its feeders. */
export function PowerPanel() {
  const view = useView()
  const q = useQuery({ queryKey: ['power', view.query], queryFn: ({ signal }) => ask<PowerLine[]>('GET', `/power${view.query && `?${view.query}`}`, undefined, signal), refetchInterval: 5000 })
  const lines = q.data ?? []
  const sites = new Set(lines.map((l) => l.site)).size
  return (
    <section className="panel" aria-label="Power against caps" data-testid="power">
      <h2>Power against caps</h2>
      {q.error && !q.data ? (
        <Trouble what="Power cannot be shown" error={q.error} again={() => void q.refetch()} />
      ) : !q.data ? (
        <Skeleton h={120} role="img" aria-label="loading power" />
      ) : lines.length === 0 ? (
        <Text fz="sm" c="dimmed">
          No machines and no meters yet.
        </Text>
      ) : (
        <>
          <ul className="lines">
            {lines.slice(0, 40).map((l) => (
              <LineOf key={`${l.site}/${l.of}`} l={l} named={sites > 1} />
            ))}
          </ul>
          {lines.every((l) => l.cap_w === undefined) && (
            <Text fz="xs" c="dimmed">
              No caps are known: the site’s layout holds them.
            </Text>
          )}
        </>
      )}
    </section>
  )
}

function LineOf({ l, named }: { l: PowerLine; named: boolean }) {
  const j = judged(l)
  const name = l.of === 'site' ? (named ? l.site : 'Whole site') : `${named ? `${l.site}, ` : ''}${l.of}`
  const over = j.used !== undefined && j.used > 1
  const near = j.used !== undefined && j.used > 0.95 && !over
  return (
    <li>
      <div className="top-line">
        <span className="name">{name}</span>
        <span className={over ? 'over' : near ? 'near' : undefined}>
          <b>{j.drawn === undefined ? dash : watts(j.drawn)}</b>
          {l.cap_w !== undefined && ` of ${watts(l.cap_w)}${j.used !== undefined ? `, ${fixed(100 * j.used, 0)} %${over ? ', above its cap' : ''}` : ''}`}
        </span>
      </div>
      {j.used !== undefined && (
        <div className="cap" role="img" aria-label={`${fixed(100 * j.used, 0)} % of the cap of ${name}`}>
          <span className={over ? 'over' : near ? 'near' : ''} style={{ width: `${Math.min(100, 100 * j.used)}%` }} />
        </div>
      )}
      <div className="note">
        {j.by === 'meter' && l.at ? `${l.meter}${l.guessed ? ', by its name' : ''}, ${span((Date.now() - Date.parse(l.at)) / 1000)} ago` : j.by === 'machines' ? `as ${fixed(l.machines - l.unmetered, 0)} machines tell` : ''}
        {l.meter && j.by !== 'meter' && `${j.by ? '; ' : ''}meter ${l.meter} is ${l.quality}${l.at ? ` since ${new Date(l.at).toLocaleTimeString()}` : ''}${l.trouble ? `: ${l.trouble}` : ''}`}
        {j.gap && ` · ${j.gap}`}
      </div>
    </li>
  )
}

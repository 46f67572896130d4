import { Anchor, Button, Group, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ask, type ActivityBody, type Site } from '../../api/client'
import { useLive } from '../../api/live'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { fixed, hashrate, power, span } from '../../format'
import { useNow } from '../../parts/Age'
import { conditions, Dot } from '../../parts/Condition'
import { Empty } from '../../parts/Empty'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { OpenAlarms } from '../alarms/OpenAlarms'
import { Work } from '../../parts/Work'
import { Feed } from './Feed'
import { PowerPanel } from './PowerPanel'
import { Trends } from './Trends'
import { marksOf } from './words'
import { worst } from './worst'

const machines = '/machines' as string

/** The site live: totals, what needs a look, what Ballast did and why, power
 * against what may be drawn, and how it went lately. */
export function Now() {
  const live = useLive()
  const view = useView()
  const site = live.site
  const happened = useQuery({
    queryKey: ['activity', view.query, view.seconds, view.from],
    queryFn: ({ signal }) => {
      const oldest = Date.now() - 7 * 86400_000
      const from = Math.max(Math.min(view.span()[0] * 1000, Date.now() - 3600_000), oldest)
      return ask<ActivityBody>('GET', `/activity?limit=300&since=${new Date(from).toISOString()}${view.query && `&${view.query}`}`, undefined, signal)
    },
    refetchInterval: 10_000,
  })
  const marks = useMemo(() => marksOf(happened.data?.items), [happened.data])
  const title = view.site ? `${view.site}, now` : site ? `${site.name}, now` : 'Now'
  return (
    <Page title={title}>
      <OpenAlarms />
      {site?.scan.running && <Work what={`Scanning ${site.scan.ranges?.join(', ') ?? ''}`} done={site.scan.progress.probed} total={site.scan.progress.total} note={`${fixed(site.scan.progress.identified, 0)} machines found`} />}
      {site && site.machines === 0 ? (
        <Nothing scanning={site.scan.running} />
      ) : (
        <>
          <Totals site={site} stale={!live.connected && live.at > 0} at={live.at} />
          {site && <States site={site} />}
          <div className="beside">
            <div>
              <NeedsALook />
              <PowerPanel />
            </div>
            <Feed q={happened} />
          </div>
          <Trends marks={marks} />
        </>
      )}
    </Page>
  )
}

function Totals({ site, stale, at }: { site?: Site; stale: boolean; at: number }) {
  const [h, hUnit] = hashrate(site?.hashrate_ths)
  const [n, nUnit] = hashrate(site?.nominal_ths)
  const [p, pUnit] = power(site?.power_w)
  const answered = site ? site.polls.due - site.polls.failed - site.polls.in_flight : 0
  const inTime = site && answered > 0 ? Math.min(100, (100 * site.polls.in_time) / answered) : null
  const common = { stale, at: at || undefined, loading: !site }
  return (
    <div className="figures" data-testid={site && 'figures'}>
      <Figure {...common} name="Hashrate" value={h} unit={hUnit} to={{ to: machines, search: { sort: 'hashrate', desc: true } }} note={`of ${n} ${nUnit} expected`} source="Measured: sum of what the machines that answer tell of their shortest window. Expected: what their firmwares expect at their present settings." />
      <Figure {...common} name="Power" value={p} unit={pUnit} to={{ to: machines, search: { sort: 'power', desc: true } }} note={site && site.unmetered > 0 ? `without ${fixed(site.unmetered, 0)} that do not tell` : 'as the machines tell'} source="Measured or estimated by the machines themselves, at the wall. What meters read stands below." />
      <Figure {...common} name="Efficiency" value={fixed(site?.efficiency_j_per_th, 1)} unit="J/TH" to={{ to: machines, search: { sort: 'efficiency', desc: true } }} note="of those that tell both" source="Power over hashrate of the hashing machines that tell both." />
      <Figure {...common} name="Hottest" value={fixed(site?.hottest_c, 0)} unit="°C" to={{ to: machines, search: { sort: 'temp', desc: true } }} note="chip or board" source="Highest chip temperature that any machine tells, else board temperature." />
      <Figure {...common} name="Machines" value={fixed(site?.machines, 0)} to={{ to: machines }} note={site && site.faults > 0 ? `${fixed(site.faults, 0)} faults told` : 'no faults told'} source="Machines in the record that are not retired." />
      <Figure {...common} name="Polls in time" value={fixed(inTime, 2)} unit="%" to={{ to: machines, search: { condition: 'silent' } }} note={site && `${fixed(site.polls.in_flight, 0)} under way`} source="Polls that were answered within their interval, of all that came due since Ballast started and were not to a machine that gave no answer." />
    </div>
  )
}

/** How many machines are in which condition, each the way to the list of them. */
function States({ site }: { site: Site }) {
  return (
    <>
      <div className="bar" role="img" aria-label={conditions.map(([c]) => `${site.conditions[c] ?? 0} ${c}`).join(', ')}>
        {conditions.map(([c]) => (site.conditions[c] ? <span key={c} style={{ width: `${(100 * site.conditions[c]!) / site.machines}%`, background: `var(--${c})` }} /> : null))}
      </div>
      <nav className="conditions" aria-label="Machines by condition">
        {conditions.map(([c, means]) => (
          <Link key={c} to={machines} search={{ condition: c } as never} title={means} className={'chip' + (site.conditions[c] ? '' : ' none')}>
            <Dot of={c} />
            {fixed(site.conditions[c] ?? 0, 0)} {c}
          </Link>
        ))}
      </nav>
    </>
  )
}

/** The machines that a person should look at first. */
function NeedsALook() {
  const live = useLive()
  const now = useNow(5000)
  // biome-ignore lint: version says that the map changed
  const { list, total } = useMemo(() => worst(live.rows.values()), [live.version])
  return (
    <section className="panel" aria-label="Machines that need a look" data-testid="look">
      <h2>Machines that need a look</h2>
      {!live.site ? (
        <Skeleton h={120} role="img" aria-label="loading machines" />
      ) : total === 0 ? (
        <Text fz="sm" c="dimmed">
          None: every machine does what it should, or is off on purpose.
        </Text>
      ) : (
        <ol className="worst">
          {list.map(({ row: r, why }) => (
            <li key={r.id}>
              <Link to="/machines/$id" params={{ id: String(r.id) } as never}>
                <Dot of={r.condition} />
                <span className="who">
                  <b>{r.name}</b> <span className="is">{r.condition}</span>
                  <span className="why">{why}</span>
                </span>
                <span className="where">
                  {r.place || r.model}
                  <br />
                  {span(now / 1000 - r.since)}
                </span>
              </Link>
            </li>
          ))}
        </ol>
      )}
      <Text fz="xs" c="dimmed" mt={6} data-testid="count">
        {fixed(total, 0)} of {fixed(live.rows.size, 0)} machines
        {total > list.length && (
          <>
            {'; '}
            <Anchor component={Link} to={machines} search={{ sort: 'condition' } as never} fz="xs">
              all of them
            </Anchor>
          </>
        )}
      </Text>
    </section>
  )
}

/** A site without machines: what comes next. */
function Nothing({ scanning }: { scanning: boolean }) {
  const may = useMay('configure')
  if (scanning)
    return (
      <Empty title="Looking for machines">
        <Text fz="sm">Machines appear here as they are found. You need not wait: the scan goes on while you look elsewhere.</Text>
      </Empty>
    )
  return (
    <Empty
      title="No machines yet"
      action={
        may ? (
          <Group gap="xs">
            <Button component={Link} to={'/places/discovery' as string}>
              Find machines
            </Button>
          </Group>
        ) : undefined
      }
    >
      <Text fz="sm">
        {may
          ? 'Name the address ranges that hold machines, and Ballast looks at each address which firmware answers there. It changes nothing on a machine, and guesses no password.'
          : 'Somebody with the role engineer or admin has to name the address ranges that hold machines. They appear here as they are found.'}
      </Text>
    </Empty>
  )
}

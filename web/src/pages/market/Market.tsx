import { Alert, Button, Loader, NumberInput, SegmentedControl, Select, Text, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { span } from '../../format'
import { Chart, type Mark } from '../../parts/Chart'
import { Empty } from '../../parts/Empty'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Origin, Simulated, Wide } from '../outlook/parts'
import { change, day, daysOn, grouped, series, share } from '../outlook/words'
import { Rigs } from './Rigs'

type Num = Schema['MarketNumber']

const old = (n: Num) => Date.now() - new Date(n.at).getTime()

function Told({ name, n, value, unit, note, stale = 3 * 3_600_000 }: { name: string; n?: Num; value: (v: number) => string; unit?: string; note?: string; stale?: number }) {
  if (!n) return <Figure name={name} value="–" source="Not known: see what is missing below." />
  return <Figure name={name} value={value(n.value)} unit={unit} note={note ?? `${span(old(n) / 1000)} old`} at={new Date(n.at).getTime()} stale={old(n) > stale} source={<Origin n={n} />} />
}

const spans = [
  { value: '90', label: '90 days' },
  { value: '365', label: 'Year' },
  { value: '7300', label: 'All' },
]

/** What a bitcoin costs, what the network pays, and when that changes. */
export function MarketPage() {
  const q = useQuery({ queryKey: ['market'], queryFn: ({ signal }) => ask<Schema['MarketBody']>('GET', '/market', undefined, signal), refetchInterval: 15_000 })
  const m = q.data
  return (
    <Page title="Market" note="What hashing pays, each number with its age and source. Tap a name to see how it is reckoned.">
      {q.error && <Trouble what="The market cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.isPending && <Loader aria-label="loading" />}
      {m && (
        <>
          {m.simulated && <Simulated what="These sources are a simulated network. Nothing on this page is about the real market." />}
          <div className="figures" data-testid="market-now">
            <Told name="Hashprice" n={m.hashprice} value={(v) => v.toFixed(2)} unit="$/PH/day" />
            <Told name="Price of a bitcoin" n={m.price} value={(v) => grouped(v)} unit="$" />
            <Told name="1 PH/s earns" n={m.sat_per_ph_day} value={(v) => grouped(v)} unit="sat a day" />
            <Told name="Network hashrate" n={m.network} value={(v) => grouped(v)} unit="EH/s" note={m.network?.error ? `± ${grouped(m.network.error)}` : undefined} />
            <Told name="Difficulty" n={m.difficulty} value={(v) => (v / 1e12).toFixed(2)} unit="T" />
            <Told name="Fees of a block" n={m.fees} value={(v) => (v / 1e8).toFixed(4)} unit="BTC" note={m.fee_share ? `${share(m.fee_share.value)} of the reward` : undefined} />
            {m.retarget && (
              <Figure
                name="Next retarget"
                value={change(m.retarget.change)}
                note={`${change(m.retarget.low)} to ${change(m.retarget.high)}; in ${span((new Date(m.retarget.at).getTime() - Date.now()) / 1000)}, ${grouped(m.retarget.blocks_left)} blocks`}
                source={
                  <>
                    <b>Modelled</b>
                    <div>{m.retarget.formula}</div>
                    <div>
                      {grouped(m.retarget.intervals)} of 2,015 intervals in {span(m.retarget.elapsed_s)}; at height {grouped(m.retarget.height)}.
                    </div>
                  </>
                }
              />
            )}
            {m.halving && (
              <Figure
                name="Next halving"
                value={day(m.halving.at)}
                note={`${day(m.halving.early)} to ${day(m.halving.late)}; then ${m.halving.subsidy_sat / 1e8} BTC a block`}
                source={`Modelled: height ${grouped(m.halving.height)} at 590 s a block with two per cent of doubt about that mean; nine in ten outcomes lie between the dates.`}
              />
            )}
          </div>
          <Missing list={m.missing ?? []} />
          <Past simulated={m.simulated} />
          <Pools pools={m.pools ?? []} />
          <Sources list={m.sources ?? []} />
          <Retargets />
          <ByHand />
          <Rigs />
        </>
      )}
    </Page>
  )
}

function Missing({ list }: { list: Schema['MarketMissing'][] }) {
  if (list.length === 0) return null
  return (
    <Alert color="orange" title="Not known" my="sm" data-testid="missing">
      <ul style={{ margin: 0, paddingLeft: 18 }}>
        {list.map((m) => (
          <li key={m.what}>
            <b>{m.what}</b>: {m.why}
          </li>
        ))}
      </ul>
    </Alert>
  )
}

function Past({ simulated }: { simulated: boolean }) {
  const [days, setDays] = useState('365')
  const today = day(new Date())
  const q = useQuery({
    queryKey: ['market', 'history', days],
    queryFn: ({ signal }) => ask<Schema['MarketHistoryBody']>('GET', `/market/history?from=${daysOn(today, -Number(days))}`, undefined, signal),
    refetchInterval: 300_000,
  })
  const drawn = useMemo(() => {
    const rows = q.data?.days ?? []
    const at = rows.map((d) => new Date(d.day).getTime() / 1000 + 43_200)
    const marks: Mark[] = (q.data?.marks ?? [])
      .filter((m) => m.kind === 'halving' || Math.abs(m.change ?? 0) >= 0.05)
      .map((m) => ({ at: new Date(m.at).getTime() / 1000, text: m.kind === 'halving' ? 'halving' : `retarget ${change(m.change)}`, kind: m.kind === 'halving' ? 'decision' : (m.change ?? 0) < 0 ? 'bad' : 'event' }))
    const of = (f: (d: Schema['MarketDay']) => number | undefined | null) => rows.map((d) => f(d) ?? null)
    return { n: rows.length, marks, data: series(at, { hashprice: of((d) => d.hashprice_usd), price: of((d) => d.price_usd), difficulty: of((d) => (d.difficulty ? d.difficulty / 1e12 : null)), network: of((d) => d.network_ehs) }) }
  }, [q.data])
  return (
    <section aria-label="History">
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'baseline', gap: 12, flexWrap: 'wrap' }}>
        <h2 className="part">History</h2>
        <SegmentedControl size="xs" aria-label="How far back" data={spans} value={days} onChange={setDays} />
      </div>
      {q.error && <Trouble what="The history cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.isPending && <Loader aria-label="loading" size="sm" />}
      {q.data && drawn.n === 0 && <Empty title="No history yet">It fills as the sources are asked. Earlier years come from the files that market.checkpoints and market.prices name in the configuration.</Empty>}
      {drawn.n > 0 && (
        <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(420px, 100%), 1fr))', gap: '8px 32px' }}>
          <Chart title="Hashprice" unit="$/PH/day" zero data={drawn.data} lines={[{ metric: 'hashprice', label: 'Hashprice' }]} marks={drawn.marks} source={`${simulated ? 'Simulated. ' : ''}Of the subsidy alone on days before fees were kept.`} />
          <Chart title="Price of a bitcoin" unit="$" zero data={drawn.data} lines={[{ metric: 'price', label: 'Close' }]} marks={drawn.marks} />
          <Chart title="Difficulty" unit="T" zero data={drawn.data} lines={[{ metric: 'difficulty', label: 'Difficulty' }]} marks={drawn.marks} source="Marks: retargets of five per cent and more, halvings." />
          <Chart title="Network hashrate" unit="EH/s" zero data={drawn.data} lines={[{ metric: 'network', label: 'Mean of the epoch' }]} marks={drawn.marks} />
        </div>
      )}
    </section>
  )
}

function Pools({ pools }: { pools: Schema['PoolBody'][] }) {
  if (pools.length === 0) return null
  return (
    <>
      <h2 className="part">Who found the blocks of the last week</h2>
      <Wide label="Pools">
        <thead>
          <tr>
            <th scope="col">Pool</th>
            <th scope="col" className="num">Blocks</th>
            <th scope="col" className="num">Share</th>
          </tr>
        </thead>
        <tbody>
          {pools.slice(0, 12).map((p) => (
            <tr key={p.pool}>
              <th scope="row">{p.pool}</th>
              <td className="num">{grouped(p.blocks)}</td>
              <td className="num">{share(p.share)}</td>
            </tr>
          ))}
        </tbody>
      </Wide>
    </>
  )
}

function Sources({ list }: { list: Schema['MarketSource'][] }) {
  return (
    <>
      <h2 className="part">Sources</h2>
      {list.length === 0 ? (
        <Empty title="No source is configured">
          Name an explorer or your own node under <code>market.feeds</code> in the configuration, or enter the numbers by hand below.
        </Empty>
      ) : (
        <Wide label="Sources" testid="sources">
          <thead>
            <tr>
              <th scope="col">Source</th>
              <th scope="col">Gives</th>
              <th scope="col">State</th>
              <th scope="col">Last answer</th>
            </tr>
          </thead>
          <tbody>
            {list.map((s) => (
              <tr key={s.name}>
                <th scope="row">
                  {s.name} <span className="dim">({s.kind === 'mempool' ? 'explorer' : s.kind === 'node' ? 'own node' : 'file'})</span>
                </th>
                <td>{(s.gives ?? []).join(', ')}</td>
                <td className="say" style={s.failure ? { color: 'var(--ink-bad)' } : undefined}>{s.failure ? `fails: ${s.failure}` : 'answers'}</td>
                <td>{s.answered ? `${span((Date.now() - new Date(s.answered).getTime()) / 1000)} ago` : 'never yet'}</td>
              </tr>
            ))}
          </tbody>
        </Wide>
      )}
    </>
  )
}

function Retargets() {
  const q = useQuery({ queryKey: ['market', 'retargets'], queryFn: ({ signal }) => ask<Schema['RetargetRow'][]>('GET', '/market/retargets?limit=13', undefined, signal), refetchInterval: 600_000 })
  const rows = q.data ?? []
  if (rows.length === 0) return null
  return (
    <>
      <h2 className="part">Retargets, newest first</h2>
      <Wide label="Retargets">
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col" className="num">Height</th>
            <th scope="col" className="num">Difficulty, T</th>
            <th scope="col" className="num">Change</th>
            <th scope="col" className="num">Under the peak</th>
            <th scope="col" className="num">Network, EH/s</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.epoch}>
              <th scope="row">{day(r.at)}</th>
              <td className="num">{grouped(r.height)}</td>
              <td className="num">{(r.difficulty / 1e12).toFixed(2)}</td>
              <td className="num">{change(r.change)}</td>
              <td className="num">{r.below_peak < 0 ? change(r.below_peak) : 'at it'}</td>
              <td className="num">{r.network_ehs ? grouped(r.network_ehs) : 'runs'}</td>
            </tr>
          ))}
        </tbody>
      </Wide>
    </>
  )
}

const names: Record<string, string> = { price_usd: 'Price of a bitcoin, $', difficulty: 'Difficulty', fees_sat: 'Fees of a block, satoshi' }

/** Numbers that somebody enters because no source tells them. */
function ByHand() {
  const may = useMay('money')
  const cache = useQueryClient()
  const q = useQuery({ queryKey: ['market', 'entries'], queryFn: ({ signal }) => ask<Schema['LedgerMarketEntry'][]>('GET', '/market/entries?limit=20', undefined, signal) })
  const [kind, setKind] = useState('price_usd')
  const [value, setValue] = useState<number | string>('')
  const [source, setSource] = useState('')
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const act = async (what: () => Promise<unknown>) => {
    setBusy(true)
    setError(undefined)
    try {
      await what()
      await cache.invalidateQueries({ queryKey: ['market'] })
      return true
    } catch (e) {
      setError(e as Error)
      return false
    } finally {
      setBusy(false)
    }
  }
  const rows = q.data ?? []
  return (
    <>
      <h2 className="part">Entered by hand</h2>
      <Text fz="sm" c="dimmed">
        A number entered here counts where it is newer than what the sources tell. Every entry keeps who made it, and is withdrawn rather than changed.
      </Text>
      {error && <Trouble what="It was not taken" error={error} />}
      {may && (
        <form
          style={{ display: 'flex', gap: 10, alignItems: 'flex-end', flexWrap: 'wrap', margin: '10px 0' }}
          onSubmit={(e) => {
            e.preventDefault()
            void act(() => ask('POST', '/market/entries', { series: kind, value: Number(value), source })).then((ok) => ok && (setValue(''), setSource('')))
          }}
        >
          <Select label="What" data={Object.entries(names).map(([v, label]) => ({ value: v, label }))} value={kind} onChange={(v) => setKind(v ?? 'price_usd')} allowDeselect={false} size="xs" w={210} />
          <NumberInput label="Value now" value={value} onChange={setValue} min={0} size="xs" w={170} thousandSeparator="," hideControls required />
          <TextInput label="Where you have it from" value={source} onChange={(e) => setSource(e.currentTarget.value)} size="xs" style={{ flex: '1 1 220px' }} required maxLength={400} />
          <Button type="submit" size="xs" loading={busy} disabled={value === '' || source.trim() === ''}>
            Enter
          </Button>
        </form>
      )}
      {rows.length > 0 ? (
        <Wide label="Entries" testid="entries">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" className="num">Value</th>
              <th scope="col">True at</th>
              <th scope="col">By</th>
              <th scope="col">From</th>
              <th scope="col">
                <span className="hidden">Withdraw</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((e) => (
              <tr key={e.id} className={e.withdrawn_by ? 'dim' : undefined}>
                <th scope="row">{names[e.series] ?? e.series}</th>
                <td className="num">{grouped(e.value, e.series === 'price_usd' ? 2 : 0)}</td>
                <td>{new Date(e.at).toLocaleString()}</td>
                <td>{e.actor}</td>
                <td className="say">{e.source}</td>
                <td>
                  {e.withdrawn_by ? (
                    `withdrawn by ${e.withdrawn_by}`
                  ) : may ? (
                    <Button size="compact-xs" variant="subtle" color="gray" onClick={() => void act(() => ask('DELETE', `/market/entries/${e.id}`))} aria-label={`Withdraw ${names[e.series]} of ${grouped(e.value)}`}>
                      Withdraw
                    </Button>
                  ) : null}
                </td>
              </tr>
            ))}
          </tbody>
        </Wide>
      ) : (
        <Text fz="sm" c="dimmed" mt={6}>
          Nothing was entered by hand.
        </Text>
      )}
    </>
  )
}

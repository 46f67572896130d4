import { Alert, Button, Loader, Select, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { Chart, type Fan } from '../../parts/Chart'
import { Empty } from '../../parts/Empty'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { Forbidden, Trouble } from '../../parts/Trouble'
import { Assumptions } from './Assumptions'
import { Compare } from './Compare'
import { LeverOutcomes, Levers } from './Levers'
import { Dial, Simulated } from './parts'
import { Progress, type Run, type Scenario, useRun } from './run'
import { at, daysOn, noSeries, share, times, usd } from './words'

/** The hashrate-debt ratio at a date, and the company's and the network's odds,
 * side by side because they are two events. */
export function OutlookPage() {
  const may = useMay('money')
  const base = useQuery({ queryKey: ['outlook'], queryFn: ({ signal }) => ask<Schema['OutlookBase']>('GET', '/outlook', undefined, signal), enabled: may })
  const last = useQuery({ queryKey: ['runs', 'last'], queryFn: ({ signal }) => ask<Run[]>('GET', '/outlook/runs?limit=10', undefined, signal), enabled: may })
  const [s, setS] = useState<Scenario>()
  useEffect(() => {
    if (base.data && !s) setS(base.data.scenario)
  }, [base.data, s])
  const shown = last.data?.find((r) => r.state === 'done' && r.name !== 'stress')?.id
  const { run, start, cancel, playing, error } = useRun(shown)
  if (!may) return <Forbidden title="Outlook" right="money" />
  const b = base.data
  const o = run?.outcome
  const ends = [
    { value: '2026-12-31', label: 'End of 2026' },
    ...(b ? [{ value: daysOn(b.today, 182), label: 'In half a year' }, { value: daysOn(b.today, 365), label: 'In a year' }, { value: daysOn(b.today, 730), label: 'In two years' }] : []),
  ].filter((e) => !b || e.value > b.today)
  if (s?.to && !ends.some((e) => e.value === s.to)) ends.push({ value: s.to, label: s.to })
  return (
    <Page title="Outlook" note="Where debt against hashpower may stand, and how near trouble is. Futures are played from assumptions that are all listed below.">
      {base.error && <Trouble what="The outlook cannot begin" error={base.error} again={() => void base.refetch()} />}
      {base.isPending && <Loader aria-label="loading" />}
      {b?.example && <Simulated what="This company is an example on the simulated site's live machines: no such company, debt or market exists." />}
      {b && !b.ready && (
        <Alert color="orange" title="It cannot be played as it is" my="sm" data-testid="not-ready">
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {(b.missing ?? []).map((m) => (
              <li key={m.what}>
                <b>{m.what}</b>: {m.why}
              </li>
            ))}
          </ul>
        </Alert>
      )}
      {s && b && (
        <form
          style={{ display: 'flex', gap: 10, alignItems: 'flex-end', flexWrap: 'wrap', margin: '8px 0 12px' }}
          onSubmit={(e) => {
            e.preventDefault()
            void start(s, { name: 'outlook' })
          }}
        >
          <Select label="Until" size="xs" w={150} data={ends} value={s.to ?? null} onChange={(v) => v && setS({ ...s, to: v })} allowDeselect={false} />
          <TextInput label="or a day" type="date" size="xs" w={150} value={s.to ?? ''} onChange={(e) => e.currentTarget.value && setS({ ...s, to: e.currentTarget.value })} />
          <Select label="Line of the ratio" size="xs" w={150} data={[{ value: '1.5', label: "1.5 (the claim's)" }, { value: '1.8', label: "1.8 (the claim's)" }, { value: '1', label: '1.0' }]} value={String(s.line ?? 1.5)} onChange={(v) => setS({ ...s, line: Number(v) })} allowDeselect={false} />
          <Select label="Futures" size="xs" w={110} data={['2000', '10000', '50000', '100000'].map((v) => ({ value: v, label: Number(v).toLocaleString('en-US') }))} value={String(s.paths ?? 10_000)} onChange={(v) => setS({ ...s, paths: Number(v) })} allowDeselect={false} />
          <Select
            label="Price model"
            size="xs"
            w={170}
            data={[{ value: 'bootstrap', label: 'past days in blocks' }, { value: 'garch', label: 'GARCH with jumps' }, { value: 'heston', label: 'Heston' }, { value: 'gbm', label: 'plain random walk' }]}
            value={s.market?.model ?? 'bootstrap'}
            onChange={(v) => setS({ ...s, market: { ...s.market, model: (v ?? undefined) as NonNullable<Scenario['market']>['model'] } })}
            allowDeselect={false}
          />
          <Button type="submit" size="xs" loading={playing} disabled={!b.ready}>
            Play
          </Button>
        </form>
      )}
      {error && <Trouble what="It could not be played" error={error} />}
      <Progress run={run} paths={(s?.paths ?? 0) * (2 + (s?.levers?.length ?? 0))} onCancel={() => void cancel()} />
      {b && last.data && !o && !playing && !error && <Empty title="Nothing was played yet">Press Play: ten thousand futures take a few seconds. Everything that goes in is shown with the answer, and you can change it.</Empty>}
      {o && <Outcome o={o} />}
      {s && b && <Levers base={b} scenario={s} onChange={(levers) => setS({ ...s, levers })} />}
      {o && <Assumptions o={o} />}
      {s && b && <Compare scenario={s} onLoad={(x) => setS(x)} />}
    </Page>
  )
}

function Outcome({ o }: { o: Schema['PlayOutcome'] }) {
  const s = o.scenario
  const r = o.result
  const median = at(r.ratio, 0.5)
  const fan = useMemo(() => fanOf(o), [o])
  const lines = [
    { at: new Date(`${s.from}T12:00:00Z`).getTime() / 1000, text: 'today', kind: 'event' as const },
    { at: new Date(`${s.to}T12:00:00Z`).getTime() / 1000, text: 'the date asked for', kind: 'decision' as const },
  ]
  return (
    <>
      <div className="figures" data-testid="outcome">
        <Figure
          name="Ratio today"
          value={times(o.start.ratio)}
          note={`${usd(o.start.owed_usd)} owed`}
          source={`Reckoned: debt that bears interest (${usd(o.start.owed_usd)}) over what the active machines are worth (${usd(o.start.rigs_usd)}, ${o.start.ph.toFixed(2)} PH/s).`}
        />
        <Figure name={`Ratio on ${s.to}, median`} value={times(median?.value)} note={`half of the futures ${times(at(r.ratio, 0.25)?.value)} to ${times(at(r.ratio, 0.75)?.value)}`} source={`Modelled: median of ${s.paths?.toLocaleString('en-US')} futures, standard error ${times(median?.error, 3)}. Owed over machines; machine prices follow hashprice and what comes to market.`} />
        <Figure name={`Chance under ${s.line}`} value={share(r.under_line.p)} note={`± ${share(r.under_line.error, 2)}, on ${s.to}`} source={`Modelled: share of futures whose ratio is under ${s.line} on that day. The line is the press article's; no source ties it to safety.`} />
        <Figure name="Lowest cash and coins, median" value={usd(at(r.lowest, 0.5)?.value)} note={`one in twenty under ${usd(at(r.lowest, 0.05)?.value)}`} source="Modelled: the lowest liquidity of each future on any day." />
        <Figure name="Half of the defaults by" value={r.to_default && at(r.to_default, 0.5) ? daysOn(s.from ?? '', at(r.to_default, 0.5)!.value) : '–'} note={r.to_default && r.to_default.length > 0 ? `one in four by ${daysOn(s.from ?? '', at(r.to_default, 0.25)!.value)}` : 'no future defaults'} source="Modelled: the day on which a future's cash is under nought with all free coins sold; of the futures that default." />
      </div>
      <div className="msides" data-testid="sides">
        <section className="mside" aria-label="The company">
          <h2>The company</h2>
          <p>Whether it can pay. Debt, cash, coins and power decide.</p>
          <Dial name={`Cannot pay by ${s.to}`} note="default: cash under nought with all free coins sold" c={r.default} />
          <Dial name="In distress by then" note={`cash and coins under ${usd(thin(o))}, or default`} c={r.distress} />
          <Dial name="A margin call on coins" c={r.called} />
          <Dial name={`Ratio under ${s.line} on ${s.to}`} note="the claim's line" c={r.under_line} />
          {r.recovery && r.recovery.length > 0 && (
            <Text fz="sm">
              Lenders of those that default get back {share(at(r.recovery, 0.5)?.value, 0)} (median; half get {share(at(r.recovery, 0.25)?.value, 0)} to {share(at(r.recovery, 0.75)?.value, 0)}).
            </Text>
          )}
        </section>
        <section className="mside" aria-label="The network">
          <h2>The network</h2>
          <p>Another event. Machines change owners and keep hashing: through the defaults of winter 2022 difficulty fell 8 % and was at a new high a month later.</p>
          <Dial name={`A retarget of ${share(s.shrink, 0)} or worse`} c={r.shrinks} />
          <Dial name={`Difficulty ${share(s.fall, 0)} from its peak`} note="the crash, as this page defines it" c={r.falls} />
          <Dial name="Default and such a retarget in one future" c={r.both} />
          <Network />
        </section>
      </div>
      {fan.ratio && (
        <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(420px, 100%), 1fr))', gap: '8px 32px', marginTop: 16 }} data-testid="fan">
          <Chart title="Hashrate-debt ratio" unit="ratio" zero data={noSeries} lines={[]} fan={fan.ratio} marks={lines} source={`Bands: half and nine in ten of ${s.paths?.toLocaleString('en-US')} futures; the dashed line is the median.`} />
          <Chart title="Hashprice" unit="$/PH/day" zero data={noSeries} lines={[]} fan={fan.hashprice!} marks={lines} />
        </div>
      )}
      {o.levers && o.levers.length > 0 && <LeverOutcomes o={o} />}
    </>
  )
}

/** Distress begins under this. */
function thin(o: Schema['PlayOutcome']): number {
  return o.scenario.company.thin_usd || Math.max(o.start.due_30_usd, 0)
}

function fanOf(o: Schema['PlayOutcome']): { ratio?: Fan; hashprice?: Fan } {
  const marks = o.result.fan ?? []
  const begin = new Date(`${o.scenario.from}T12:00:00Z`).getTime() / 1000
  const make = (label: string, now: number | null | undefined, of: (m: Schema['StressMark']) => readonly Schema['StressQuantile'][] | null | undefined): Fan | undefined => {
    const rows = marks.filter((m) => (of(m) ?? []).length > 0)
    if (rows.length === 0) return undefined
    const qs = (of(rows[0]!) ?? []).map((q) => q.at)
    return { label, times: [begin, ...rows.map((m) => begin + m.day * 86_400)], quantiles: qs.map((p) => ({ q: p, values: [now ?? null, ...rows.map((m) => at(of(m), p)?.value ?? null)] })) }
  }
  return { ratio: make('ratio', o.start.ratio, (m) => m.ratio), hashprice: make('hashprice', o.start.hashprice_usd, (m) => m.hashprice) }
}

/** What history says about the next retarget. */
function Network() {
  const q = useQuery({ queryKey: ['network-odds'], queryFn: ({ signal }) => ask<Schema['NetworkOdds']>('GET', '/outlook/network', undefined, signal), staleTime: 300_000 })
  const n = q.data
  if (!n) return null
  return (
    <div data-testid="network-odds">
      <Text fz="sm" fw={600} mt={8}>
        The next retarget, from history{n.simulated ? ' (of the simulated network)' : ''}
      </Text>
      <Text fz="sm" component="div">
        {n.chance !== undefined && n.chance !== null ? (
          <>
            Five per cent down or worse: <b>{share(n.chance)}</b>, said when this epoch began (hashprice had moved {share(n.hashprice_change, 0)} in 30 days)
            {n.chance_so_far !== undefined && n.chance_so_far !== null && (
              <>
                ; <b>{share(n.chance_so_far)}</b> from the blocks so far
              </>
            )}
            .
          </>
        ) : (
          <>{n.why}. </>
        )}
        {(n.base_rates ?? []).length > 0 && <> It happened in {share(n.base_rates![0]!.share)} of {n.base_rates![0]!.n} known retargets. </>}
        {n.score && (
          <details>
            <summary>How good such forecasts were</summary>
            Made forward in time on {n.score.n} epochs with {n.score.events} such retargets: Brier score {n.score.brier.toFixed(4)}, base rate {n.score.base_brier.toFixed(4)}; calibration z {n.score.z.toFixed(1)} (right within 2). Forecasts that are exactly right would be within three points in all four bins in only {share(n.score.attainable, 0)} of histories as long as this.
          </details>
        )}
      </Text>
      <Text fz="xs" c="dimmed">
        Falls of difficulty of a tenth and more: {(n.falls ?? []).length === 0 ? 'none known' : (n.falls ?? []).map((f) => `${share(f.depth, 0)} (${f.peak.slice(0, 7)} to ${f.trough.slice(0, 7)})`).join(', ')}. <Link to="/money/market">Market</Link>
      </Text>
    </div>
  )
}

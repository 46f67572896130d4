import { Alert, Anchor, Button, Loader, Select, Table, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { ask, type History, type Schema } from '../../api/client'
import { dash, power, span } from '../../format'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { useNow } from '../../parts/Age'
import { Chart, type Fan, type Line, type Mark } from '../../parts/Chart'
import { Empty } from '../../parts/Empty'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Breakdown, partsOf, Simulated, Sure } from './parts'
import { currencyOf, dayClock, means, money, percent } from './words'
import './power.css'

/** What a site pays for one more MWh now, what it will pay, and what may become dear. */
export function PricePage() {
  const view = useView()
  const money_ = useMay('money')
  const site = view.query ? `?${view.query}` : ''
  const now = useQuery({ queryKey: ['price', view.site], queryFn: ({ signal }) => ask<Schema['PriceSite'][]>('GET', `/price${site}`, undefined, signal), refetchInterval: 15_000, placeholderData: keepPreviousData })
  const series = useQuery({ queryKey: ['price-series'], queryFn: ({ signal }) => ask<Schema['PriceSeries'][]>('GET', '/price/series', undefined, signal), refetchInterval: 60_000 })
  const first = now.data?.find((s) => s.now) ?? now.data?.[0]
  const forecasted = useMemo(() => (series.data ?? []).filter((s) => s.forecast), [series.data])
  return (
    <Page
      title="Price"
      note={first?.now ? `${first.site}, by ${first.now.contract_name}` : 'What one more MWh costs, and what it will cost.'}
      actions={
        <>
          <Button component={Link} to="/power/feeds" size="xs" variant="default">
            Market feeds
          </Button>
          <Button component={Link} to="/power/accuracy" size="xs" variant="default">
            Accuracy
          </Button>
        </>
      }
    >
      {now.isPending && <Loader aria-label="loading" />}
      {now.error && <Trouble what="The price cannot be shown" error={now.error} again={() => void now.refetch()} />}
      <Simulated on={now.data?.some((s) => s.now?.simulated)} />
      {now.data && !first?.now && (
        <Empty
          title="No electricity contract is in force here"
          action={
            money_ ? (
              <Button component={Link} to="/power/contracts" size="sm">
                Add a contract
              </Button>
            ) : undefined
          }
        >
          {first?.problem ?? 'No site is there yet.'} With a contract Ballast says at any instant what one more MWh costs, settles each month, and reckons with it before machines are switched.
        </Empty>
      )}
      {first?.now && <SiteNow site={first.site} now={first.now} />}
      {(now.data ?? []).filter((s) => s !== first).length > 0 && <Others sites={now.data!.filter((s) => s !== first)} />}
      {series.error && <Trouble what="The market's series cannot be shown" error={series.error} again={() => void series.refetch()} />}
      {series.data && forecasted.length === 0 && (
        <Empty title="No market price is forecast">
          Name a feed of prices in the configuration (key <code>power.feeds</code>): ERCOT, CAISO, ENTSO-E, CSV or JSON. The first forecast needs 70 days of prices; a naive one two weeks.
        </Empty>
      )}
      {forecasted.length > 0 && <FanChart series={forecasted} wanted={first?.now?.markets?.map((m) => m.series) ?? []} />}
      {first?.now && <Next site={first.site} zone={first.now.zone} currency={first.now.currency} />}
    </Page>
  )
}

function SiteNow({ site, now }: { site: string; now: Schema['PriceNow'] }) {
  const clock = useNow(5000)
  const risk = useQuery({ queryKey: ['price-risk', site], queryFn: ({ signal }) => ask<Schema['PriceRisk']>('GET', `/price/risk?site=${encodeURIComponent(site)}`, undefined, signal), refetchInterval: 60_000 })
  const market = (now.markets ?? []).find((m) => m.newest || m.price !== undefined)
  const received = market?.received ? Date.parse(market.received) : undefined
  const late = (now.markets ?? []).filter((m) => m.late_s > 300)
  const spike = risk.data?.spikes?.find((s) => s.hours && s.hours.length > 0)
  const worst = (spike?.hours ?? []).filter((h) => h.model !== 'published').reduce<Schema['PriceChance'] | undefined>((a, h) => (!a || h.p > a.p ? h : a), undefined)
  const peak = risk.data?.peaks?.[0]
  const peakWorst = (peak?.hours ?? []).reduce<Schema['PriceChance'] | undefined>((a, h) => (!a || h.p > a.p ? h : a), undefined)
  const [load, loadUnit] = power(now.load_w)
  return (
    <>
      {late.map((m) => (
        <Alert key={m.series} color="orange" mb="xs" py={6} data-testid="late">
          {m.series} is overdue by {span(m.late_s)}. What stands in for it is said below.
        </Alert>
      ))}
      <div className="figures" data-testid="figures">
        <Figure
          name="One more MWh now"
          value={money(now.price_per_mwh, now.currency)}
          unit="/MWh"
          note={`${now.price.status}: ${means[now.price.status] ?? ''}`}
          source={`By ${now.contract_name}, for the interval from ${dayClock(now.price.from, now.zone)}. ${now.load_w === undefined ? 'What the site draws is not known: blocks and demand charges are reckoned at no load.' : `At a load of ${load} ${loadUnit}, from ${now.load_from}.`}`}
        />
        {market && (
          <Figure
            name={market.series}
            value={market.price === undefined ? dash : money(market.price, currencyOf(market.unit))}
            unit="/MWh"
            note={market.received ? `${market.status}, received ${span((clock - received!) / 1000)} ago` : 'no price yet'}
            at={received}
            stale={market.late_s > 300}
            source={`Quoted by the feed${market.newest ? '; the present interval is not published yet, this is the newest' : ''}. Revision ${market.revision}.`}
          />
        )}
        <Figure
          name={`Spike in the hour to come`}
          value={spike?.next_hour === undefined ? dash : percent(spike.next_hour)}
          note={spike ? `above ${money(spike.above, currencyOf(spike.unit))}/MWh` : 'not forecast'}
          source="Modelled: trees learnt from the last months, calibrated on ticks that they did not learn from."
          loading={risk.isPending}
        />
        <Figure
          name="Likeliest spike ahead"
          value={worst ? percent(worst.p) : dash}
          note={worst ? dayClock(worst.from, now.zone) : 'nothing forecast yet'}
          source={`Modelled${worst?.model ? ` by ${worst.model}` : ''}: the chance that the hour's price is above ${spike ? money(spike.above, currencyOf(spike.unit)) : 'the level'}.`}
          loading={risk.isPending}
        />
        {peak && (
          <Figure
            name="Coincident peak"
            value={peak.in_season && peakWorst ? percent(peakWorst.p) : dash}
            note={peak.in_season ? (peakWorst ? dayClock(peakWorst.from, now.zone) : (peak.why ?? '')) : 'not in season'}
            source={`${peak.set} (${peak.source || 'rule set'}) on ${peak.series}. ${peak.why ?? 'Modelled: load paths from past forecast errors.'}`}
            loading={risk.isPending}
          />
        )}
        <Figure name="Load" value={load} unit={loadUnit} note={now.load_from ?? 'not known'} source="What the site draws now: its own meter, else the sum of the machines." />
      </div>
      <h2 className="part">What it is made of</h2>
      <Breakdown parts={partsOf(now.price)} currency={now.currency} total={now.price_per_mwh} />
      <details className="explain">
        <summary>The contract in plain words</summary>
        {(now.explained ?? []).map((t) => (
          <Text key={t} fz="sm" mt={4}>
            {t}
          </Text>
        ))}
      </details>
    </>
  )
}

function Others({ sites }: { sites: Schema['PriceSite'][] }) {
  return (
    <>
      <h2 className="part">Other sites</h2>
      <Table fz="sm" verticalSpacing={4} mb="md">
        <Table.Tbody>
          {sites.map((s) => (
            <Table.Tr key={s.site}>
              <Table.Td>{s.site}</Table.Td>
              <Table.Td ta="right">{s.now ? `${money(s.now.price_per_mwh, s.now.currency)}/MWh` : dash}</Table.Td>
              <Table.Td>{s.now ? <Sure status={s.now.price.status} /> : s.problem}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  )
}

const spans = [
  { value: '36', label: 'A day back' },
  { value: '96', label: 'Four days back' },
  { value: '336', label: 'Two weeks back' },
]

const lines: Line[] = [{ metric: 'price', label: 'price' }]

/** What was forecast, what came, and what is forecast. */
function FanChart({ series, wanted }: { series: Schema['PriceSeries'][]; wanted: string[] }) {
  const fallback = series.find((s) => wanted.includes(s.name) && !s.day_ahead) ?? series.find((s) => wanted.includes(s.name)) ?? series[0]!
  const [name, setName] = useState<string>()
  const [back, setBack] = useState('96')
  const one = series.find((s) => s.name === name) ?? fallback
  const q = useQuery({
    queryKey: ['price-history', one.name, back],
    queryFn: ({ signal }) => {
      const now = Math.floor(Date.now() / 60_000) * 60_000
      return ask<Schema['PriceHistoryBody']>('GET', `/price/history?series=${encodeURIComponent(one.name)}&from=${new Date(now - Number(back) * 3_600_000).toISOString()}&to=${new Date(now + 42 * 3_600_000).toISOString()}`, undefined, signal)
    },
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  })
  const h = q.data
  const data = useMemo<History | undefined>(
    () =>
      h && {
        from: h.from,
        to: h.to,
        bucket_s: h.interval_s,
        resolutions: [],
        times: (h.values ?? []).map((v) => Date.parse(v.from) / 1000),
        series: [{ metric: 'price', unit: h.unit, values: (h.values ?? []).map((v) => v.value) }],
      },
    [h],
  )
  const fan = useMemo<Fan | undefined>(() => {
    const f = h?.fan
    if (!f?.times?.length) return undefined
    const pick = [0.05, 0.25, 0.5, 0.75, 0.95]
    return { label: 'forecast', times: f.times, quantiles: pick.map((q) => ({ q, values: f.values!.map((row) => row?.[f.levels!.findIndex((l) => l >= q - 1e-9)] ?? null) })) }
  }, [h])
  const marks = useMemo<Mark[]>(() => {
    const out: Mark[] = [{ at: Math.floor(Date.now() / 1000), text: 'now', kind: 'event' }]
    for (const v of h?.values ?? []) if (v.revision > 0) out.push({ at: Date.parse(v.from) / 1000, text: `revised ${v.revision} ${v.revision === 1 ? 'time' : 'times'}`, kind: 'decision' })
    return out.slice(0, 40)
  }, [h])
  const f = h?.fan
  const last = f?.times?.length ? f.times.length - 1 : -1
  return (
    <section data-testid="fan">
      <h2 className="part">Forecast and what came</h2>
      <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap', marginBottom: 8 }}>
        <Select size="xs" aria-label="Series" data={series.map((s) => s.name)} value={one.name} onChange={(v) => v && setName(v)} allowDeselect={false} w={200} />
        <Select size="xs" aria-label="How far back" data={spans} value={back} onChange={(v) => v && setBack(v)} allowDeselect={false} w={150} />
      </div>
      {q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The prices cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {data && (
        <Chart
          title={one.name}
          unit={one.unit}
          lines={lines}
          data={data}
          fan={fan}
          marks={marks}
          zone={h?.zone}
          height={260}
          source={
            last >= 0 ? (
              <>
                Bands hold 50 and 90 % of what may come, by {f!.model![last]}, issued {dayClock(f!.issued![last]!, h?.zone)}. {f!.replayed!.some(Boolean) && 'Older days were forecast in hindsight, from what was published before each. '}
                Times are of {h?.zone}.
              </>
            ) : (
              'There is no forecast yet: it is made as soon as there are prices enough.'
            )
          }
        />
      )}
      {data && (data.times ?? []).length === 0 && !fan && <Empty title="No price of this span is known">The feed has not given any. Market feeds says why.</Empty>}
    </section>
  )
}

/** The hours to come, by contract. */
function Next({ site, zone, currency }: { site: string; zone: string; currency: string }) {
  const q = useQuery({ queryKey: ['price-next', site], queryFn: ({ signal }) => ask<Schema['PriceNextBody']>('GET', `/price/next?hours=24&site=${encodeURIComponent(site)}`, undefined, signal), refetchInterval: 60_000 })
  const hours = q.data?.hours ?? []
  const most = Math.max(1, ...hours.map((h) => Math.abs(h.price_per_mwh)))
  return (
    <section data-testid="next">
      <h2 className="part">The next 24 hours, by contract</h2>
      {q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The hours to come cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {hours.length > 0 && (
        <Table.ScrollContainer minWidth={340} type="native" tabIndex={0}>
          <Table fz="sm" verticalSpacing={2} maw={720}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Hour</Table.Th>
                <Table.Th ta="right">{currency}/MWh</Table.Th>
                <Table.Th w="40%" aria-hidden />
                <Table.Th>How sure</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {hours.map((h) => (
                <Table.Tr key={h.from}>
                  <Table.Td>{dayClock(h.from, zone)}</Table.Td>
                  <Table.Td ta="right">{money(h.price_per_mwh, currency)}</Table.Td>
                  <Table.Td aria-hidden>
                    <div className="pricebar" style={{ width: `${(100 * Math.abs(h.price_per_mwh)) / most}%` }} data-negative={h.price_per_mwh < 0 || undefined} />
                  </Table.Td>
                  <Table.Td>
                    <Sure status={h.status} />
                    {(h.missing ?? []).length > 0 && ` without ${h.missing!.join(', ')}`}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Text fz="xs" c="dimmed" mt={4}>
        At the present load. <Anchor component={Link} to="/power/statements" fz="xs">Statements</Anchor> have what it comes to.
      </Text>
    </section>
  )
}

import { Button, Loader, SegmentedControl, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { fixed, hashrate } from '../../format'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { LossBars } from './parts'
import { energy, later, longDay, mwh, percent, shortDay } from './words'

type Head = Schema['ReportHead']

const spans = [
  { value: '7', label: 'Week' },
  { value: '31', label: 'Month' },
  { value: '92', label: 'Quarter' },
]

const columns: Column<Head>[] = [
  { key: 'day', title: 'Day', width: 'minmax(120px,1.2fr)', show: (r) => (<>{shortDay(r.day)}{r.partial && <Text span c="dimmed" fz="xs"> so far</Text>}</>), by: (r) => r.day },
  { key: 'hashrate', title: 'Hashrate', width: '110px', num: true, show: (r) => hashrate(r.hashrate_ths).join(' '), by: (r) => r.hashrate_ths },
  { key: 'potential', title: 'Potential', width: '92px', num: true, show: (r) => percent(r.potential), by: (r) => r.potential },
  { key: 'uptime', title: 'Uptime', width: '92px', num: true, show: (r) => percent(r.uptime, 2), by: (r) => r.uptime },
  { key: 'energy', title: 'MWh', width: '84px', num: true, show: (r) => mwh(r.energy_j), by: (r) => r.energy_j },
  { key: 'jth', title: 'J/TH', width: '76px', num: true, show: (r) => fixed(r.efficiency_j_per_th, 1), by: (r) => r.efficiency_j_per_th },
  { key: 'lost', title: 'Lost TH-days', width: '136px', num: true, show: (r) => fixed(r.lost_th_days, 1), by: (r) => r.lost_th_days },
  { key: 'known', title: 'Known', width: '84px', num: true, show: (r) => percent(r.coverage), by: (r) => r.coverage },
]

/** The days of a site, newest first, and what they come to together. */
export function DaysPage() {
  const view = useView()
  const go = useNavigate()
  const mails = useMay('configure')
  const [days, setDays] = useState('31')
  const [sort, setSort] = useState<{ key: string; desc: boolean }>({ key: 'day', desc: true })
  const q = useQuery({
    queryKey: ['reports', view.site, days],
    queryFn: async ({ signal }) => {
      const site = view.query ? `&${view.query}` : ''
      const now = await ask<Schema['ReportDaysBody']>('GET', `/reports?from=today${site}`, undefined, signal)
      return ask<Schema['ReportDaysBody']>('GET', `/reports?from=${later(now.today, 1 - Number(days))}${site}`, undefined, signal)
    },
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  })
  const rows = useMemo(() => q.data?.days ?? [], [q.data])
  const open = (day: string) => void go({ to: '/reports/daily/$date', params: { date: day } })
  const s = q.data?.sum
  const [h, hUnit] = hashrate(s?.hashrate_ths)
  return (
    <Page
      title="Daily reports"
      note={q.data && `${q.data.title}, by the site's clocks (${q.data.zone})`}
      actions={
        <>
          <SegmentedControl size="xs" aria-label="How far back" data={spans} value={days} onChange={setDays} />
          {mails && (
            <Button component={Link} to="/reports/mail" size="xs" variant="default">
              By e-mail
            </Button>
          )}
        </>
      }
    >
      {q.error && <Trouble what="The reports cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.isPending && <Loader aria-label="loading" />}
      {q.data && rows.length === 0 && (
        <Empty title="Nothing to report yet">
          A report tells what the machines did in a day. The first is there as soon as machines are polled; each day's is kept when the day is over.
        </Empty>
      )}
      {s && rows.length > 0 && (
        <>
          <div className="figures" data-testid="sum">
            <Figure name="Mean hashrate" value={h} unit={hUnit} note={`${s.days} ${s.days === 1 ? 'day' : 'days'} with a report`} source="Measured: mean of the days, each of the time that polls exist for." />
            <Figure name="Of the potential" value={percent(s.potential)} note={`${fixed(s.work_th_days, 0)} TH-days produced`} source="Produced over produced and lost." />
            <Figure name="Uptime" value={percent(s.uptime, 2)} source="Share of known machine time hashing, without what was off on purpose." />
            <Figure name="Energy" value={energy(s.energy_j)[0]} unit={energy(s.energy_j)[1]} note={s.energy_days < s.days ? `of ${s.energy_days} of ${s.days} days` : undefined} source="From the meters on days that they cover, else the sum of the machines." />
            <Figure name="Efficiency" value={fixed(s.efficiency_j_per_th, 1)} unit="J/TH" source="Of the machines, weighed by what they produced." />
            <Figure name="Known" value={percent(s.coverage)} source="Share of machine time that polls exist for." />
          </div>
          <h2 className="part">Why hashrate was lost</h2>
          <LossBars losses={s.losses ?? []} total={s.lost_th_days} />
          <h2 className="part">Days</h2>
          <DataTable label="Days" testid="days" rows={rows} columns={columns} id={(r) => r.day} sort={sort.key} desc={sort.desc} onSort={(key, desc) => setSort({ key, desc })} onOpen={(r) => open(r.day)} rowTitle={(r) => longDay(r.day)} />
          <Text fz="xs" c="dimmed" mt={6}>
            Arrows move, Enter opens a day.
          </Text>
        </>
      )}
    </Page>
  )
}

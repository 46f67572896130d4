import { Alert, Anchor, Button, Group, Loader, Menu, Stack, Table, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ask, type History } from '../../api/client'
import { useView } from '../../frame/view'
import { fixed, hashrate, power } from '../../format'
import { Chart, type Line } from '../../parts/Chart'
import { Empty } from '../../parts/Empty'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { LossBars, States } from './parts'
import { clock, energy, later, longDay, percent, type Report, why } from './words'

/** One day of a site, to be read, printed, downloaded. */
export function DailyPage() {
  const { date } = useParams({ from: '/frame/reports/daily/$date' })
  const view = useView()
  const go = useNavigate()
  const site = view.query ? `?${view.query}` : ''
  const q = useQuery({
    queryKey: ['report', view.site, date],
    queryFn: ({ signal }) => ask<Report>('GET', `/reports/daily/${encodeURIComponent(date)}${site}`, undefined, signal),
    placeholderData: keepPreviousData,
    refetchInterval: (r) => (r.state.data?.partial ? 60_000 : false),
    retry: false,
  })
  const r = q.data
  const day = r?.day ?? date
  const file = (name: string) => `/api/v1/reports/daily/${encodeURIComponent(day)}/${name}${site}`
  const to = (n: number) => void go({ to: '/reports/daily/$date', params: { date: later(day, n) } })
  return (
    <Page
      title={r ? longDay(r.day) : 'Daily report'}
      note={
        <>
          <Anchor component={Link} to="/reports" fz="sm" className="noprint">
            ← all days
          </Anchor>{' '}
          {r && `${r.title}, ${r.zone}${r.hours === 24 ? '' : `, a day of ${r.hours} hours`}`}
        </>
      }
      actions={
        <Group gap="xs" className="noprint">
          <Button size="xs" variant="default" onClick={() => to(-1)} aria-label="The day before">
            ← Day before
          </Button>
          <Button size="xs" variant="default" onClick={() => to(1)} disabled={!r || r.partial} aria-label="The next day">
            Next day →
          </Button>
          <Button size="xs" variant="default" onClick={() => window.print()}>
            Print
          </Button>
          <Button size="xs" component="a" href={file('report.pdf')} download>
            PDF
          </Button>
          <Menu position="bottom-end" withinPortal>
            <Menu.Target>
              <Button size="xs" variant="default">
                CSV
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item component="a" href={file('machines.csv')} download>
                A line for each machine
              </Menu.Item>
              <Menu.Item component="a" href={file('quarters.csv')} download>
                A line for each quarter of an hour
              </Menu.Item>
              <Menu.Item component="a" href={file('summary.csv')} download>
                The figures
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      }
    >
      {q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what={`The report of ${date} cannot be shown`} error={q.error} again={() => void q.refetch()} />}
      {r && !q.error && (r.coverage > 0 ? <Whole r={r} /> : <Nothing r={r} />)}
    </Page>
  )
}

function Nothing({ r }: { r: Report }) {
  return (
    <Empty title="Nothing is known of this day">
      {r.machines > 0 ? `There were ${r.machines} machines in the record, and no polls of them are kept.` : 'No machine was in the record on this day.'}
    </Empty>
  )
}

const lines = { hash: [{ metric: 'hashrate', label: 'hashed' }, { metric: 'nominal', label: 'nominal' }], power: [{ metric: 'power', label: 'as the machines tell' }, { metric: 'metered', label: 'metered' }] } satisfies Record<string, Line[]>

const per = (v: number | null | undefined, by: number) => (v === null || v === undefined ? null : v / by)

/** The quarters as a history for the charts, in the units that read best. */
function history(r: Report): { data: History; hash: [string, number]; draw: [string, number] } {
  const quarters = r.quarters ?? []
  const hash: [string, number] = (r.nominal_ths ?? 0) >= 1000 ? ['PH/s', 1000] : ['TH/s', 1]
  const draw: [string, number] = quarters.some((q) => (q.metered_w ?? q.power_w ?? 0) >= 1e6) ? ['MW', 1e6] : ['kW', 1e3]
  const series = (metric: string, unit: string, values: (number | null)[]) => ({ metric, unit, values })
  const data = {
    from: r.from,
    to: r.to,
    bucket_s: 900,
    resolutions: [],
    times: quarters.map((q) => Date.parse(q.at) / 1000),
    series: [
      series('hashrate', hash[0], quarters.map((q) => per(q.hashrate_ths, hash[1]))),
      series('nominal', hash[0], quarters.map(() => per(r.nominal_ths, hash[1]))),
      series('power', draw[0], quarters.map((q) => per(q.power_w, draw[1]))),
      series('metered', draw[0], quarters.map((q) => per(q.metered_w, draw[1]))),
    ],
  }
  return { data, hash, draw }
}

function Whole({ r }: { r: Report }) {
  const { data, hash, draw } = useMemo(() => history(r), [r])
  const [h, hUnit] = hashrate(r.hashrate_ths)
  const [n, nUnit] = hashrate(r.nominal_ths)
  const lost = (r.losses ?? []).reduce((sum, l) => sum + l.lost_th_days, 0)
  const e = r.energy
  const [mean, meanUnit] = power(e.mean_power_w)
  const [peak, peakUnit] = power(e.highest_quarter_w)
  const said = { meter: `from ${e.meter_names?.length ?? 0} ${e.meter_names?.length === 1 ? 'meter' : 'meters'}`, machines: 'sum of the machines', none: 'no machine told its power' }[e.from]
  return (
    <>
      {(r.remarks ?? []).length > 0 && (
        <Alert color="yellow" mb="md" data-testid="remarks">
          <Stack gap={2}>
            {r.remarks!.map((t) => (
              <Text key={t} fz="sm">
                {t}
              </Text>
            ))}
          </Stack>
        </Alert>
      )}
      <div className="figures" data-testid="figures">
        <Figure name="Hashrate" value={h} unit={hUnit} note={`of ${n} ${nUnit} nominal`} source="Measured: mean over the time that polls exist for. Nominal: the most that each machine called nominal that day, else the last it told, else its nameplate." />
        <Figure name="Of the potential" value={percent(r.potential)} note={`${fixed(r.work_th_days, 1)} TH-days produced`} source="What was produced, of what the machines could have in the known time." />
        <Figure name="Uptime" value={percent(r.uptime, 2)} note={`${percent(r.time.expected_h > 0 ? r.time.off_h / r.time.expected_h : null)} off on purpose`} source="Share of known machine time hashing. What was off on purpose is left out: it is no downtime." />
        <Figure name="Energy" value={energy(e.total_j)[0]} unit={energy(e.total_j)[1]} note={said} source={e.from === 'meter' ? `Metered: ${e.meter_names?.join(', ')}. The machines themselves tell ${energy(e.machines_j).join(' ')}.` : `As the machines tell at the wall, for ${percent(e.machines_told)} of hashing time.`} />
        <Figure name="Efficiency" value={fixed(e.efficiency_j_per_th, 1)} unit="J/TH" note={e.site_j_per_th ? `${fixed(e.site_j_per_th, 1)} with cooling and losses, metered` : undefined} source="Of the machines, over the time in which they told both power and hashrate." />
        <Figure name="Mean power" value={mean} unit={meanUnit} note={e.highest_at ? `highest quarter ${peak} ${peakUnit} at ${clock(e.highest_at, r.zone)}` : undefined} source={e.from === 'meter' ? 'Metered.' : 'As the machines tell.'} />
        <Figure name="Machines" value={fixed(r.machines, 0)} note={r.machines_unknown > 0 ? `${r.machines_unknown} never polled` : undefined} source="In service at any time of the day." />
        <Figure name="Known" value={percent(r.coverage)} note={`polled every ${fixed(r.poll_interval_s, 0)} s`} source="Share of machine time that polls exist for. What was not polled counts neither as up nor as down." />
      </div>
      <div className="charts">
        <Chart title="Hashrate" unit={hash[0]} lines={lines.hash} data={data} zero zone={r.zone} />
        <Chart title="Power" unit={draw[0]} lines={lines.power} data={data} zero zone={r.zone} />
      </div>
      <States report={r} />
      <h2 className="part">What was lost, and why</h2>
      <LossBars losses={r.losses ?? []} total={lost} />
      {r.above_th_days >= 0.05 && (
        <Text fz="sm" c="dimmed" mt={4}>
          {fixed(r.above_th_days, 1)} TH-days were produced beyond nominal.
        </Text>
      )}
      <h2 className="part">Machines that lost most</h2>
      {(r.worst ?? []).length === 0 ? <Text fz="sm">None lost anything that is known.</Text> : <Worst r={r} />}
      <div className="small-tables">
        {(r.racks ?? []).length > 0 && (
          <section>
            <h2 className="part">Racks that lost most</h2>
            <Small head={['Rack', '#Machines', '#Lost TH-days', 'Why']} rows={r.racks!.slice(0, 12).map((k) => [k.rack, String(k.machines), fixed(k.lost_th_days, 1), why(k.why, 2)])} />
          </section>
        )}
        <section>
          <h2 className="part">Faults by kind</h2>
          {r.faults_unknown ? (
            <Text fz="sm">Not known: the raw readings of that day are no longer kept.</Text>
          ) : (r.faults ?? []).length === 0 ? (
            <Text fz="sm">None.</Text>
          ) : (
            <Small head={['Fault', 'Group', '#Machines', '#Machine-hours']} rows={r.faults!.map((f) => [f.kind, f.group, String(f.machines), fixed(f.machine_h, 1)])} />
          )}
        </section>
        <section>
          <h2 className="part">Commands</h2>
          {(r.commands ?? []).length === 0 ? <Text fz="sm">None were given.</Text> : <Small head={['Kind', 'How they stand', '#Count']} rows={r.commands!.map((c) => [c.kind, c.state, String(c.count)])} />}
        </section>
      </div>
      <Text fz="xs" c="dimmed" mt="lg">
        Made {new Date(r.made_at).toLocaleString()}. Rates and shares are of the time that polls exist for.
      </Text>
    </>
  )
}

function Worst({ r }: { r: Report }) {
  return (
    <Table.ScrollContainer minWidth={720} type="native" tabIndex={0}>
      <Table data-testid="worst" verticalSpacing={4} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Machine</Table.Th>
            <Table.Th>Place</Table.Th>
            <Table.Th ta="right">Lost TH-days</Table.Th>
            <Table.Th ta="right">Uptime</Table.Th>
            <Table.Th>Why</Table.Th>
            <Table.Th>Faults</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {r.worst!.slice(0, 25).map((m) => (
            <Table.Tr key={m.id}>
              <Table.Td>
                <Anchor component={Link} to="/machines/$id" params={{ id: String(m.id) } as never} fz="sm">
                  {m.name}
                </Anchor>{' '}
                <Text span c="dimmed" fz="xs">
                  {m.model}
                </Text>
              </Table.Td>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>{m.place}</Table.Td>
              <Table.Td ta="right">{fixed(m.lost_th_days, 2)}</Table.Td>
              <Table.Td ta="right">{percent(m.uptime)}</Table.Td>
              <Table.Td>{why(m.why)}</Table.Td>
              <Table.Td>{m.faults?.join(', ')}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** A short table; a title that starts with # is of a column of numbers. */
function Small({ head, rows }: { head: string[]; rows: string[][] }) {
  return (
    <Table verticalSpacing={3} fz="sm">
      <Table.Thead>
        <Table.Tr>
          {head.map((t) => (
            <Table.Th key={t} ta={t.startsWith('#') ? 'right' : 'left'}>
              {t.replace('#', '')}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((cells) => (
          <Table.Tr key={cells.join()}>
            {cells.map((c, i) => (
              <Table.Td key={head[i]} ta={head[i]!.startsWith('#') ? 'right' : 'left'} style={i === 0 ? { whiteSpace: 'nowrap' } : undefined}>
                {c}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

import { Alert, Anchor, Badge, Group, Loader, Table, Text, Title } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ask, type History, type Machine } from '../../api/client'
import { useLive } from '../../api/live'
import { useView } from '../../frame/view'
import { dash, fixed, power, span, spanNs } from '../../format'
import { Chart, type Line } from '../../parts/Chart'
import { Condition } from '../../parts/Condition'
import { Figure } from '../../parts/Figure'
import { Trouble } from '../../parts/Trouble'

type Reading = NonNullable<Machine['reading']>
type Board = NonNullable<Reading['boards']>[number]

/** One machine: what it tells now, board by board, and how that came about. */
export function MachinePage() {
  const { id } = useParams({ from: '/frame/machines/$id' })
  const { seconds } = useView()
  const hours = seconds / 3600
  const live = useLive()
  const seen = live.rows.get(Number(id))?.seen
  const q = useQuery({ queryKey: ['machine', id, seen], queryFn: ({ signal }) => ask<Machine>('GET', `/machines/${encodeURIComponent(id)}`, undefined, signal), placeholderData: keepPreviousData })
  if (q.isPending) return <Loader aria-label="loading" />
  if (q.error && !q.data) return <Trouble what={`Machine ${id} cannot be shown`} error={q.error} again={() => void q.refetch()} />
  const m = q.data!
  const r = m.reading
  const stale = !live.connected || m.condition === 'silent'
  const [p, pUnit] = power(r?.power_w)
  return (
    <>
      <Anchor component={Link} to="/" fz="sm">
        ← all machines
      </Anchor>
      <Group gap="md" mt={4} mb="xs" align="baseline">
        <Title order={1} fz={22}>
          {m.name}
        </Title>
        <Text>
          <Condition of={m.condition} /> for {span(Date.now() / 1000 - m.since)}
        </Text>
        <Text c="dimmed" fz="sm">
          {[m.make, m.model].filter(Boolean).join(' ')} · {m.firmware} {m.record.firmware_version} · {m.addr || 'no address'}
          {m.place && ` · ${m.place}`}
        </Text>
      </Group>
      {m.trouble && (
        <Alert color="orange" title={m.condition === 'silent' ? 'It does not answer' : 'The last poll gave no reading'} mb="sm" role="status">
          {m.trouble}. {m.seen ? `Last answer ${span(Date.now() / 1000 - m.seen)} ago; what follows is from then.` : 'It has not answered yet.'}
        </Alert>
      )}
      {!r ? (
        <Text mt="md">No reading yet.</Text>
      ) : (
        <>
          <div className="figures">
            <Figure name="Hashrate" value={fixed(r.hashrate_now_ths ?? r.hashrate_average_ths, 2)} unit="TH/s" stale={stale} note={`average ${fixed(r.hashrate_average_ths, 2)}, expected ${fixed(r.hashrate_nominal_ths, 2)}`} source="Measured by the machine: its shortest window." />
            <Figure name="Power" value={p} unit={pUnit} stale={stale} note={r.power_source ? `${r.power_source}${r.power_limit_w ? `, limit ${fixed(r.power_limit_w, 0)} W` : ''}` : 'not told'} source={r.power_source === 'psu' ? 'Measured by the power supply.' : 'Estimated by the firmware.'} />
            <Figure name="Efficiency" value={fixed(m.efficiency_j_per_th, 2)} unit="J/TH" stale={stale} source="Power over present hashrate." />
            <Figure name={r.temp_chip_c != null ? 'Hottest chip' : 'Hottest board'} value={fixed(r.temp_chip_c ?? r.temp_board_c, 1)} unit="°C" stale={stale} note={r.temp_ambient_c != null ? `ambient ${fixed(r.temp_ambient_c, 1)}` : undefined} source="Measured by the machine." />
            <Figure name="Up for" value={spanNs(r.uptime_ns ?? r.miner_uptime_ns)} stale={stale} source={r.uptime_ns != null ? 'Uptime of the control board.' : 'Uptime of the mining process.'} />
          </div>
          <Faults r={r} />
          <Title order={2} fz={17} mt="md" mb="xs">
            Boards
          </Title>
          {r.boards?.length ? (
            <div className="boards" data-testid="boards">
              {r.boards.map((b) => (
                <BoardCard key={b.index} b={b} />
              ))}
            </div>
          ) : (
            <Text c="dimmed">This firmware tells nothing of its boards.</Text>
          )}
          <Title order={2} fz={17} mt="xl" mb="xs">
            History
          </Title>
          <Past id={id} hours={hours} boards={r.boards ?? []} />
          <Details m={m} r={r} />
        </>
      )}
    </>
  )
}

function Faults({ r }: { r: Reading }) {
  const faults = r.faults ?? []
  const warnings = r.warnings ?? []
  if (faults.length + warnings.length === 0) return null
  return (
    <>
      {faults.length > 0 && (
        <Alert color="red" variant="light" title={`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} told by the machine`} mb="sm">
          {faults.map((f, i) => (
            <Text fz="sm" key={i}>
              <Badge size="sm" variant="outline" color={f.severity === 'critical' ? 'red' : f.severity === 'major' ? 'orange' : 'gray'} mr={8}>
                {f.severity}
              </Badge>
              {f.text || `${f.group} fault`}
              {f.index >= 0 && ` (${f.group} ${f.index})`}
              {f.vendor && <Text span c="dimmed"> · vendor code {f.vendor}</Text>}
            </Text>
          ))}
        </Alert>
      )}
      {warnings.length > 0 && (
        <details style={{ marginBottom: 12 }}>
          <summary>
            <Text span fz="sm" c="dimmed">
              {warnings.length} {warnings.length === 1 ? 'remark' : 'remarks'} on the data
            </Text>
          </summary>
          {warnings.map((w, i) => (
            <Text fz="sm" key={i} c="dimmed">
              {w.kind}: {w.where} {w.detail && `(${w.detail})`}
            </Text>
          ))}
        </details>
      )}
    </>
  )
}

function BoardCard({ b }: { b: Board }) {
  const chip = b.chip_summary
  const fewer = b.chips != null && b.chips_expected != null && b.chips < b.chips_expected
  const rows: [string, string, boolean?][] = [
    ['Hashrate', `${fixed(b.hashrate_ths, 2)} TH/s`],
    ['Chips', b.chips_expected != null ? `${b.chips ?? dash} of ${b.chips_expected}` : `${b.chips ?? dash}`, fewer],
    ['Chip temperature', `${fixed(b.temp_chip_max_c, 0)} °C${b.temp_chip_mean_c != null ? `, mean ${fixed(b.temp_chip_mean_c, 0)}` : ''}`],
    ['Board temperature', `${fixed(b.temp_board_c, 0)} °C`],
    ['In / out', `${fixed(b.temp_inlet_c, 0)} / ${fixed(b.temp_outlet_c, 0)} °C`],
    ['Voltage', `${fixed(b.voltage_v, 2)} V`],
    ['Frequency', b.frequency_hz != null ? `${fixed(b.frequency_hz / 1e6, 0)} MHz` : dash],
    ['Power', `${fixed(b.power_w, 0)} W`],
    ['Hardware errors', fixed(b.hw_errors, 0)],
  ]
  if (chip?.weak != null || chip?.dead != null) rows.push(['Weak / dead chips', `${chip.weak ?? dash} / ${chip.dead ?? dash}`, !!(chip.weak || chip.dead)])
  const off = b.present === false ? 'missing' : b.enabled === false ? 'switched off' : ''
  return (
    <section className="board" aria-label={`Board ${b.index}`}>
      <Group justify="space-between">
        <Text fw={600}>Board {b.index}</Text>
        {off ? <Badge color="orange" variant="light">{off}</Badge> : <Text fz="xs" c="dimmed">{b.serial}</Text>}
      </Group>
      <dl>
        {rows
          .filter(([, v]) => !v.startsWith(dash) || !v.replace(/[^\w]/g, '').match(/^(TH|C|V|W|s|of|mean)*$/))
          .map(([k, v, bad]) => (
            <div key={k} style={{ display: 'contents' }}>
              <dt>{k}</dt>
              <dd style={bad ? { color: 'var(--down)', fontWeight: 600 } : undefined}>{v}</dd>
            </div>
          ))}
      </dl>
    </section>
  )
}

function Past({ id, hours, boards }: { id: string; hours: number; boards: Board[] }) {
  const from = () => new Date(Date.now() - hours * 3600_000).toISOString()
  const machine = useQuery({
    queryKey: ['history', id, hours, 'machine'],
    queryFn: ({ signal }) => ask<History>('GET', `/history?machines=${id}&by=machine&metrics=hashrate,hashrate_nominal,power,power_limit,temp_chip,temp_board,temp_ambient&from=${from()}`, undefined, signal),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  })
  const board = useQuery({
    queryKey: ['history', id, hours, 'board'],
    queryFn: ({ signal }) => ask<History>('GET', `/history?machines=${id}&by=board&metrics=board_hashrate,board_temp_chip_max&from=${from()}`, undefined, signal),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  })
  const indices = boards.map((b) => b.index).join(',')
  const lines = useMemo(() => {
    const per = (metric: string): Line[] => indices.split(',').filter(Boolean).map((i) => ({ metric, board: Number(i), label: `board ${i}` }))
    return { hashrate: per('board_hashrate'), temp: per('board_temp_chip_max') }
  }, [indices])
  if (machine.error) return <Trouble what="History cannot be shown" error={machine.error} again={() => void machine.refetch()} />
  if (!machine.data) return <Loader size="sm" aria-label="loading history" />
  if (!machine.data.series?.length) return <Text c="dimmed">Nothing was recorded in this time.</Text>
  return (
    <div data-testid="history" className="charts">
      <Chart title="Hashrate" unit="TH/s" zero data={machine.data} lines={hashrateLines} />
      <Chart title="Power" unit="W" zero data={machine.data} lines={powerLines} />
      <Chart title="Temperature" unit="°C" data={machine.data} lines={tempLines} />
      {board.data && lines.hashrate.length > 0 && <Chart title="Hashrate of each board" unit="TH/s" zero data={board.data} lines={lines.hashrate} />}
      {board.data && lines.temp.length > 0 && <Chart title="Hottest chip of each board" unit="°C" data={board.data} lines={lines.temp} />}
      <Text fz="xs" c="dimmed" style={{ gridColumn: '1 / -1' }}>
        Told by the machine; one point is {machine.data.bucket_s} s. Drag to zoom, double-click to see all.
      </Text>
    </div>
  )
}

const hashrateLines: Line[] = [
  { metric: 'hashrate', label: 'measured' },
  { metric: 'hashrate_nominal', label: 'expected' },
]
const powerLines: Line[] = [
  { metric: 'power', label: 'drawn' },
  { metric: 'power_limit', label: 'limit' },
]
const tempLines: Line[] = [
  { metric: 'temp_chip', label: 'hottest chip' },
  { metric: 'temp_board', label: 'hottest board' },
  { metric: 'temp_ambient', label: 'ambient' },
]

function Details({ m, r }: { m: Machine; r: Reading }) {
  const facts: [string, string | undefined][] = [
    ['MAC', m.record.mac],
    ['Serial', m.record.serial],
    ['Host name', r.identity.hostname],
    ['Control board', r.identity.control_board],
    ['Says of itself', [r.state, r.state_told].filter(Boolean).join(': ')],
    ['Profile and mode', [r.profile, r.mode, r.tuning].filter(Boolean).join(', ')],
    ['Fans', r.fans?.length ? `${r.fans.map((f) => fixed(f.speed_rpm, 0)).join(', ')} rpm` : undefined],
    ['Power supply', r.psus?.map((p) => [p.model, p.voltage_in_v != null && `${fixed(p.voltage_in_v, 0)} V in`, p.voltage_out_v != null && `${fixed(p.voltage_out_v, 2)} V out`, p.temp_c != null && `${fixed(p.temp_c, 0)} °C`].filter(Boolean).join(', ')).join('; ')],
    ['Shares', r.accepted != null ? `${fixed(r.accepted, 0)} accepted, ${fixed(r.rejected, 0)} rejected` : undefined],
    ['First seen', m.record.first_seen && new Date(m.record.first_seen).toLocaleString()],
  ]
  return (
    <>
      <Title order={2} fz={17} mt="xl" mb="xs">
        Pools
      </Title>
      {r.pools?.length ? (
        <Table.ScrollContainer minWidth={500}>
          <Table fz="sm" verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>URL</Table.Th>
                <Table.Th>Worker</Table.Th>
                <Table.Th>Status</Table.Th>
                <Table.Th ta="right">Accepted</Table.Th>
                <Table.Th ta="right">Rejected</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {r.pools.map((p) => (
                <Table.Tr key={p.index}>
                  <Table.Td>{p.url}</Table.Td>
                  <Table.Td>{p.user}</Table.Td>
                  <Table.Td>
                    {p.alive === false ? 'dead' : p.alive ? 'alive' : (p.status ?? dash)}
                    {p.active && ', in use'}
                  </Table.Td>
                  <Table.Td ta="right">{fixed(p.accepted, 0)}</Table.Td>
                  <Table.Td ta="right">{fixed(p.rejected, 0)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : (
        <Text c="dimmed">No pools told.</Text>
      )}
      <Title order={2} fz={17} mt="xl" mb="xs">
        Commands
      </Title>
      {m.commands?.length ? (
        <Table.ScrollContainer minWidth={500}>
          <Table fz="sm" verticalSpacing={4}>
            <Table.Tbody>
              {m.commands.map((c) => (
                <Table.Tr key={c.id}>
                  <Table.Td>{new Date(c.created_at).toLocaleString()}</Table.Td>
                  <Table.Td>{c.kind}</Table.Td>
                  <Table.Td>{c.state}</Table.Td>
                  <Table.Td>{c.actor}</Table.Td>
                  <Table.Td>{c.detail}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : (
        <Text c="dimmed" fz="sm">
          None yet. From a terminal: <code>ballast machine set sleep {m.id}</code>
        </Text>
      )}
      <Title order={2} fz={17} mt="xl" mb="xs">
        About this machine
      </Title>
      <dl className="facts">
        {facts
          .filter(([, v]) => v?.trim())
          .map(([k, v]) => (
            <div key={k} style={{ display: 'contents' }}>
              <dt>{k}</dt>
              <dd>{v}</dd>
            </div>
          ))}
      </dl>
    </>
  )
}

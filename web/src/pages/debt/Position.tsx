import { Alert, Anchor, Button, Checkbox, Group, Menu, SegmentedControl, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ask } from '../../api/client'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { CovenantTable, Sourced, Waiting, Whose } from './parts'
import { Scale } from './Scale'
import { Wall } from './Wall'
import { day, type Figure, type Position } from './words'

const predictors = ['dscr', 'icr', 'runway-months', 'liquidity', 'coin-ltv', 'machine-ltv', 'wall', 'distance', 'default', 'leverage']

/** The CFO's first page: where the company stands today. */
export function PositionPage() {
  const [scope, setScope] = useState('mining')
  const [converts, setConverts] = useState(true)
  const [prepayments, setPrepayments] = useState(false)
  const q = useQuery({
    queryKey: ['debt', 'position', scope, converts, prepayments],
    queryFn: ({ signal }) => ask<Position>('GET', `/debt/position?scope=${scope}&converts=${converts}&prepayments=${prepayments}`, undefined, signal),
    placeholderData: keepPreviousData,
    // A simulated site gets its example company moments after it starts.
    refetchInterval: (x) => (x.state.data?.empty ? 3_000 : 60_000),
    retry: false,
  })
  const p = q.data
  const by = (key: string) => p?.figures?.find((f) => f.key === key)
  const query = `scope=${scope}&converts=${converts}&prepayments=${prepayments}`
  return (
    <Page
      title="Position"
      note={p && !p.empty ? `${p.name || 'The company'} on ${day(p.day)}. Every number opens its formula, inputs and sources.` : 'What is owed against what hashes.'}
      actions={
        p &&
        !p.empty && (
          <>
            <Button size="xs" component="a" href={`/api/v1/debt/board/board-pack.pdf?${query}`} download>
              Board pack
            </Button>
            <Menu position="bottom-end" withinPortal>
              <Menu.Target>
                <Button size="xs" variant="default">
                  CSV
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item component="a" href={`/api/v1/debt/board/board-pack.csv?${query}`} download>
                  The board pack's figures and tables
                </Menu.Item>
                <Menu.Item component="a" href="/api/v1/debt/board/schedules.csv" download>
                  Every payment of every facility
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )
      }
    >
      <div className="debt">
        <Waiting pending={q.isPending} error={p ? null : q.error} what="The position cannot be shown" again={() => void q.refetch()} />
        {p && <Whose of={p} />}
        {p && q.error && <Alert color="orange">The newest numbers did not come: {q.error.message}</Alert>}
        {p && p.empty && <Nothing />}
        {p && !p.empty && (
          <>
            <section className="lead" data-testid="ratio">
              <div>
                <Sourced f={by('ratio-index')!} name="Hashrate-debt ratio, at market index" />
                <Group gap="xs" mt="sm">
                  <SegmentedControl size="xs" aria-label="Which debt counts" data={[{ value: 'mining', label: 'Mining' }, { value: 'all', label: 'All debt' }]} value={scope} onChange={setScope} />
                  <Checkbox size="xs" label="convertibles" checked={converts} onChange={(e) => setConverts(e.currentTarget.checked)} />
                  <Checkbox size="xs" label="prepayments" checked={prepayments} onChange={(e) => setPrepayments(e.currentTarget.checked)} />
                </Group>
                <Text fz="xs" c="dimmed" mt={6} data-testid="scope">
                  Counts {p.scope}.
                </Text>
              </div>
              <Scale ratios={['index', 'replacement', 'liquidation', 'option'].map((b) => by(`ratio-${b}`)!)} says={p.bases ?? []} />
            </section>
            <p className="said">
              The ratio is shown because it was asked for. Firms have defaulted under 1.0 and lived at 7.7; what tells them apart is below: cover of the next twelve months' payments, cash, and what falls due when. A firm that defaults is not a network that crashes.
            </p>

            <h2 className="part">What tells distress better</h2>
            <div className="figures" data-testid="figures">
              {predictors.map((k) => by(k) && <Sourced key={k} f={by(k)!} to={k === 'runway-months' ? '/money/cash' : undefined} />)}
            </div>

            <h2 className="part">Covenants</h2>
            {(p.covenants ?? []).length === 0 ? (
              <Text fz="sm">
                No covenant is entered.{' '}
                <Anchor component={Link} to="/money/import" search={{ kind: 'covenants' } as never} fz="sm" underline="always">
                  Import covenants
                </Anchor>
              </Text>
            ) : (
              <CovenantTable rows={p.covenants!} brief />
            )}

            <h2 className="part">Maturity wall</h2>
            <Wall quarters={p.wall ?? []} currency={p.currency} names={Object.fromEntries((p.counted ?? []).map((c) => [c.facility, c.name]))} liquidity={by('liquidity')} />

            <h2 className="part">What changed since last week</h2>
            <Changes p={p} />

            <h2 className="part">Debt and hashpower</h2>
            <div className="figures">
              {['balance', 'service', 'cfads', 'hashrate', 'hashprice', 'hashpower-index', 'hashpower-replacement', 'hashpower-liquidation', 'hashpower-option'].map((k) => by(k) && <Sourced key={k} f={by(k)!} to={k === 'balance' ? '/money/register' : k === 'hashprice' ? '/money/hashcost' : undefined} />)}
            </div>
            <Counted p={p} />
          </>
        )}
      </div>
    </Page>
  )
}

function Nothing() {
  return (
    <Empty
      title="No debt is entered yet"
      action={
        <Group gap="xs">
          <Button component={Link} to="/money/import">
            Import a file
          </Button>
          <Button variant="default" component={Link} to="/money/register/new">
            Enter a facility by hand
          </Button>
          <Button variant="default" component="a" href="/api/v1/debt/templates/facilities.xlsx" download>
            Template (.xlsx)
          </Button>
        </Group>
      }
    >
      <Text fz="sm">
        This page sets what the company owes against the machines that hash now: the ratio on four bases, cover, covenants with their headroom, the maturity wall and thirteen weeks of cash. It needs, in this order: facilities, balances of accounts, what power costs and the price of a bitcoin (under Terms), planned running costs, prices of machines.
      </Text>
      <Text fz="sm" mt="xs">
        Each template holds lines of a made-up example company; replace them with yours. Nothing is changed before you have seen what would change.
      </Text>
    </Empty>
  )
}

function Changes({ p }: { p: Position }) {
  const c = p.changes
  const rows = c.figures ?? []
  if (!rows.length) return <Text fz="sm">{c.note}</Text>
  const ratio = rows.find((r) => r.key === 'ratio-index')
  const drivers = [...(c.drivers ?? [])].sort((a, b) => Math.abs(b.part) - Math.abs(a.part))
  const signed = (v: number) => (v > 0 ? '+' : v < 0 ? '−' : '') + Math.abs(v).toFixed(2)
  return (
    <>
      {ratio && drivers.length > 0 && (
        <p className="said" data-testid="drivers">
          The ratio moved by {signed(ratio.now - ratio.then)} since {day(c.since)}: {drivers.map((d) => `${d.name} ${signed(d.part)} (${d.then} to ${d.now})`).join(', ')}.
        </p>
      )}
      <div className="gridtable" tabIndex={0} role="region" aria-label="What changed">
        <table data-testid="changes">
          <thead>
            <tr>
              <th>Figure</th>
              <th className="num">{day(c.since)}</th>
              <th className="num">Now</th>
              <th className="num">Change</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <tr key={r.key}>
                <td>{r.name}</td>
                <td className="num">{r.was}</td>
                <td className="num">{r.text}</td>
                <td className={'num ' + (r.better > 0 ? 'better' : r.better < 0 ? 'worse' : '')}>
                  {Math.abs(r.now - r.then) < 5e-4 * Math.abs(r.then) ? 'same' : `${r.now > r.then ? '▲' : '▼'} ${Math.abs((r.now / r.then - 1) * 100).toFixed(1)} % ${r.better > 0 ? 'better' : r.better < 0 ? 'worse' : ''}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {c.note && <Text fz="sm" c="dimmed">{c.note}</Text>}
    </>
  )
}

function Counted({ p }: { p: Position }) {
  const rows = p.counted ?? []
  if (!rows.length) return null
  return (
    <div className="gridtable" tabIndex={0} role="region" aria-label="What the ratio counts" style={{ marginTop: 16 }}>
      <table data-testid="counted">
        <thead>
          <tr>
            <th>Facility</th>
            <th>Purpose</th>
            <th className="num">Owed today</th>
            <th>In the ratio</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((c) => (
            <tr key={c.facility}>
              <td>
                <Link to="/money/register/$id" params={{ id: c.facility } as never} className="link">
                  {c.name || c.facility}
                </Link>
              </td>
              <td>{c.purpose === 'ai' ? 'AI' : c.purpose}</td>
              <td className="num">{c.balance.text}</td>
              <td>{c.excluded ? `no: ${c.excluded}` : 'yes'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export type { Figure }

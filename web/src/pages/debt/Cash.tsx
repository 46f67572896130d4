import { Alert, Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from '@mantine/core'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { csvCell, save } from '../../parts/chartdata'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { base64 } from './Import'
import { Inputs, Sourced, Waiting, Whose } from './parts'
import { steps } from './Wall'
import { day, short, units } from './words'

type Weeks = Schema['DebtWeeks']

const title = (line: string) => line[0]!.toUpperCase() + line.slice(1)

/** Thirteen weeks of cash, to the cent. */
export function CashPage() {
  const queries = useQueryClient()
  const [form, setForm] = useState<'balances' | 'flows' | null>(null)
  const q = useQuery({ queryKey: ['debt', 'weeks'], queryFn: ({ signal }) => ask<Weeks>('GET', '/debt/weeks', undefined, signal), placeholderData: keepPreviousData, refetchInterval: 60_000, retry: false })
  const drop = useMutation({ mutationFn: (id: number) => ask('DELETE', `/debt/entries/${id}?seen=${q.data?.rev}`), onSuccess: () => void queries.invalidateQueries({ queryKey: ['debt'] }) })
  const d = q.data
  const weeks = d?.weeks ?? []
  return (
    <Page
      title="Cash"
      note="Thirteen weeks, week by week: what is mined and sold, power, running costs, debt service. It balances to the cent."
      actions={
        d && (
          <>
            <Button size="xs" onClick={() => setForm('balances')}>
              Enter a balance
            </Button>
            <Button size="xs" variant="default" onClick={() => setForm('flows')}>
              Plan a flow
            </Button>
            {weeks.length > 0 && (
              <Button size="xs" variant="default" onClick={() => save('thirteen-weeks.csv', csv(d))}>
                CSV
              </Button>
            )}
          </>
        )
      }
    >
      <div className="debt">
        <Waiting pending={q.isPending} error={d ? null : q.error} what="The cash plan cannot be shown" again={() => void q.refetch()} />
        {d && <Whose of={d} />}
        {d && d.missing && (
          <Empty
            title="There is no plan yet"
            action={
              <Group gap="xs">
                <Button onClick={() => setForm('balances')}>Enter a balance</Button>
                <Button variant="default" component={Link} to="/money/import" search={{ kind: 'balances' } as never}>
                  Import balances
                </Button>
              </Group>
            }
          >
            It cannot be laid out: {d.missing}.
          </Empty>
        )}
        {d && weeks.length > 0 && (
          <>
            {d.overdrawn > 0 ? (
              <Alert color="red" mb="sm" role="alert">
                Cash goes under zero in week {d.overdrawn} ({day(weeks[d.overdrawn - 1]!.from)} to {day(weeks[d.overdrawn - 1]!.to)}), with all free bitcoin sold.
              </Alert>
            ) : (
              d.short > 0 && (
                <Alert color="orange" mb="sm" role="status">
                  From week {d.short} on cash stays under the floor of {d.floor.text}, with all free bitcoin sold.
                </Alert>
              )
            )}
            <div className="figures">
              <Sourced f={d.runway} />
            </div>
            <Drawing d={d} />
            <Plan d={d} />
            <h2 className="part">What the plan assumes</h2>
            <div style={{ maxWidth: 760 }}>
              <Inputs all={d.assumptions ?? []} />
            </div>
          </>
        )}
        {d && (
          <>
            <h2 className="part">Balances of accounts</h2>
            {drop.error && (
              <Alert color="red" role="alert" mb="xs">
                {drop.error.message}
              </Alert>
            )}
            {(d.balances ?? []).length === 0 ? (
              <Text fz="sm">None is entered.</Text>
            ) : (
              <Lines head={['Account', 'Day', '#Amount', 'Pledged', 'From', '']}>
                {[...d.balances!].sort((a, b) => (a.on < b.on ? 1 : -1)).map((b) => (
                  <tr key={b.id}>
                    <td>{b.account}</td>
                    <td>{day(b.on)}</td>
                    <td className="num">{b.amount.text}</td>
                    <td>{b.pledged ? 'pledged' : ''}</td>
                    <td className="sub">{b.source.what}</td>
                    <td>
                      <Drop what={`the balance of ${b.account} on ${b.on}`} go={() => drop.mutate(b.id)} />
                    </td>
                  </tr>
                ))}
              </Lines>
            )}
            <h2 className="part">Planned flows</h2>
            {(d.flows ?? []).length === 0 ? (
              <Text fz="sm">None is planned. Payroll, administration and repair belong here; power and debt service come by themselves.</Text>
            ) : (
              <Lines head={['Line', 'What', 'From', '#Amount', 'Comes again', 'Entered', '']}>
                {d.flows!.map((f) => (
                  <tr key={f.id}>
                    <td>{title(f.line)}</td>
                    <td>{f.name}</td>
                    <td>{day(f.on)}</td>
                    <td className="num">{f.amount.text}</td>
                    <td>{f.every ? `every ${f.every}${f.until ? ` until ${day(f.until)}` : ''}` : 'once'}</td>
                    <td className="sub">{f.source.what}</td>
                    <td>
                      <Drop what={`the flow ${f.line} ${f.name ?? ''}`} go={() => drop.mutate(f.id)} />
                    </td>
                  </tr>
                ))}
              </Lines>
            )}
            {form && <Enter kind={form} d={d} onClose={() => setForm(null)} />}
          </>
        )}
      </div>
    </Page>
  )
}

function Lines({ head, children }: { head: string[]; children: React.ReactNode }) {
  return (
    <div className="gridtable" tabIndex={0} role="region" aria-label={head[0]}>
      <table>
        <thead>
          <tr>
            {head.map((h) => (
              <th key={h} className={h.startsWith('#') ? 'num' : ''}>
                {h.replace('#', '') || <span className="hidden">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

/** Asks once, in place. */
export function Drop({ what, go }: { what: string; go: () => void }) {
  const [sure, setSure] = useState(false)
  return (
    <Button size="compact-xs" variant={sure ? 'filled' : 'default'} color={sure ? 'red' : undefined} onBlur={() => setSure(false)} aria-label={sure ? `Really drop ${what}` : `Drop ${what}`} onClick={() => (sure ? go() : setSure(true))}>
      {sure ? 'Really drop?' : 'Drop'}
    </Button>
  )
}

function Drawing({ d }: { d: Weeks }) {
  const weeks = d.weeks!
  const w = 1000
  const h = 230
  const left = 62
  const inflow = Math.max(...weeks.map((x) => units(x.receipts)))
  const out = Math.max(...weeks.map((x) => units(x.payments)))
  const most = Math.max(inflow, out, ...weeks.map((x) => units(x.closing)), units(d.floor))
  const least = Math.min(0, ...weeks.map((x) => units(x.closing)))
  const ticks = steps(most)
  const top = ticks[ticks.length - 1]!
  const y = (v: number) => 8 + ((h - 8) * (top - v)) / (top - least)
  const slot = (w - left) / weeks.length
  const bar = slot * 0.3
  const points = weeks.map((x, i) => `${left + slot * (i + 0.5)},${y(units(x.closing))}`).join(' ')
  return (
    <figure className="drawn" data-testid="weeks-chart">
      <div className="wide-drawing" tabIndex={0} role="region" aria-label="Thirteen weeks of cash">
        <svg viewBox={`0 0 ${w} ${h + 26}`} role="img" aria-label={`Cash at the end of each week, from ${weeks[0]!.closing.text} to ${weeks.at(-1)!.closing.text}`}>
          {ticks.map((t) => (
            <g key={t}>
              <line className="axis" x1={left} x2={w} y1={y(t)} y2={y(t)} />
              <text x={left - 8} y={y(t) + 4} textAnchor="end">
                {short(t, d.currency)}
              </text>
            </g>
          ))}
          {weeks.map((x, i) => (
            <g key={x.from}>
              <rect x={left + slot * (i + 0.5) - bar - 1} width={bar} y={y(units(x.receipts))} height={Math.max(0, y(0) - y(units(x.receipts)))} fill="var(--hashing)">
                <title>{`${day(x.from)}: receipts ${x.receipts.text}`}</title>
              </rect>
              <rect x={left + slot * (i + 0.5) + 1} width={bar} y={y(units(x.payments))} height={Math.max(0, y(0) - y(units(x.payments)))} fill="var(--degraded)">
                <title>{`${day(x.from)}: payments ${x.payments.text}`}</title>
              </rect>
              <text x={left + slot * (i + 0.5)} y={h + 18} textAnchor="middle">
                {new Date(x.from + 'T00:00:00Z').toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })}
              </text>
            </g>
          ))}
          <polyline points={points} fill="none" stroke="light-dark(#1f629e, #8fbce2)" strokeWidth="2.5" />
          {weeks.map((x, i) => (
            <circle key={x.from} cx={left + slot * (i + 0.5)} cy={y(units(x.closing))} r="3.5" fill="light-dark(#1f629e, #8fbce2)">
              <title>{`${day(x.to)}: cash ${x.closing.text}`}</title>
            </circle>
          ))}
          {d.floor.minor > 0 && (
            <g>
              <line x1={left} x2={w} y1={y(units(d.floor))} y2={y(units(d.floor))} stroke="var(--ink-bad)" strokeDasharray="6 4" strokeWidth="1.5" />
              <text x={w} y={y(units(d.floor)) - 4} textAnchor="end" style={{ fill: 'var(--ink-bad)' }}>
                floor {d.floor.text}
              </text>
            </g>
          )}
        </svg>
      </div>
      <ul className="legend">
        <li>
          <i style={{ background: 'var(--hashing)' }} /> receipts
        </li>
        <li>
          <i style={{ background: 'var(--degraded)' }} /> payments
        </li>
        <li>
          <i style={{ background: 'light-dark(#1f629e, #8fbce2)' }} /> cash at the end of the week
        </li>
      </ul>
    </figure>
  )
}

function Plan({ d }: { d: Weeks }) {
  const weeks = d.weeks!
  const lines = d.lines ?? []
  // Whole units on the page; the file and the tip hold the cents.
  const cell = (m: { minor: number; currency: string; text: string }) => (
    <span title={m.text}>{m.minor === 0 ? '' : units(m).toLocaleString('en-US', { minimumFractionDigits: m.currency === 'BTC' ? 3 : 0, maximumFractionDigits: m.currency === 'BTC' ? 3 : 0 })}</span>
  )
  const row = (name: string, of: (i: number) => { minor: number; currency: string; text: string }, cls = '', total?: { minor: number; currency: string; text: string }) => (
    <tr className={cls} key={name}>
      <th scope="row">{name}</th>
      {weeks.map((w, i) => (
        <td key={w.from} className={'num' + (of(i).minor < 0 ? ' bad' : '')}>
          {cell(of(i))}
        </td>
      ))}
      <td className="num">{total ? cell(total) : ''}</td>
    </tr>
  )
  return (
    <div className="gridtable" tabIndex={0} role="region" aria-label="Cash plan by week" style={{ marginTop: 14 }}>
      <table data-testid="weeks">
        <thead>
          <tr>
            <th>{d.currency}</th>
            {weeks.map((w, i) => (
              <th key={w.from} className="num" title={`${day(w.from)} to ${day(w.to)}`}>
                {i + 1}
              </th>
            ))}
            <th className="num">Together</th>
          </tr>
        </thead>
        <tbody>
          {row('Cash at the start', (i) => weeks[i]!.opening, 'sum')}
          {lines.filter((l) => l.receipt).map((l) => row(title(l.line), (i) => l.amounts![i]!, '', l.total))}
          {row('Receipts', (i) => weeks[i]!.receipts, 'sum')}
          {lines.filter((l) => !l.receipt).map((l) => row(title(l.line), (i) => l.amounts![i]!, '', l.total))}
          {row('Payments', (i) => weeks[i]!.payments, 'sum')}
          {row('Cash at the end', (i) => weeks[i]!.closing, 'sum')}
          {row('Mined, BTC', (i) => weeks[i]!.mined, 'cut')}
          {row('Sold, BTC', (i) => weeks[i]!.sold)}
          {row('Free bitcoin at the end', (i) => weeks[i]!.coins)}
        </tbody>
      </table>
    </div>
  )
}

/** The plan as a file, to the cent. */
function csv(d: Weeks): string {
  const weeks = d.weeks!
  const out: (string | number)[][] = [['line', ...weeks.map((w) => w.from), 'together']]
  out.push(['opening', ...weeks.map((w) => units(w.opening).toFixed(2)), ''])
  for (const l of d.lines ?? []) out.push([l.line, ...(l.amounts ?? []).map((m) => units(m).toFixed(2)), units(l.total).toFixed(2)])
  out.push(['closing', ...weeks.map((w) => units(w.closing).toFixed(2)), ''])
  out.push(['mined_btc', ...weeks.map((w) => units(w.mined).toFixed(8)), ''], ['sold_btc', ...weeks.map((w) => units(w.sold).toFixed(8)), ''], ['coins_btc', ...weeks.map((w) => units(w.coins).toFixed(8)), ''])
  return out.map((r) => r.map(csvCell).join(',')).join('\r\n') + '\r\n'
}

const flowLines = ['payroll', 'administration', 'repair and spares', 'hosting paid', 'power', 'taxes', 'machines and sites', 'customs, contingent', 'other payments', 'hosting received', 'AI received', 'demand response and power sales', 'debt drawn', 'equity', 'other receipts']

/** One line, entered by hand: it goes the way of an import. */
function Enter({ kind, d, onClose }: { kind: 'balances' | 'flows'; d: Weeks; onClose: () => void }) {
  const queries = useQueryClient()
  const [v, setV] = useState<Record<string, string>>({ date: d.day, currency: d.currency, line: 'payroll', every: '', pledged: 'no', account: '', amount: '', name: '', until: '', source: '' })
  const set = (k: string) => (e: { currentTarget: { value: string } }) => setV({ ...v, [k]: e.currentTarget.value })
  const names = kind === 'balances' ? ['date', 'account', 'currency', 'amount', 'pledged', 'source'] : ['date', 'line', 'currency', 'amount', 'every', 'until', 'name', 'source']
  const write = useMutation({
    mutationFn: async () => {
      const text = names.join(',') + '\n' + names.map((n) => csvCell(v[n] ?? '')).join(',') + '\n'
      const file = await base64(new Blob([text]))
      const seen = await ask<Schema['DebtImport']>('POST', '/debt/import', { kind, file, preview: true })
      if (seen.errors?.length) throw new Error(seen.errors.map((e) => `${e.column ?? ''} ${e.text ? `“${e.text}” ` : ''}${e.reason}`).join('; '))
      return ask<Schema['DebtImport']>('POST', '/debt/import', { kind, file, seen: seen.rev })
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['debt'] })
      onClose()
    },
  })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    write.mutate()
  }
  return (
    <Modal opened onClose={onClose} title={kind === 'balances' ? 'What an account holds' : 'A planned receipt or payment'}>
      <form onSubmit={submit}>
        <Stack gap="xs">
          {kind === 'balances' ? <TextInput label="Account" required value={v.account} onChange={set('account')} placeholder="operating account" data-autofocus /> : <NativeSelect label="Line" data={flowLines} value={v.line} onChange={set('line')} />}
          {kind === 'flows' && <TextInput label="What" value={v.name} onChange={set('name')} placeholder="all staff" />}
          <Group grow>
            <TextInput label={kind === 'balances' ? 'On' : 'First on'} type="date" required value={v.date} onChange={set('date')} />
            <TextInput label="Amount" required value={v.amount} onChange={set('amount')} inputMode="decimal" placeholder="1250000.00" />
            <NativeSelect label="In" data={kind === 'balances' ? [d.currency, 'BTC'] : [d.currency]} value={v.currency} onChange={set('currency')} />
          </Group>
          {kind === 'balances' ? (
            <NativeSelect label="Free to use" data={[{ value: 'no', label: 'yes' }, { value: 'yes', label: 'no: pledged or restricted' }]} value={v.pledged} onChange={set('pledged')} />
          ) : (
            <Group grow>
              <NativeSelect label="Comes again" data={[{ value: '', label: 'once' }, { value: 'week', label: 'every week' }, { value: 'month', label: 'every month' }, { value: 'quarter', label: 'every quarter' }, { value: 'year', label: 'every year' }]} value={v.every} onChange={set('every')} />
              <TextInput label="Until" type="date" value={v.until} onChange={set('until')} />
            </Group>
          )}
          <TextInput label="Where it is from" value={v.source} onChange={set('source')} placeholder="bank statement" />
          {write.error && (
            <Alert color="red" role="alert">
              {write.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Leave as it is
            </Button>
            <Button type="submit" loading={write.isPending}>
              Write
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}


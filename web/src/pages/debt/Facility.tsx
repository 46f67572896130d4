import { Alert, Anchor, Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { csvCell, save } from '../../parts/chartdata'
import { Page } from '../../parts/Page'
import { Drop } from './Cash'
import { Editor } from './Editor'
import { CovenantTable, Waiting, Whose } from './parts'
import { steps } from './Wall'
import { type Covenant, day, month, short, units } from './words'

export type FacilityBody = Schema['FacilityPage']

/** One facility: its schedule, what was paid, its terms, its versions. */
export function FacilityPage() {
  const { id } = useParams({ from: '/frame/money/register/$id' })
  if (id === 'new') return <NewFacility />
  return <OneFacility key={id} id={id} />
}

function NewFacility() {
  const go = useNavigate()
  const q = useQuery({ queryKey: ['debt', 'register'], queryFn: ({ signal }) => ask<Schema['Register']>('GET', '/debt/facilities', undefined, signal), retry: false })
  return (
    <Page title="New facility" note={<BackLink />}>
      <div className="debt">
        <Waiting pending={q.isPending} error={q.error} what="The register cannot be read" again={() => void q.refetch()} />
        {q.data && <Editor company={q.data} taken={(q.data.facilities ?? []).map((f) => f.id)} onDone={(id) => void go({ to: id ? '/money/register/$id' : '/money/register', params: (id ? { id } : {}) as never })} />}
      </div>
    </Page>
  )
}

const BackLink = () => (
  <Anchor component={Link} to="/money/register" fz="sm" underline="always">
    ← the register
  </Anchor>
)

function OneFacility({ id }: { id: string }) {
  const go = useNavigate()
  const queries = useQueryClient()
  const [editing, setEditing] = useState(false)
  const q = useQuery({ queryKey: ['debt', 'facility', id], queryFn: ({ signal }) => ask<FacilityBody>('GET', `/debt/facilities/${encodeURIComponent(id)}`, undefined, signal), retry: false })
  const cov = useQuery({ queryKey: ['debt', 'covenants'], queryFn: ({ signal }) => ask<Schema['DebtCovenants']>('GET', '/debt/covenants', undefined, signal), retry: false, enabled: (q.data?.row.covenants ?? 0) > 0 })
  const gone = useMutation({
    mutationFn: () => ask('DELETE', `/debt/facilities/${encodeURIComponent(id)}?seen=${q.data?.rev}`),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['debt'] })
      void go({ to: '/money/register' })
    },
  })
  const d = q.data
  const own: Covenant[] = (cov.data?.covenants ?? []).filter((c) => c.facility === id)
  return (
    <Page
      title={d?.row.name || id}
      note={
        <>
          <BackLink /> {d && `${d.row.kind}, ${d.row.lender || 'lender not told'}, ${d.row.purpose === 'ai' ? 'for AI' : `for ${d.row.purpose}`}, ${d.row.recourse} recourse`}
        </>
      }
      actions={
        d &&
        !editing && (
          <>
            <Button size="xs" onClick={() => setEditing(true)}>
              Change
            </Button>
            <Button size="xs" variant="default" onClick={() => save(`${id}-schedule.csv`, csv(d))}>
              Schedule as CSV
            </Button>
            <Drop what={`facility ${id}`} go={() => gone.mutate()} />
          </>
        )
      }
    >
      <div className="debt">
        <Waiting pending={q.isPending} error={d ? null : q.error} what="The facility cannot be shown" again={() => void q.refetch()} />
        {gone.error && (
          <Alert color="red" role="alert">
            {gone.error.message}
          </Alert>
        )}
        {d && <Whose of={d} />}
        {d && editing && <Editor company={d} facility={d.facility} onDone={() => setEditing(false)} />}
        {d && !editing && (
          <>
            {d.row.trouble && (
              <Alert color="orange" role="alert" mb="sm">
                It has no schedule and is in no figure: {d.row.trouble}.
              </Alert>
            )}
            <dl className="facts" style={{ maxWidth: 760 }} data-testid="facility-facts">
              {facts(d).map(([k, v]) => (
                <div key={k} style={{ display: 'contents' }}>
                  <dt>{k}</dt>
                  <dd>{v}</dd>
                </div>
              ))}
            </dl>
            {d.margin && (
              <Alert color={d.margin.liquidate ? 'red' : d.margin.called ? 'orange' : 'blue'} mt="sm" title={d.margin.liquidate ? 'The lender may sell' : d.margin.called ? 'The lender may call' : 'Margin'}>
                <Text fz="sm">
                  Loan to value {(d.margin.ltv * 100).toFixed(1)} %. Called at {d.margin.call_price.text} a bitcoin, sold at {d.margin.liquidation_price.text}.
                  {d.margin.called && ` To restore it, pay ${d.margin.pay.text} or post ${d.margin.post.text}.`}
                </Text>
              </Alert>
            )}
            {own.length > 0 && (
              <>
                <h2 className="part">Covenants</h2>
                <CovenantTable rows={own} />
              </>
            )}
            <h2 className="part">Schedule</h2>
            <ScheduleChart d={d} />
            <Schedule d={d} />
            {(d.contagion ?? []).length > 0 && (
              <>
                <h2 className="part">If it defaults</h2>
                <ul className="plainlist">
                  {d.contagion!.map((c) => (
                    <li key={c.facility}>
                      {c.facility} falls due with {c.amount.text}, because of {c.because} (round {c.round})
                    </li>
                  ))}
                </ul>
              </>
            )}
            <h2 className="part">Versions</h2>
            <ul className="plainlist" data-testid="versions">
              {(d.versions ?? []).map((v) => (
                <li key={v.version}>
                  {v.version}: {v.removed ? 'removed' : v.version === 1 ? 'added' : 'changed'} by {v.actor}, {new Date(v.at).toLocaleString()}
                  {(v.changed ?? []).map((c) => (
                    <div className="diff" key={c.field}>
                      {c.field}: {c.was || 'nothing'} → <b>{c.now || 'nothing'}</b>
                    </div>
                  ))}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Page>
  )
}

function facts(d: FacilityBody): [string, string][] {
  const out: [string, string][] = [
    ['Owed today', `${d.row.balance.text} of ${d.row.principal.text}`],
    ['Accrued since the last payment', d.accrued.text],
    ['Rate', `${d.row.rate}, ${d.facility.interest.day_count}`],
    ['Runs', `${day(d.row.drawn)} to ${day(d.row.maturity)}`],
    ['Next payment', d.row.next_due ? `${d.row.next_cash.text} on ${day(d.row.next_due)}` : 'none'],
    ['Due in a year', d.row.due_in_a_year.text],
    ['Paid', d.recorded > 0 ? `${d.paid_to_date.text} of ${d.due_to_date.text} that was due` : `not recorded; ${d.due_to_date.text} was due`],
  ]
  if (d.row.collateral) out.push(['Secured by', d.row.collateral])
  if (d.row.obligor) out.push(['Owed by', d.row.obligor])
  out.push(['From', d.source.what])
  return out
}

function ScheduleChart({ d }: { d: FacilityBody }) {
  const all = (d.schedule ?? []).filter((l) => l.cash.minor > 0 || l.closing.minor > 0)
  if (all.length < 2) return null
  const w = 1000
  const left = 62
  const right = 24
  const high = 120
  const gap = 34
  const code = d.row.principal.currency
  const paid = all.map((l) => ({ principal: units(l.principal) + units(l.swept), interest: units(l.interest) - units(l.capitalised) + units(l.fees) }))
  // Two panels, each with a scale of its own: a balance dwarfs its payments.
  const owed = steps(Math.max(...all.map((l) => units(l.closing))))
  const due = steps(Math.max(...paid.map((p) => p.principal + p.interest)))
  const yOwed = (v: number) => 10 + (high * (owed.at(-1)! - v)) / owed.at(-1)!
  const yDue = (v: number) => 10 + high + gap + (high * (due.at(-1)! - v)) / due.at(-1)!
  const from = Date.parse(all[0]!.due)
  const span = Math.max(1, Date.parse(all.at(-1)!.due) - from)
  const bar = Math.max(2, Math.min(22, ((w - left - right) / all.length) * 0.6))
  const x = (iso: string) => left + bar / 2 + ((w - left - right - bar) * (Date.parse(iso) - from)) / span
  const line = all.map((l, i) => (i === 0 ? `M${x(l.due)},${yOwed(units(l.closing))}` : `L${x(l.due)},${yOwed(units(all[i - 1]!.closing))}L${x(l.due)},${yOwed(units(l.closing))}`)).join('')
  const every = Math.ceil(all.length / 12)
  const bottom = 10 + high + gap + high
  const axis = (ticks: number[], y: (v: number) => number) =>
    ticks.map((t) => (
      <g key={t}>
        <line className="axis" x1={left} x2={w - right} y1={y(t)} y2={y(t)} />
        <text x={left - 8} y={y(t) + 4} textAnchor="end">
          {short(t, code)}
        </text>
      </g>
    ))
  return (
    <figure className="drawn" data-testid="schedule-chart">
      <div className="wide-drawing" tabIndex={0} role="region" aria-label="Schedule">
        <svg viewBox={`0 0 ${w} ${bottom + 26}`} role="img" aria-label={`Owed from ${d.row.principal.text} down to nothing on ${day(d.row.maturity)}; payments below`}>
          {axis(owed, yOwed)}
          {axis(due, yDue)}
          <path d={`${line}L${x(all.at(-1)!.due)},${yOwed(0)}L${x(all[0]!.due)},${yOwed(0)}Z`} fill="light-dark(#3f88c9, #64a1d6)" fillOpacity="0.15" />
          <path d={line} fill="none" stroke="light-dark(#1f629e, #8fbce2)" strokeWidth="2" />
          {all.map((l, i) => (
            <g key={l.due + i}>
              <rect x={x(l.due) - bar / 2} width={bar} y={yDue(paid[i]!.principal)} height={yDue(0) - yDue(paid[i]!.principal)} fill="light-dark(#3f88c9, #64a1d6)">
                <title>{`${day(l.due)}: principal ${l.principal.text}`}</title>
              </rect>
              <rect x={x(l.due) - bar / 2} width={bar} y={yDue(paid[i]!.principal + paid[i]!.interest)} height={yDue(paid[i]!.principal) - yDue(paid[i]!.principal + paid[i]!.interest)} fill="var(--degraded)">
                <title>{`${day(l.due)}: interest ${l.interest.text}, fees ${l.fees.text}`}</title>
              </rect>
              {i % every === 0 && (
                <text x={x(l.due)} y={bottom + 18} textAnchor="middle">
                  {month(l.due)}
                </text>
              )}
            </g>
          ))}
          {Date.parse(d.day) > from && Date.parse(d.day) < from + span && (
            <g>
              <line x1={x(d.day)} x2={x(d.day)} y1={4} y2={bottom} stroke="var(--ink-bad)" strokeDasharray="4 4" />
              <text x={x(d.day) + 5} y={14} style={{ fill: 'var(--ink-bad)' }}>
                today
              </text>
            </g>
          )}
        </svg>
      </div>
      <ul className="legend">
        <li>
          <i style={{ background: 'light-dark(#1f629e, #8fbce2)', height: 3 }} /> owed
        </li>
        <li>
          <i style={{ background: 'light-dark(#3f88c9, #64a1d6)' }} /> principal
        </li>
        <li>
          <i style={{ background: 'var(--degraded)' }} /> interest and fees
        </li>
      </ul>
    </figure>
  )
}

function Schedule({ d }: { d: FacilityBody }) {
  const rows = d.schedule ?? []
  if (!rows.length) return null
  const kind = rows.some((l) => l.in_kind.minor !== 0)
  return (
    <div className="gridtable" tabIndex={0} role="region" aria-label="Schedule to the cent" style={{ maxHeight: 520, overflow: 'auto' }}>
      <table data-testid="schedule">
        <thead>
          <tr>
            <th>Due</th>
            <th className="num">Rate</th>
            <th className="num">Owed before</th>
            <th className="num">Interest</th>
            <th className="num">Principal</th>
            <th className="num">Fees</th>
            {kind && <th className="num">In service</th>}
            <th className="num">Cash</th>
            <th className="num">Owed after</th>
            <th className="num">Paid</th>
            <th>State</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((l, i) => (
            <tr key={l.due + i}>
              <td style={{ whiteSpace: 'nowrap' }}>{day(l.due)}</td>
              <td className="num">{l.drawn.minor ? '' : l.rate}</td>
              <td className="num">{l.drawn.minor ? '' : l.opening.text}</td>
              <td className="num">{l.interest.minor ? l.interest.text : ''}</td>
              <td className="num">{l.drawn.minor ? `drawn ${l.drawn.text}` : l.principal.text}</td>
              <td className="num">{l.fees.minor ? l.fees.text : ''}</td>
              {kind && <td className="num">{l.in_kind.text}</td>}
              <td className="num">{l.cash.text}</td>
              <td className="num">{l.closing.text}</td>
              <td className="num">{l.paid.minor ? l.paid.text : ''}</td>
              <td className={l.state === 'overdue' || l.state === 'part paid' ? 'bad' : ''}>{l.state}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function csv(d: FacilityBody): string {
  const names = ['opening', 'drawn', 'interest', 'capitalised', 'principal', 'swept', 'fees', 'in_kind', 'cash', 'closing', 'paid'] as const
  return [['from', 'due', 'rate', ...names, 'state'].join(','), ...(d.schedule ?? []).map((l) => [l.from, l.due, l.rate, ...names.map((n) => units(l[n]).toFixed(2)), l.state].map(csvCell).join(','))].join('\r\n') + '\r\n'
}


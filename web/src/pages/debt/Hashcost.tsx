import { NativeSelect, SegmentedControl, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { dash, fixed, hashrate } from '../../format'
import { Page } from '../../parts/Page'
import { Opens, Sourced, Waiting, Whose } from './parts'
import { sign } from './words'

type Body = Schema['DebtHashcost']
type Heat = Schema['DebtHeat']

const metrics = [
  { value: 'dscr', label: 'DSCR' },
  { value: 'icr', label: 'Interest cover' },
  { value: 'runway-months', label: 'Runway, months' },
  { value: 'liquidity', label: 'Liquidity' },
  { value: 'leverage', label: 'Leverage' },
  { value: 'coin-ltv', label: 'Loan to value, bitcoin' },
  { value: 'machine-ltv', label: 'Loan to value, machines' },
  { value: 'hashrate-debt', label: 'Hashrate-debt ratio' },
]

/** What a PH/s costs a day, step by step, and what moves of the market do. */
export function HashcostPage() {
  const [metric, setMetric] = useState('dscr')
  const [against, setAgainst] = useState('difficulty')
  const q = useQuery({
    queryKey: ['debt', 'hashcost', metric, against],
    queryFn: ({ signal }) => ask<Body>('GET', `/debt/hashcost?metric=${metric}&against=${encodeURIComponent(against)}`, undefined, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
    retry: false,
  })
  const d = q.data
  return (
    <Page title="Hashcost" note="What a PH/s costs a day, step by step, against what it earns; and what a move of the market would do.">
      <div className="debt">
        <Waiting pending={q.isPending} error={d ? null : q.error} what="Hashcost cannot be shown" again={() => void q.refetch()} />
        {d && <Whose of={d} />}
        {d && (
          <>
            <h2 className="part">Waterfall, {d.currency} per PH/s and day</h2>
            {d.missing ? <Text fz="sm">It cannot be had: {d.missing}.</Text> : <Waterfall d={d} />}
            <h2 className="part">Sensitivity</h2>
            <div style={{ display: 'flex', flexWrap: 'wrap', gap: 12, alignItems: 'flex-end', marginBottom: 10 }}>
              <NativeSelect label="Figure" size="xs" data={metrics} value={metric} onChange={(e) => setMetric(e.currentTarget.value)} />
              <SegmentedControl size="xs" aria-label="Against" data={[{ value: 'difficulty', label: 'Bitcoin × difficulty' }, { value: 'power price', label: 'Bitcoin × power price' }]} value={against} onChange={setAgainst} />
            </div>
            {d.heat.missing ? <Text fz="sm">It cannot be had: {d.heat.missing}.</Text> : <HeatMap h={d.heat} currency={d.currency} label={metrics.find((m) => m.value === d.heat.metric)!.label} />}
            <h2 className="part">By site and model</h2>
            <Groups d={d} />
          </>
        )}
      </div>
    </Page>
  )
}

function Waterfall({ d }: { d: Body }) {
  const steps = d.steps ?? []
  const price = d.hashprice.value ?? 0
  const most = Math.max(price, ...steps.map((s) => s.total)) * 1.12
  const w = 1000
  const row = 34
  const left = 150
  const right = 190
  const x = (v: number) => left + ((w - left - right) * v) / most
  const h = steps.length * row + 40
  const unit = `${sign(d.currency)}/PH/day`
  return (
    <>
      <figure className="drawn" data-testid="waterfall">
        <div className="wide-drawing" tabIndex={0} role="region" aria-label="Hashcost waterfall">
          <svg viewBox={`0 0 ${w} ${h}`} role="img" aria-label={`Hashcost in steps up to ${fixed(steps.at(-1)?.total, 2)} ${unit}, hashprice ${fixed(price, 2)}`}>
            <line x1={x(price)} x2={x(price)} y1={0} y2={h - 24} stroke="var(--ink-good)" strokeWidth="2" strokeDasharray="6 4" />
            {steps.map((s, i) => (
              <g key={s.name}>
                <text className="ink" x={left - 10} y={i * row + 19} textAnchor="end">
                  {s.name}
                </text>
                <rect x={x(s.total - s.cost)} y={i * row + 5} width={Math.max(1, x(s.total) - x(s.total - s.cost))} height={row - 12} rx="2" fill={s.margin >= 0 ? 'light-dark(#3f88c9, #64a1d6)' : 'var(--down)'}>
                  <title>{`${s.name}: ${fixed(s.cost, 2)} ${unit}`}</title>
                </rect>
                <text className="ink over" x={x(s.total) + 8} y={i * row + 19}>
                  {fixed(s.cost, 2)}, together {fixed(s.total, 2)}
                </text>
              </g>
            ))}
            <text x={x(price)} y={h - 8} textAnchor="middle" style={{ fill: 'var(--ink-good)' }}>
              hashprice {fixed(price, 2)}
            </text>
          </svg>
        </div>
      </figure>
      <div className="figures" style={{ marginTop: 10 }}>
        <Sourced f={d.hashprice} />
        {(d.figures ?? []).map((f) => (
          <Sourced key={f.key} f={{ ...f, name: f.name[0]!.toUpperCase() + f.name.slice(1) }} />
        ))}
      </div>
    </>
  )
}

const worse = new Set(['coin-ltv', 'machine-ltv', 'leverage', 'hashrate-debt'])

/** Colours of a cell: blue where it is safe, orange where it is not, pale near
 * the middle. Never the only sign: each cell holds its number. */
function shade(v: number, limit: number, bad: boolean): string {
  const r = Math.max(-1, Math.min(1, Math.log((v > 0 ? v : 1e-3) / limit) / Math.log(2)))
  const good = bad ? -r : r
  const n = Math.round(Math.abs(good) * 60) + 6
  return good >= 0 ? `color-mix(in srgb, #3f88c9 ${n}%, var(--mantine-color-body))` : `color-mix(in srgb, #d55e00 ${n}%, var(--mantine-color-body))`
}

function HeatMap({ h, currency, label }: { h: Heat; currency: string; label: string }) {
  const [at, setAt] = useState<[number, number] | null>(null)
  const cells = h.cells ?? []
  const today = (h.price ?? []).indexOf(1)
  const row = (h.other ?? []).indexOf(1)
  const scale = h.metric === 'coin-ltv' || h.metric === 'machine-ltv' ? 100 : 1
  const own = h.limits?.[0]?.at
  const base = own ?? ({ dscr: 1, icr: 1, 'runway-months': 6, leverage: 4, 'coin-ltv': 0.7, 'machine-ltv': 1, 'hashrate-debt': 1.5 }[h.metric] ?? Math.abs(cells[row]?.[today] ?? 1))
  const say = (v: number | null | undefined) => {
    if (v === null || v === undefined) return dash
    if (Math.abs(v) > 1e300) return v > 0 ? '∞' : '−∞'
    if (h.metric === 'liquidity') return `${sign(currency)}${fixed(v / 1e6, 2)} M`
    return fixed(v * scale, scale === 100 ? 0 : 2) + (scale === 100 ? ' %' : '')
  }
  const picked = at ?? [row, today]
  return (
    <>
      <div className="gridtable" tabIndex={0} role="region" aria-label={`${label} by price of a bitcoin and ${h.against}`}>
        <table className="heat" data-testid="heat">
          <thead>
            <tr>
              <th scope="col">{h.against} \ bitcoin</th>
              {(h.prices ?? []).map((p) => (
                <th key={p} scope="col" style={{ textAlign: 'center' }}>
                  {p}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cells.map((r, y) => (
              <tr key={h.others![y]}>
                <th scope="row">
                  {h.others![y]} ({h.other![y]! >= 1 ? '+' : '−'}
                  {Math.abs(Math.round((h.other![y]! - 1) * 100))} %)
                </th>
                {(r ?? []).map((v, x) => (
                  <td key={h.prices![x]} className={x === today && y === row ? 'today' : ''} style={{ background: v === null ? undefined : shade(v, base, worse.has(h.metric)) }}>
                    <button type="button" aria-label={`${say(v)} at ${h.prices![x]} and ${h.others![y]}`} onClick={() => setAt([y, x])} onFocus={() => setAt([y, x])} onMouseEnter={() => setAt([y, x])}>
                      {say(v)}
                    </button>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="said" style={{ marginTop: 8 }} aria-live="polite">
        At {h.prices?.[picked[1]]} and {h.others?.[picked[0]]}: {label} {say(cells[picked[0]]?.[picked[1]])}, cash for debt service {h.cfads?.[picked[0]]?.[picked[1]]?.text ?? dash} a year. The framed cell is today. Blue is on the safe side of {own !== undefined ? `the covenant at ${own}` : `${say(base)}`}, orange beyond. Difficulty and power hold still where they are not an axis; machines whose power costs more than they earn stand still.
      </p>
    </>
  )
}

function Groups({ d }: { d: Body }) {
  const money = (v: number | null | undefined, places = 2) => (v === null || v === undefined ? dash : (v < 0 ? '−' : '') + sign(d.currency) + fixed(Math.abs(v), places))
  const rows = d.groups ?? []
  if (!rows.length) return <Text fz="sm">No machine is known yet.</Text>
  return (
    <div className="gridtable" tabIndex={0} role="region" aria-label="Hashcost by site and model">
      <table data-testid="groups">
        <thead>
          <tr>
            <th>Model</th>
            <th>Site</th>
            <th className="num">Hashing</th>
            <th className="num">Active</th>
            <th className="num">J/TH</th>
            <th className="num">Seen for</th>
            <th className="num">Power /MWh</th>
            <th className="num">Hashcost</th>
            <th className="num">Leaves</th>
            <th className="num">Breaks even at power</th>
            <th className="num">at bitcoin</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((g) => (
            <tr key={g.site + g.model}>
              <td>{g.model || 'unknown'}</td>
              <td>{g.site}</td>
              <td className="num">
                {g.hashing} of {g.machines}
              </td>
              <td className="num">{hashrate(g.active_ths).join(' ')}</td>
              <td className="num" title={g.nameplate ? 'of the nameplate' : 'measured'}>
                {fixed(g.efficiency_j_per_th, 1)}
                {g.nameplate ? '*' : ''}
              </td>
              <td className="num">{g.age_days} d</td>
              <td className="num">{money(g.power_per_mwh)}</td>
              <td className="num">{money(g.hashcost)}</td>
              <td className={'num' + ((g.margin ?? 0) < 0 ? ' bad' : '')}>{money(g.margin)}</td>
              <td className="num">{money(g.break_even_power_per_mwh)}</td>
              <td className="num">{money(g.break_even_price, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="said">Hashcost here is power alone, a PH/s and day. J/TH is measured at the wall over the machines that hash now{rows.some((g) => g.nameplate) ? '; * is of the nameplate' : ''}.</p>
    </div>
  )
}

export { Opens }

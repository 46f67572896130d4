import { Button, Loader, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useId, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Forbidden, Trouble } from '../../parts/Trouble'
import { Hardware } from './Hardware'
import { Simulated, Wide } from './parts'
import { Progress, type Scenario, useRun } from './run'
import { at, change, share, times, usd } from './words'

function Knob({ name, value, onChange, min, max, step, show, note }: { name: string; value: number; onChange: (v: number) => void; min: number; max: number; step: number; show: (v: number) => string; note?: string }) {
  const id = useId()
  return (
    <div className="knob">
      <label htmlFor={id}>
        {name} <output htmlFor={id}>{show(value)}</output>
      </label>
      <input id={id} type="range" min={min} max={max} step={step} value={value} onChange={(e) => onChange(Number(e.currentTarget.value))} />
      {note && <small>{note}</small>}
    </div>
  )
}

const signed = (v: number) => (v === 0 ? 'none' : change(v, 0))
const part = (v: number) => share(v, 0)

/** Shocks and treasury policies, against the company as it is. */
export function StressPage() {
  const may = useMay('money')
  const base = useQuery({ queryKey: ['outlook'], queryFn: ({ signal }) => ask<Schema['OutlookBase']>('GET', '/outlook', undefined, signal), enabled: may })
  const [s, setS] = useState<Scenario>()
  useEffect(() => {
    if (base.data && !s) setS({ ...base.data.scenario, levers: [], paths: 5_000 })
  }, [base.data, s])
  const plain = useRun()
  const hard = useRun()
  if (!may) return <Forbidden title="Stress" right="money" />
  const b = base.data
  const m = s?.market ?? {}
  const p = s?.policy ?? {}
  const market = (x: Partial<NonNullable<Scenario['market']>>) => s && setS({ ...s, market: { ...m, ...x } })
  const policy = (x: Partial<NonNullable<Scenario['policy']>>) => s && setS({ ...s, policy: { ...p, ...x } })
  const play = async () => {
    if (!s || !b) return
    await plain.start({ ...s, market: { ...m, price_shock: 0, difficulty_shock: 0, power_shock: 0 }, policy: b.scenario.policy }, { name: 'stress' })
    await hard.start(s, { name: 'stress' })
  }
  const line = p.borrow?.most_usd ?? 0
  const big = Math.max(1000, Math.round((b?.scenario.company.cash_usd ?? 0) / 1000) * 1000)
  return (
    <Page title="Stress" note="What a shock does to the company, and what a treasury policy does about it. The same futures are played without the shock and with today's policy.">
      {base.error && <Trouble what="The company cannot be read" error={base.error} again={() => void base.refetch()} />}
      {base.isPending && <Loader aria-label="loading" />}
      {b?.example && <Simulated what="This company is an example on the simulated site's live machines: no such company, debt or market exists." />}
      {b && !b.ready && (
        <Empty title="It cannot be played as it is">
          {(b.missing ?? []).map((x) => (
            <div key={x.what}>
              <b>{x.what}</b>: {x.why}
            </div>
          ))}
        </Empty>
      )}
      {s && b?.ready && (
        <>
          <h2 className="part">Shocks, at once</h2>
          <div className="knobs">
            <Knob name="Price of a bitcoin" min={-0.8} max={0.5} step={0.05} value={m.price_shock ?? 0} onChange={(v) => market({ price_shock: v })} show={signed} note="2018: −84 % within a year" />
            <Knob name="Difficulty" min={-0.5} max={1} step={0.05} value={m.difficulty_shock ?? 0} onChange={(v) => market({ difficulty_shock: v })} show={signed} note="2021, a ban: −45 %" />
            <Knob name="Power price" min={-0.5} max={2} step={0.05} value={m.power_shock ?? 0} onChange={(v) => market({ power_shock: v })} show={signed} />
          </div>
          <h2 className="part">Treasury policy</h2>
          <div className="knobs">
            <Knob name="Sell of each day's coins" min={0} max={1} step={0.05} value={p.sell ?? 0} onChange={(v) => policy({ sell: v })} show={part} />
            <Knob name="Cover of each day's payments" min={0} max={1} step={0.05} value={p.cover ?? 0} onChange={(v) => policy({ cover: v })} show={part} note="by selling coins, and hold the rest" />
            <Knob name="Floor of cash" min={0} max={4 * big} step={big / 10} value={p.floor_usd ?? 0} onChange={(v) => policy({ floor_usd: v })} show={usd} note="under it coins are sold" />
            <Knob name="Credit line on coins" min={0} max={4 * big} step={big / 10} value={line} onChange={(v) => policy({ borrow: v > 0 ? { most_usd: v, initial_ltv: 0.5, call_ltv: 0.7, liquidation_ltv: 0.85, cure_days: 2, rate: 0.105 } : undefined })} show={usd} note="drawn before coins are sold; 50 % of their value, call at 70 %, sold at 85 %" />
            <Knob name="Hashprice fixed forward" min={0} max={1} step={0.05} value={p.forward ?? 0} onChange={(v) => policy({ forward: v })} show={part} note="at today's hashprice before the shock" />
            <Knob name="Power fixed forward" min={0} max={1} step={0.05} value={p.power_forward ?? 0} onChange={(v) => policy({ power_forward: v })} show={part} note="at today's price" />
          </div>
          <Button size="xs" onClick={() => void play()} loading={plain.playing || hard.playing}>
            Play
          </Button>
          {(plain.error || hard.error) && <Trouble what="It could not be played" error={(plain.error ?? hard.error)!} />}
          <Progress run={hard.run && hard.playing ? hard.run : plain.playing ? plain.run : hard.run?.state === 'failed' ? hard.run : undefined} paths={s.paths ?? 0} onCancel={() => void Promise.all([plain.cancel(), hard.cancel()])} />
          {plain.run?.outcome && hard.run?.outcome ? <Table a={plain.run.outcome} b={hard.run.outcome} /> : !plain.playing && !hard.playing && <Text fz="sm" c="dimmed" mt={8}>Set a shock or a policy and press Play.</Text>}
        </>
      )}
      {b && <Hardware power={b.scenario.company.power_usd_mwh || 45} />}
    </Page>
  )
}

function Table({ a, b }: { a: Schema['PlayOutcome']; b: Schema['PlayOutcome'] }) {
  const rows: [string, string, string, string?][] = [
    ['Ratio on the first day', times(a.start.ratio), times(b.start.ratio), 'machines follow hashprice at once'],
    ['Hashprice on the first day, $/PH/day', times(a.start.hashprice_usd), times(b.start.hashprice_usd)],
    ['Earned less power, a day', usd(a.start.revenue_usd_day - a.start.power_usd_day), usd(b.start.revenue_usd_day - b.start.power_usd_day), 'machines that do not earn their power stand still'],
    [`Ratio on ${b.scenario.to}, median`, times(at(a.result.ratio, 0.5)?.value), times(at(b.result.ratio, 0.5)?.value)],
    ['nine in ten under', times(at(a.result.ratio, 0.95)?.value), times(at(b.result.ratio, 0.95)?.value)],
    [`Chance under ${b.scenario.line}`, share(a.result.under_line.p), share(b.result.under_line.p)],
    ['Default', share(a.result.default.p), share(b.result.default.p), `± ${share(b.result.default.error, 2)}`],
    ['Distress', share(a.result.distress.p), share(b.result.distress.p)],
    ['Lowest liquidity, median', usd(at(a.result.lowest, 0.5)?.value), usd(at(b.result.lowest, 0.5)?.value)],
    ['one in twenty under', usd(at(a.result.lowest, 0.05)?.value), usd(at(b.result.lowest, 0.05)?.value)],
  ]
  const cascade: [string, string, string, string?][] = [
    ['1. Hashprice falls: median on the last day', times(at(a.result.hashprice, 0.5)?.value), times(at(b.result.hashprice, 0.5)?.value), '$/PH/day'],
    ['2. Machines stand still: a retarget of −5 % or worse', share(a.result.shrinks.p), share(b.result.shrinks.p)],
    ['3. Coins fall under their loans: a margin call', share(a.result.called.p), share(b.result.called.p)],
    ['4. The company cannot pay', share(a.result.default.p), share(b.result.default.p)],
    ['5. Its machines are sold into that market: lenders get back, median', share(at(a.result.recovery, 0.5)?.value, 0), share(at(b.result.recovery, 0.5)?.value, 0)],
    ['6. The network: difficulty a fifth under its peak', share(a.result.falls.p), share(b.result.falls.p), 'sold machines run again with new owners'],
  ]
  const body = (list: typeof rows) =>
    list.map(([name, x, y, note]) => (
      <tr key={name}>
        <th scope="row" className="say">
          {name}
          {note && <div className="dim" style={{ fontSize: 12 }}>{note}</div>}
        </th>
        <td className="num">{x}</td>
        <td className="num">
          <b>{y}</b>
        </td>
      </tr>
    ))
  const head = (
    <thead>
      <tr>
        <th scope="col" />
        <th scope="col" className="num">
          As it is
        </th>
        <th scope="col" className="num">
          With shocks and policy
        </th>
      </tr>
    </thead>
  )
  return (
    <div className="sides" style={{ marginTop: 12 }}>
      <section aria-label="What it does">
        <h2 className="part">What it does to the company</h2>
        <Wide label="Stress" testid="stress-table">
          {head}
          <tbody>{body(rows)}</tbody>
        </Wide>
      </section>
      <section aria-label="The cascade">
        <h2 className="part">The cascade, step by step</h2>
        <Wide label="Cascade" testid="cascade">
          {head}
          <tbody>{body(cascade)}</tbody>
        </Wide>
      </section>
    </div>
  )
}

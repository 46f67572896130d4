import { Alert, Anchor, Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Page } from '../../parts/Page'
import { useEdit } from '../../parts/useEdit'
import { Drop } from './Cash'
import { Inputs, Waiting, Whose } from './parts'
import { day, sign } from './words'

type Body = Schema['DebtTerms']
type T = Schema['DeskTerms']

/** What the company's figures are reckoned with. */
export function TermsPage() {
  const q = useQuery({ queryKey: ['debt', 'terms'], queryFn: ({ signal }) => ask<Body>('GET', '/debt/terms', undefined, signal), retry: false })
  return (
    <Page title="Terms" note="What the figures of the other pages are reckoned with: the company, power, the market where no feed tells it, and the assumptions of the models.">
      <div className="debt">
        <Waiting pending={q.isPending} error={q.data ? null : q.error} what="The terms cannot be shown" again={() => void q.refetch()} />
        {q.data && <Whose of={q.data} />}
        {q.data && <Form d={q.data} />}
      </div>
    </Page>
  )
}

/** Fields as they are typed: path, label, what kind, hint. */
const parts: { title: string; says: string; fields: [keyof T, string, 'text' | 'number' | 'money' | 'rate', string?][] }[] = [
  { title: 'Company', says: '', fields: [['company', 'Name', 'text'], ['currency', 'Currency', 'text', 'such as USD'], ['uptime', 'Uptime', 'number', 'share of time, 0.97'], ['overhead', 'Overhead (PUE)', 'number', '1 when power is priced at the machine'], ['cash_floor', 'Cash floor', 'money', 'bitcoin is sold to stay over it'], ['sell_share', 'Sold of production', 'rate'], ['depreciation', 'Depreciation a month', 'money', 'book'], ['other_assets', 'Other assets', 'money', 'sites and contracts, at what they would bring'], ['share_price', 'Share price', 'money', 'leaves out convertibles in the money']] },
  { title: 'Valuation of hashpower', says: 'Replacement takes new machines of this efficiency; liquidation takes forced sales of the last year, else the index less the discount; the option value takes volatility, drift and life.', fields: [['new_efficiency_jth', 'New machines, J/TH', 'number'], ['landing', 'Freight, duty and tax', 'rate'], ['install_per_th', 'Installation per TH/s', 'number'], ['forced_discount', 'Discount of a forced sale', 'rate'], ['removal_per_th', 'Taking down per TH/s', 'number'], ['life_months', 'Life of a machine, months', 'number', 'from when it was first seen'], ['hashprice_vol', 'Volatility of hashprice', 'rate', 'a year'], ['price_vol', 'Volatility of bitcoin', 'rate', 'a year'], ['risk_free', 'Risk-free rate', 'rate', 'continuous'], ['rig_beta', 'Elasticity of machine prices', 'number', 'on hashprice']] },
  { title: 'Paths', says: 'Days to a covenant’s breach follow price and hashprice drift; the cash plan follows the growth of difficulty at each retarget.', fields: [['price_drift', 'Drift of the price', 'rate', 'a year'], ['hashprice_drift', 'Drift of hashprice beside it', 'rate', 'what difficulty takes'], ['difficulty_year', 'Growth of difficulty', 'rate', 'a year']] },
]

const names: Record<string, string> = { ...Object.fromEntries(parts.flatMap((p) => p.fields.map(([k, label]) => [k, label]))), 'm.price': 'Price of a bitcoin', 'm.difficulty': 'Difficulty', 'm.fee_share': "Fees' share of a block", 'm.height': 'Height of the chain', 'm.on': 'They are of', 'm.source': 'Read at' }

/** The terms as the form has them: every field as it is typed. */
function draftOf(d: Body): Record<string, string> {
  const t = d.terms
  const bare = (m: unknown) => String(m ?? '').replace(/^[^\d-]+/, '').replace(t.currency, '').trim()
  const out: Record<string, string> = {}
  for (const p of parts) for (const [k, , kind] of p.fields) out[k] = kind === 'money' ? bare(t[k]) : String(t[k] ?? '')
  const m = t.market
  Object.assign(out, { 'm.price': bare(m?.price), 'm.difficulty': m?.difficulty ? String(m.difficulty) : '', 'm.fee_share': m?.fee_share ?? '', 'm.height': m?.height ? String(m.height) : '', 'm.on': m?.on ?? d.day, 'm.source': m?.source ?? '' })
  for (const s of ['*', ...(d.sites ?? [])]) out[`p.${s}`] = (t.power?.[s] ?? '').replace('/MWh', '').replace(/^[^\d-]+/, '')
  return out
}

function Form({ d }: { d: Body }) {
  const queries = useQueryClient()
  const { terms: t } = d
  const code = t.currency
  const sites = ['*', ...(d.sites ?? [])]
  const [v, setV] = useState(() => draftOf(d))
  const edit = useEdit<Body, Record<string, string>>({ was: d, version: (b) => b.rev, draftOf, draft: v, setDraft: setV, newest: () => ask<Body>('GET', '/debt/terms'), names })
  const set = (k: string) => (e: { currentTarget: { value: string } }) => setV({ ...v, [k]: e.currentTarget.value })
  const write = useMutation({
    mutationFn: () => {
      const cur = v.currency!.trim().toUpperCase()
      const money = (s: string | undefined) => (s?.trim() ? `${cur} ${s.replaceAll(',', '').trim()}` : undefined)
      const out: Record<string, unknown> = { example: t.example }
      for (const p of parts)
        for (const [k, , kind] of p.fields) {
          const s = v[k]?.trim()
          if (s) out[k] = kind === 'money' ? money(s) : kind === 'number' ? Number(s) : s
        }
      out.currency = cur
      const power: Record<string, string> = {}
      for (const s of sites) if (v[`p.${s}`]?.trim()) power[s] = `${cur} ${v[`p.${s}`]!.trim()}/MWh`
      if (Object.keys(power).length) out.power = power
      if (v['m.price'] || v['m.difficulty']) out.market = { price: money(v['m.price']), difficulty: Number(v['m.difficulty']) || undefined, fee_share: v['m.fee_share'] || undefined, height: Number(v['m.height']) || undefined, on: v['m.on'], source: v['m.source'] || undefined }
      return ask<Body>('PUT', '/debt/terms', { terms: out }, undefined, edit.headers)
    },
    onSuccess: (saved) => {
      edit.rebase(saved)
      setV(draftOf(saved))
      void queries.invalidateQueries({ queryKey: ['debt'] })
    },
  })
  const drop = useMutation({ mutationFn: (x: { id: number; rig: boolean }) => ask('DELETE', x.rig ? `/market/rigs/${x.id}` : `/debt/entries/${x.id}?seen=${d.rev}`), onSuccess: () => Promise.all([edit.load(true), queries.invalidateQueries({ queryKey: ['debt'] })]) })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    write.mutate()
  }
  return (
    <>
      <form onSubmit={submit}>
        <Stack gap="lg">
          {parts.map((p) => (
            <section key={p.title}>
              <h2 className="part">{p.title}</h2>
              {p.says && <p className="said">{p.says}</p>}
              <div className="formgrid">
                {p.fields.map(([k, label, kind, hint]) => (
                  <TextInput key={k} label={label} description={hint} value={v[k] ?? ''} onChange={set(k)} inputMode={kind === 'number' || kind === 'money' ? 'decimal' : undefined} leftSection={kind === 'money' ? sign(code) : undefined} placeholder={kind === 'rate' ? '10%' : undefined} />
                ))}
              </div>
            </section>
          ))}
          <section>
            <h2 className="part">Power</h2>
            <p className="said">What a MWh costs at each site's meter. A site with an electricity contract of its own takes that; a price entered for the very site goes before it.</p>
            <div className="formgrid">
              {sites.map((s) => (
                <TextInput key={s} label={s === '*' ? 'All other sites' : s} value={v[`p.${s}`] ?? ''} onChange={set(`p.${s}`)} inputMode="decimal" leftSection={sign(code)} rightSection={<Text fz="xs">/MWh</Text>} rightSectionWidth={52} />
              ))}
            </div>
          </section>
          <section>
            <h2 className="part">The market, by hand</h2>
            <p className="said">Used where no feed tells a number, or tells an older one. What is in force now stands below.</p>
            <div className="formgrid">
              <TextInput label="Price of a bitcoin" value={v['m.price']} onChange={set('m.price')} inputMode="decimal" leftSection={sign(code)} />
              <TextInput label="Difficulty" value={v['m.difficulty']} onChange={set('m.difficulty')} inputMode="decimal" placeholder="128400000000000" />
              <TextInput label="Fees' share of a block" value={v['m.fee_share']} onChange={set('m.fee_share')} placeholder="1.2%" />
              <TextInput label="Height of the chain" value={v['m.height']} onChange={set('m.height')} inputMode="numeric" />
              <TextInput label="They are of" type="date" value={v['m.on']} onChange={set('m.on')} />
              <TextInput label="Read at" value={v['m.source']} onChange={set('m.source')} placeholder="which site or terminal" />
            </div>
            <div style={{ maxWidth: 760 }}>
              <Inputs all={d.market ?? []} />
            </div>
          </section>
          {edit.says(write.error, write.reset) ??
            (write.error && (
              <Alert color="red" role="alert" title="Nothing was changed">
                <Text fz="sm" style={{ whiteSpace: 'pre-line' }}>
                  {write.error.message}
                </Text>
              </Alert>
            ))}
          {write.isSuccess && <Alert color="green" role="status">Saved. All figures are reckoned with it.</Alert>}
          <Group>
            <Button type="submit" loading={write.isPending}>
              Save the terms
            </Button>
            <Text fz="xs" c="dimmed">
              {d.source.what && `Those in force were entered ${d.source.what}.`}
            </Text>
          </Group>
        </Stack>
      </form>
      {drop.error && (
        <Alert color="red" role="alert" mt="md">
          {drop.error.message}
        </Alert>
      )}
      <h2 className="part">Prices of machines</h2>
      <p className="said">
        Valuation at index, replacement and liquidation takes these.{' '}
        <Anchor component={Link} to="/money/import" search={{ kind: 'machine-prices' } as never} fz="sm" underline="always">
          Import prices
        </Anchor>
      </p>
      <Small head={['Day', 'Tier', '#Price', 'Kind', 'From', '']} rows={(d.machine_prices ?? []).map((p) => [day(p.on), p.tier, p.price, p.kind, p.source, <Drop key="d" what={`the price of ${p.tier} on ${p.on}`} go={() => drop.mutate({ id: p.id, rig: true })} />])} />
      <h2 className="part">Reference rates</h2>
      <p className="said">
        Facilities on an index take the rate of the day their period begins.{' '}
        <Anchor component={Link} to="/money/import" search={{ kind: 'rates' } as never} fz="sm" underline="always">
          Import rates
        </Anchor>
      </p>
      <Small head={['Index', 'Day', '#Rate', 'From', '']} rows={(d.rates ?? []).map((p) => [p.name, day(p.on), p.rate, p.source.what, <Drop key="d" what={`${p.name} of ${p.on}`} go={() => drop.mutate({ id: p.id, rig: false })} />])} />
    </>
  )
}

function Small({ head, rows }: { head: string[]; rows: React.ReactNode[][] }) {
  if (!rows.length) return <Text fz="sm">None is entered.</Text>
  return (
    <div className="gridtable" tabIndex={0} role="region" aria-label={head.join(', ')}>
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
        <tbody>
          {rows.map((r, i) => (
            <tr key={i}>
              {r.map((c, k) => (
                <td key={head[k]} className={head[k]!.startsWith('#') ? 'num' : ''}>
                  {c}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

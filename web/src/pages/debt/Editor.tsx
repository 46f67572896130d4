import { Alert, Button, Checkbox, Group, NativeSelect, NumberInput, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useEdit } from '../../parts/useEdit'
import type { FacilityBody } from './Facility'
import { type Company, day } from './words'

type Facility = Schema['DebtFacility']
type Covenant = Schema['DebtCovenant']

const kinds = ['asic-backed', 'btc-collateralised', 'convertible', 'equipment', 'lease', 'hosting-prepayment', 'non-recourse-spv', 'corporate']
const metrics = ['dscr', 'icr', 'coin-ltv', 'machine-ltv', 'liquidity', 'runway-months', 'leverage', 'hashrate-debt']

/** What the form holds: everything as it is typed. */
interface Draft {
  id: string
  name: string
  lender: string
  obligor: string
  guarantor: string
  kind: string
  purpose: string
  recourse: string
  principal: string
  drawn: string
  maturity: string
  fixed: string
  index: string
  margin: string
  floor: string
  cap: string
  day_count: string
  shape: string
  months: string
  interest_only: number
  balloon: string
  shares: string
  advance: boolean
  upfront: string
  exit: string
  annual: string
  coins: string
  ths: string
  jth: string
  initial: string
  call: string
  liquidate: string
  cure: number
  convert: string
  cross: string
  threshold: string
  source: string
  covenants: Covenant[]
}

const bare = (m: string | undefined, code: string) => (m ?? '').replace(/^[^\d-]+/, '').replace(code, '').trim()

function draftOf(f: Facility | undefined, currency: string): Draft {
  const fee = (k: string) => f?.fees?.find((x) => x.kind === k)?.rate ?? ''
  const coins = f?.secured?.find((c) => c.kind === 'btc')
  const rigs = f?.secured?.find((c) => c.kind === 'machines')
  return {
    id: f?.id ?? '', name: f?.name ?? '', lender: f?.lender ?? '', obligor: f?.obligor ?? '', guarantor: f?.guarantor ?? '',
    kind: f?.kind ?? 'asic-backed', purpose: f?.purpose ?? 'mining', recourse: f?.recourse ?? 'full',
    principal: bare(f?.principal, currency), drawn: f?.drawn ?? '', maturity: f?.maturity ?? '',
    fixed: f?.interest.fixed ?? '', index: f?.interest.index ?? '', margin: f?.interest.margin ?? '', floor: f?.interest.floor ?? '', cap: f?.interest.cap ?? '', day_count: f?.interest.day_count ?? 'ACT/360',
    shape: f?.repayment.shape ?? 'linear', months: String(f?.repayment.months ?? 1), interest_only: f?.repayment.interest_only ?? 0, balloon: bare(f?.repayment.balloon, currency), shares: (f?.repayment.shares ?? []).join('; '), advance: f?.repayment.advance ?? false,
    upfront: fee('upfront'), exit: fee('exit'), annual: fee('annual'),
    coins: bare(coins?.coins, 'BTC'), ths: rigs?.hashrate_ths ? String(rigs.hashrate_ths) : '', jth: rigs?.efficiency_jth ? String(rigs.efficiency_jth) : '',
    initial: f?.margin?.initial ?? '', call: f?.margin?.call ?? '', liquidate: f?.margin?.liquidate ?? '', cure: f?.margin?.cure_days ?? 0,
    convert: bare(f?.convert?.price, currency), cross: [...(f?.cross?.any ? ['any'] : []), ...(f?.cross?.of ?? [])].join('; '), threshold: bare(f?.cross?.threshold, currency), source: f?.source ?? '', covenants: [...(f?.covenants ?? [])],
  }
}

/** The facility that the form says; what it has no field for stays as it was. */
function facilityOf(v: Draft, old: Facility | undefined, currency: string): Record<string, unknown> {
  const money = (s: string, code = currency) => (s.trim() ? `${code} ${s.replaceAll(',', '').trim()}` : undefined)
  const rate = (s: string) => s.trim() || undefined
  const list = (s: string) => s.split(';').map((x) => x.trim()).filter(Boolean)
  const fees = [
    ...(['upfront', 'exit', 'annual'] as const).flatMap((kind) => {
      const was = old?.fees?.find((f) => f.kind === kind)
      return rate(v[kind]) || was?.amount ? [{ kind, rate: rate(v[kind]), amount: was?.amount }] : []
    }),
    ...(old?.fees ?? []).filter((f) => f.kind === 'sweep'),
  ]
  const secured = [
    ...(v.coins.trim() ? [{ kind: 'btc', coins: money(v.coins, 'BTC') }] : []),
    ...(v.ths.trim() ? [{ kind: 'machines', hashrate_ths: Number(v.ths), efficiency_jth: Number(v.jth) }] : []),
    ...(old?.secured ?? []).filter((c) => c.kind !== 'btc' && c.kind !== 'machines'),
  ]
  const cross = list(v.cross)
  return {
    id: v.id.trim(), name: v.name.trim(), lender: v.lender || undefined, obligor: v.obligor || undefined, guarantor: v.guarantor || undefined, kind: v.kind, purpose: v.purpose, recourse: v.recourse,
    principal: money(v.principal) ?? `${currency} 0`, drawn: v.drawn, maturity: v.maturity,
    interest: { fixed: rate(v.index ? '' : v.fixed), index: v.index || undefined, margin: v.index ? rate(v.margin) : undefined, floor: v.index ? rate(v.floor) : undefined, cap: v.index ? rate(v.cap) : undefined, day_count: v.day_count },
    repayment: { shape: v.shape, months: Number(v.months), interest_only: v.interest_only || undefined, balloon: money(v.balloon), shares: v.shape === 'stated' ? list(v.shares) : undefined, sweep: old?.repayment.sweep, capitalised: old?.repayment.capitalised, advance: v.advance || undefined },
    fees: fees.length ? fees : undefined,
    secured: secured.length ? secured : undefined,
    margin: v.call || v.liquidate ? { initial: v.initial, call: v.call, liquidate: v.liquidate, cure_days: v.cure } : undefined,
    convert: v.kind === 'convertible' ? { ...old?.convert, price: money(v.convert) ?? `${currency} 0` } : undefined,
    cross: cross.length || v.threshold ? { any: cross.includes('any') || undefined, of: cross.filter((x) => x !== 'any'), threshold: money(v.threshold) } : undefined,
    covenants: v.covenants.length ? v.covenants : undefined,
    source: v.source || undefined,
  }
}

/** What an edit is made from. */
interface Basis {
  rev: number
  facility?: Facility
}

/** A facility to fill in or change: its schedule first, then it is saved. */
export function Editor({ company, facility, taken = [], onDone }: { company: Company; facility?: Facility; taken?: string[]; onDone: (id?: string) => void }) {
  const queries = useQueryClient()
  const currency = facility ? (/^[A-Z]{3}/.exec(facility.principal)?.[0] ?? company.currency) : company.currency
  const [v, setV] = useState<Draft>(() => draftOf(facility, currency))
  // The whole book has one revision: of a new facility, too.
  const edit = useEdit<Basis, Draft>({
    was: { rev: company.rev, facility },
    version: (b) => b.rev,
    draftOf: (b) => draftOf(b.facility, currency),
    draft: v,
    setDraft: (d) => {
      setV(d)
      preview.reset()
    },
    newest: () => (facility ? ask<FacilityBody>('GET', `/debt/facilities/${encodeURIComponent(facility.id)}`) : ask<Company>('GET', '/debt/facilities').then((c) => ({ rev: c.rev }))),
  })
  const put = (k: keyof Draft, value: unknown) => {
    setV({ ...v, [k]: value })
    preview.reset()
    write.reset()
  }
  const text = (k: keyof Draft, label: string, more: Record<string, unknown> = {}) => <TextInput label={label} value={v[k] as string} onChange={(e) => put(k, e.currentTarget.value)} {...more} />
  const pick = (k: keyof Draft, label: string, data: (string | { value: string; label: string })[]) => <NativeSelect label={label} data={data} value={v[k] as string} onChange={(e) => put(k, e.currentTarget.value)} />
  const send = (preview: boolean) => ask<FacilityBody>('PUT', `/debt/facilities/${encodeURIComponent(v.id.trim())}`, { preview, facility: facilityOf(v, edit.basis?.facility, currency) }, undefined, edit.headers)
  const preview = useMutation({ mutationFn: () => send(true) })
  const write = useMutation({
    mutationFn: () => send(false),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['debt'] })
      onDone(v.id.trim())
    },
  })
  const clash = !facility && taken.includes(v.id.trim())
  const submit = (e: FormEvent) => {
    e.preventDefault()
    preview.mutate()
  }
  const p = preview.data
  const rows = p?.schedule ?? []
  const failed = preview.error ?? write.error
  return (
    <form onSubmit={submit} data-testid="editor">
      <Stack gap="md">
        <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
          <legend className="hidden">Who and what</legend>
          <div className="formgrid">
            {text('id', 'Id', { required: true, disabled: !!facility, error: clash && 'is taken: open that facility to change it', description: 'short, such as machine-loan' })}
            {text('name', 'Name', { required: true })}
            {text('lender', 'Lender')}
            {pick('kind', 'Kind', kinds)}
            {pick('purpose', 'For', [{ value: 'mining', label: 'mining' }, { value: 'ai', label: 'AI' }, { value: 'general', label: 'general' }])}
            {pick('recourse', 'Recourse', ['full', 'limited', 'none'])}
            {text('obligor', 'Owed by', { placeholder: 'the parent' })}
            {text('source', 'Document', { placeholder: 'loan agreement of 2026-01-15' })}
          </div>
        </fieldset>
        <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
          <legend className="hidden">Amount, rate and repayment</legend>
          <div className="formgrid">
            {text('principal', `Principal, ${currency}`, { required: true, inputMode: 'decimal', placeholder: '25000000.00' })}
            {text('drawn', 'Drawn', { type: 'date', required: true })}
            {text('maturity', 'Matures', { type: 'date', required: true })}
            {text('fixed', 'Fixed rate', { placeholder: '11.5%', disabled: !!v.index })}
            {text('index', 'or index', { placeholder: 'SOFR' })}
            {v.index && text('margin', 'Margin', { placeholder: '4.5%' })}
            {v.index && text('floor', 'Floor', { placeholder: '3.25%' })}
            {v.index && text('cap', 'Cap')}
            {pick('day_count', 'Day count', ['ACT/360', 'ACT/365', 'ACT/ACT', '30/360', '30E/360', '1/period'])}
            {pick('shape', 'Repaid', [{ value: 'linear', label: 'in equal parts of principal' }, { value: 'annuity', label: 'in level payments' }, { value: 'bullet', label: 'all at the end' }, { value: 'stated', label: 'in stated shares' }])}
            {pick('months', 'Every', [{ value: '1', label: 'month' }, { value: '3', label: 'quarter' }, { value: '6', label: 'half year' }, { value: '12', label: 'year' }])}
            {v.shape === 'stated' && text('shares', 'Shares', { placeholder: '12.5%; 12.5%' })}
            <NumberInput label="Payments without principal" min={0} max={600} value={v.interest_only} onChange={(n) => put('interest_only', Number(n) || 0)} />
            {(v.shape === 'linear' || v.shape === 'annuity') && text('balloon', 'Balloon', { inputMode: 'decimal' })}
            {text('upfront', 'Upfront fee', { placeholder: '1.5%' })}
            {text('exit', 'Exit fee')}
            {text('annual', 'Annual fee')}
            {v.kind === 'convertible' && text('convert', `Conversion price, ${currency}`, { required: true, inputMode: 'decimal' })}
          </div>
          <Checkbox mt="xs" label="paid in advance of each period" checked={v.advance} onChange={(e) => put('advance', e.currentTarget.checked)} />
        </fieldset>
        <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
          <legend>
            <Text fw={600} fz="sm">
              What secures it
            </Text>
          </legend>
          <div className="formgrid">
            {text('coins', 'Bitcoin', { inputMode: 'decimal' })}
            {text('ths', 'Machines, TH/s', { inputMode: 'decimal' })}
            {v.ths && text('jth', 'of J/TH', { inputMode: 'decimal', required: true })}
            {v.coins && text('initial', 'Initial loan to value', { placeholder: '60%' })}
            {v.coins && text('call', 'Called at', { placeholder: '75%' })}
            {v.coins && text('liquidate', 'Sold at', { placeholder: '85%' })}
            {text('cross', 'Falls due with', { placeholder: 'any, or ids; …' })}
            {v.cross && text('threshold', 'from an amount of', { inputMode: 'decimal' })}
          </div>
        </fieldset>
        <CovenantRows all={v.covenants} onChange={(c) => put('covenants', c)} />
        {edit.says(failed, write.reset) ??
          (failed && (
            <Alert color="red" role="alert" title="Not right yet">
              <Text fz="sm" style={{ whiteSpace: 'pre-line' }}>
                {failed.message}
              </Text>
            </Alert>
          ))}
        {p && rows.length > 0 && (
          <Alert color="blue" title="Its schedule" data-testid="schedule-preview">
            <Text fz="sm">
              {rows.length - 1} payments, the first {rows[1] && `${rows[1].cash.text} on ${day(rows[1].due)}`}, the last {rows.at(-1)!.cash.text} on {day(rows.at(-1)!.due)}. Owed today: {p.row.balance.text}; due in a year: {p.row.due_in_a_year.text}.
            </Text>
          </Alert>
        )}
        {p?.row.trouble && <Alert color="orange">It has no schedule yet: {p.row.trouble}.</Alert>}
        <Group>
          <Button variant="default" onClick={() => onDone()}>
            Leave as it is
          </Button>
          <Button type="submit" variant={p ? 'default' : 'filled'} loading={preview.isPending} disabled={clash}>
            Show the schedule
          </Button>
          <Button disabled={!p || clash} loading={write.isPending} onClick={() => write.mutate()}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function CovenantRows({ all, onChange }: { all: Covenant[]; onChange: (c: Covenant[]) => void }) {
  const change = (i: number, part: Partial<Covenant>) => onChange(all.map((c, k) => (k === i ? { ...c, ...part } : c)))
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
      <legend>
        <Text fw={600} fz="sm">
          Covenants
        </Text>
      </legend>
      <Stack gap="xs">
        {all.map((c, i) => (
          <Group key={i} gap="xs" align="flex-end">
            <TextInput label="Id" w={110} required value={c.id} onChange={(e) => change(i, { id: e.currentTarget.value })} />
            <NativeSelect label="Metric" data={metrics} value={c.metric} onChange={(e) => change(i, { metric: e.currentTarget.value })} />
            <NumberInput label={c.metric.endsWith('ltv') ? 'Limit (0.75 is 75 %)' : 'Limit'} w={130} required value={c.limit} onChange={(n) => change(i, { limit: Number(n) })} />
            <NumberInput label="Cure, days" w={100} min={0} value={c.cure_days ?? 0} onChange={(n) => change(i, { cure_days: Number(n) || undefined })} />
            <TextInput label="Of facility" w={130} placeholder="the company" value={c.facility ?? ''} onChange={(e) => change(i, { facility: e.currentTarget.value || undefined })} />
            <TextInput label="Clause" w={130} value={c.source ?? ''} onChange={(e) => change(i, { source: e.currentTarget.value || undefined })} />
            <Button size="xs" variant="default" onClick={() => onChange(all.filter((_, k) => k !== i))} aria-label={`Remove covenant ${c.id || i + 1}`}>
              Remove
            </Button>
          </Group>
        ))}
        <div>
          <Button size="xs" variant="default" onClick={() => onChange([...all, { id: `covenant-${all.length + 1}`, metric: 'dscr', limit: 1.1 }])}>
            Add a covenant
          </Button>
        </div>
      </Stack>
    </fieldset>
  )
}

import { Autocomplete, Button, Group, NativeSelect, NumberInput, PasswordInput, SegmentedControl, Slider, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { ask, newKey } from '../../api/client'
import { fixed, hashrate, power } from '../../format'
import { Confirm } from '../../parts/Confirm'
import { type Action, type Envelope, type Preview, type Wish, wishWords } from './actions'

/** Most machines that one request may name. */
export const mostAtOnce = 20_000

const watts = (w: number) => power(w).join(' ')
const ths = (h: number) => hashrate(h).join(' ')

/** What a command would change, line by line. */
export function effects(p: Preview, n: number): { name: string; value: string }[] {
  const out = [{ name: 'Take it', value: `${fixed(p.takes, 0)} of ${fixed(n, 0)} ${n === 1 ? 'machine' : 'machines'}` }]
  if (p.already > 0) out.push({ name: 'Read so already', value: fixed(p.already, 0) })
  if (p.silent > 0) out.push({ name: 'Do not answer now', value: `${fixed(p.silent, 0)}; tried until the deadline, not in the figures` })
  const unsure = p.power_unknown > 0 ? `; ${fixed(p.power_unknown, 0)} more, ${watts(p.power_unknown_w)} now, cannot be told` : ''
  out.push({ name: 'Power', value: `${watts(p.power_w - p.power_unknown_w)} → ${watts(p.power_after_w)}${unsure}` })
  const odd = p.hashrate_unknown > 0 ? `; ${fixed(p.hashrate_unknown, 0)} more, ${ths(p.hashrate_unknown_ths)} now, cannot be told` : ''
  out.push({ name: 'Hashrate', value: `${ths(p.hashrate_ths - p.hashrate_unknown_ths)} → ${ths(p.hashrate_after_ths)}${odd}${p.modelled ? ', reckoned at present J/TH' : ''}` })
  out.push({ name: 'Money', value: p.money_per_day ? `${p.money_per_day.startsWith('-') ? '' : '+'}${p.money_per_day} a day` : `not known: ${(p.missing ?? []).join(', ')} ${(p.missing ?? []).length === 1 ? 'is' : 'are'} missing` })
  return out
}

/** Asks for what a command needs, shows what it would change, asks once, and
 * hands on the batch that it became. */
export function CommandDialog({ action, machines, envelope, names, onClose, onGiven }: { action: Action; machines: number[]; envelope?: Envelope; names?: string; onClose: () => void; onGiven: (batch: string) => void }) {
  const queries = useQueryClient()
  const [wish, setWish] = useState<Wish>(() => start(action.kind, envelope))
  const [reason, setReason] = useState('')
  const [key] = useState(newKey)
  const [settled] = useDebouncedValue(wish, 250)
  const ready = complete(wish) && machines.length <= mostAtOnce
  const same = JSON.stringify(wish) === JSON.stringify(settled)
  const preview = useQuery({
    queryKey: ['preview', settled, machines],
    queryFn: ({ signal }) => ask<Preview>('POST', '/commands', { machines, setting: settled, preview: true }, signal),
    enabled: ready && same,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  })
  const give = useMutation({
    mutationFn: () => ask<Preview>('POST', '/commands', { machines, setting: wish, reason: reason || undefined }, undefined, { 'Idempotency-Key': key }),
    onSuccess: (p) => {
      void queries.invalidateQueries({ queryKey: ['machine'] })
      void queries.invalidateQueries({ queryKey: ['batches'] })
      if (p.batch) onGiven(p.batch)
    },
  })
  const p = ready && same ? preview.data : undefined
  const who = names ?? `${fixed(machines.length, 0)} machines`
  return (
    <Confirm
      opened
      title={`${action.title}: ${who}`}
      onClose={onClose}
      waiting={!ready ? hint(wish, machines.length) : undefined}
      effects={p ? effects(p, machines.length) : undefined}
      failed={preview.error}
      warning={p && p.takes > 0 ? action.warning : undefined}
      danger={action.danger}
      disabled={!p || p.takes === 0}
      button={p ? (p.takes === 0 ? 'None of them can' : machines.length === 1 ? action.verb : `${action.verb}: ${fixed(p.takes, 0)} machines`) : action.verb}
      busy={give.isPending}
      error={give.error}
      onConfirm={() => give.mutate()}
      inputs={<Inputs wish={wish} envelope={envelope} first={machines[0]} onWish={setWish} />}
    >
      {p && (p.reasons?.length ?? 0) > 0 && <Refusals reasons={p.reasons!} />}
      <TextInput size="sm" label="Reason" description="Stands in the record beside the command." value={reason} maxLength={500} onChange={(e) => setReason(e.currentTarget.value)} />
      {complete(wish) && action.kind !== 'sleep' && action.kind !== 'wake' && (
        <Text fz="xs" c="dimmed">
          {wishWords(wish.kind, wish)}. Done counts only once a later reading shows it.
        </Text>
      )}
    </Confirm>
  )
}

/** Who refuses, by the reason. */
export function Refusals({ reasons }: { reasons: { why: string; machines: number[] | null }[] }) {
  const all = reasons.reduce((n, r) => n + (r.machines?.length ?? 0), 0)
  return (
    <div data-testid="refusals">
      <Text fz="sm" fw={600} mt="sm">
        {fixed(all, 0)} cannot take it; nothing is sent to {all === 1 ? 'it' : 'them'}
      </Text>
      <ul className="plainlist">
        {reasons.slice(0, 8).map((r) => (
          <li key={r.why}>
            {fixed(r.machines?.length ?? 0, 0)}: {r.why}
          </li>
        ))}
        {reasons.length > 8 && <li>and {reasons.length - 8} more reasons</li>}
      </ul>
    </div>
  )
}

function start(kind: Wish['kind'], e?: Envelope): Wish {
  switch (kind) {
    case 'power':
      return { kind, power_w: Math.round(e?.power_default_w ?? e?.power_max_w ?? 3000) }
    case 'mode':
      return { kind, mode: 'normal' }
    case 'locate':
      return { kind, on: true }
    case 'pools':
      return { kind, pools: [{ url: '', user: '' }] }
  }
  return { kind }
}

function complete(w: Wish): boolean {
  switch (w.kind) {
    case 'power':
      return (w.power_w ?? 0) > 0
    case 'profile':
      return !!w.profile
    case 'pools':
      return (w.pools ?? []).length > 0 && w.pools!.every((p) => p.url.trim() && p.user.trim())
  }
  return true
}

function hint(w: Wish, n: number): string {
  if (n > mostAtOnce) return `One command goes to at most ${fixed(mostAtOnce, 0)} machines; choose fewer.`
  return w.kind === 'pools' ? 'Each pool needs an address and a worker.' : w.kind === 'profile' ? 'Name the profile to see what it changes.' : 'Say how much to see what it changes.'
}

function Inputs({ wish, envelope, first, onWish }: { wish: Wish; envelope?: Envelope; first?: number; onWish: (w: Wish) => void }) {
  switch (wish.kind) {
    case 'power':
      return <Watts wish={wish} envelope={envelope} onWish={onWish} />
    case 'profile':
      return <Profile wish={wish} envelope={envelope} first={first} onWish={onWish} />
    case 'mode':
      return <NativeSelect label="Mode" value={wish.mode} onChange={(e) => onWish({ ...wish, mode: e.currentTarget.value })} data={[{ value: 'low', label: 'low: efficient' }, { value: 'normal', label: 'normal' }, { value: 'high', label: 'high: most hashrate' }]} />
    case 'locate':
      return <SegmentedControl aria-label="Light" value={wish.on ? 'on' : 'off'} onChange={(v) => onWish({ ...wish, on: v === 'on' })} data={[{ value: 'on', label: 'On' }, { value: 'off', label: 'Off' }]} />
    case 'pools':
      return <Pools wish={wish} onWish={onWish} />
  }
  return null
}

function Watts({ wish, envelope, onWish }: { wish: Wish; envelope?: Envelope; onWish: (w: Wish) => void }) {
  const least = envelope?.power_min_w ?? undefined
  const most = envelope?.power_max_w ?? undefined
  return (
    <>
      <NumberInput label="At the wall, W" min={1} max={100_000} step={50} thousandSeparator="," value={wish.power_w} onChange={(v) => onWish({ ...wish, power_w: Number(v) || 0 })} description={least !== undefined && most !== undefined ? `This machine takes ${fixed(least, 0)} to ${fixed(most, 0)} W.` : 'Each machine has limits of its own; those that cannot are listed below.'} />
      {least !== undefined && most !== undefined && most > least && <Slider aria-label="Power limit" min={Math.ceil(least)} max={Math.floor(most)} step={10} value={Math.min(Math.max(wish.power_w ?? least, least), most)} onChange={(v) => onWish({ ...wish, power_w: v })} label={(v) => `${fixed(v, 0)} W`} />}
    </>
  )
}

function Profile({ wish, envelope, first, onWish }: { wish: Wish; envelope?: Envelope; first?: number; onWish: (w: Wish) => void }) {
  // One of the machines says which names there are; the preview says who knows the one chosen.
  const sample = useQuery({ queryKey: ['machine', String(first), 'envelope'], queryFn: ({ signal }) => ask<{ envelope?: Envelope }>('GET', `/machines/${first}`, undefined, signal), enabled: !envelope && first !== undefined, staleTime: 60_000 })
  const e = envelope ?? sample.data?.envelope
  const steps = (e?.steps ?? []).filter((s) => s.setting.kind === 'profile')
  if (envelope && steps.length > 0)
    return <NativeSelect label="Profile" value={wish.profile ?? ''} onChange={(ev) => onWish({ ...wish, profile: ev.currentTarget.value })} data={[{ value: '', label: 'Choose…' }, ...steps.map((s) => ({ value: s.setting.profile ?? '', label: [s.name, s.power_w != null && `${fixed(s.power_w, 0)} W`, s.hashrate_ths != null && `${fixed(s.hashrate_ths, 0)} TH/s`].filter(Boolean).join(' · ') }))]} />
  return <Autocomplete label="Profile" data={[...new Set(steps.map((s) => s.setting.profile ?? '').filter(Boolean))]} value={wish.profile ?? ''} onChange={(v) => onWish({ ...wish, profile: v })} description="By the name that the firmware gives it." />
}

function Pools({ wish, onWish }: { wish: Wish; onWish: (w: Wish) => void }) {
  const pools = useMemo(() => wish.pools ?? [], [wish.pools])
  const set = (i: number, next: Partial<(typeof pools)[number]>) => onWish({ ...wish, pools: pools.map((p, k) => (k === i ? { ...p, ...next } : p)) })
  return (
    <Stack gap="xs">
      {pools.map((p, i) => (
        // biome-ignore lint: pools have no name but their place
        <Group key={i} gap="xs" align="end" grow preventGrowOverflow={false}>
          <TextInput label={`Pool ${i + 1}`} placeholder="stratum+tcp://pool.example:3333" value={p.url} onChange={(e) => set(i, { url: e.currentTarget.value })} />
          <TextInput label="Worker" placeholder="account.worker" value={p.user} onChange={(e) => set(i, { user: e.currentTarget.value })} />
          <PasswordInput label="Password" value={p.password ?? ''} onChange={(e) => set(i, { password: e.currentTarget.value || undefined })} />
        </Group>
      ))}
      <Group gap="xs">
        {pools.length < 3 && (
          <Button size="compact-xs" variant="default" onClick={() => onWish({ ...wish, pools: [...pools, { url: '', user: '' }] })}>
            Another pool
          </Button>
        )}
        {pools.length > 1 && (
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => onWish({ ...wish, pools: pools.slice(0, -1) })}>
            Remove the last
          </Button>
        )}
      </Group>
      <Text fz="xs" c="dimmed">
        The list replaces what the machines have. A password is sent to the machines and not kept in the record.
      </Text>
    </Stack>
  )
}

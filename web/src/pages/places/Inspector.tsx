import { Anchor, Button, Group, NativeSelect, NumberInput, Stack, Text, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type Container, get, type Layout, nameOf, type PlacedMachine, put, type Rack, racksOf, release, type Slot, slotsOf } from './layout'
import type { Chosen, Problem } from './Plan'

interface Props {
  layout: Layout
  chosen: Chosen
  machines: readonly PlacedMachine[]
  machineIn: (key: string) => PlacedMachine | undefined
  problems: readonly Problem[]
  may: boolean
  change: (what: string, next: Layout) => void
  choose: (c: Chosen) => void
}

/** What is chosen, with its fields; what is wrong stands beside the field. */
export function Inspector(p: Props) {
  const { layout, chosen, machines, machineIn } = p
  const [path = '', slot] = chosen.split('#')
  if (chosen.startsWith('machine ')) {
    const m = machines.find((x) => x.id === Number(chosen.slice(8)))
    return m ? (
      <div className="panel">
        <MachineFacts m={m} />
      </div>
    ) : null
  }
  if (!chosen || chosen === 'site' || get(layout, path) === undefined) {
    return (
      <div className="panel">
        <Text fz="sm" c="dimmed">
          Choose a building, container, rack, slot or machine to see and change it. Drag it, or move it with the form that appears here.
        </Text>
      </div>
    )
  }
  if (slot) return <SlotPanel {...p} path={path} slot={Number(slot)} machine={machineIn(chosen)} />
  if (/racks\[\d+\]$/.test(path)) return <RackPanel {...p} path={path} />
  return <HolderPanel {...p} path={path} />
}

function MachineFacts({ m }: { m: PlacedMachine }) {
  return (
    <>
      <h2>
        <Anchor component={Link} to="/machines/$id" params={{ id: String(m.id) } as never} inherit>
          {m.name}
        </Anchor>
      </h2>
      <dl className="facts" style={{ gridTemplateColumns: '74px 1fr' }}>
        {[
          ['Model', m.model],
          ['Address', m.addr],
          ['MAC', m.mac],
          ['Serial', m.serial],
          ['Stands in', m.place],
        ].map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value || '–'}</dd>
          </div>
        ))}
      </dl>
      {m.placed === 'hand' && (
        <Text fz="xs" c="dimmed" mt={6}>
          Placed by hand: the layout does not move it.
        </Text>
      )}
    </>
  )
}

const names = (list: { name: string }[] | null | undefined, none: string) => [{ value: '', label: none }, ...(list ?? []).map((x) => ({ value: x.name, label: x.name }))]

/** Helps the panels read and write one field of what stands at a path. */
function fields({ layout, problems, may, change }: Props, path: string, label: string) {
  const of = <T,>(key: string) => get<T>(layout, `${path}.${key}`)
  return {
    of,
    set: (key: string, value: unknown) => change(`type ${label} ${key}`, put(layout, `${path}.${key}`, value === '' || value === undefined ? undefined : value)),
    wrong: (...keys: string[]) =>
      problems
        .filter((p) => keys.some((k) => p.at === `${path}.${k}`))
        .map((p) => p.what)
        .join('; ') || undefined,
    readOnly: !may,
  }
}

function SlotPanel(p: Props & { path: string; slot: number; machine?: PlacedMachine }) {
  const { layout, path, slot, machine, may, change } = p
  const at = racksOf(layout).find((r) => r.path === path)
  if (!at) return null
  const s = slotsOf(at.rack)[slot - 1]
  const set = (next: Partial<Slot>) => {
    const merged = { ...s, slot, ...next } as Slot
    const one: Slot = { slot, ...(merged.addr ? { addr: merged.addr } : {}), ...(merged.mac ? { mac: merged.mac } : {}), ...(merged.serial ? { serial: merged.serial } : {}), ...(merged.outlet ? { outlet: merged.outlet } : {}) }
    change(`type slot ${nameOf(at)}/${slot}`, put(layout, path, { ...at.rack, machines: [...(at.rack.machines ?? []).filter((m) => m.slot !== slot), one].toSorted((a, b) => a.slot - b.slot) }))
  }
  const i = at.rack.machines?.findIndex((m) => m.slot === slot) ?? -1
  const wrong = (key: string) => p.problems.find((x) => x.at === `${path}.machines[${i}].${key}` || (key === 'addr' && x.at === `${nameOf(at)}/${slot}`))?.what
  return (
    <div className="panel" data-testid="inspector">
      <h2>
        Slot {nameOf(at)}/{slot}
      </h2>
      {machine && <MachineFacts m={machine} />}
      <Stack gap={8} mt="sm">
        <TextInput size="xs" label="MAC" value={s?.mac ?? ''} readOnly={!may} error={wrong('mac')} onChange={(e) => set({ mac: e.currentTarget.value.trim() })} />
        <TextInput size="xs" label="Serial" value={s?.serial ?? ''} readOnly={!may} error={wrong('serial')} onChange={(e) => set({ serial: e.currentTarget.value.trim() })} />
        <TextInput size="xs" label="Address" value={s?.addr ?? ''} readOnly={!may} error={wrong('addr')} description={i < 0 && s?.addr ? "from the rack's addresses" : undefined} onChange={(e) => set({ addr: e.currentTarget.value.trim() })} />
        {at.rack.pdu && <NumberInput size="xs" label={`Outlet of ${at.rack.pdu}`} value={s?.outlet || slot} min={1} readOnly={!may} onChange={(v) => set({ outlet: Number(v) || undefined })} />}
        {may && machine && (
          <Button size="compact-xs" variant="default" onClick={() => change(`take ${machine.name} out`, release(layout, machine))}>
            Take the machine out
          </Button>
        )}
      </Stack>
    </div>
  )
}

function RackPanel(p: Props & { path: string }) {
  const { layout, path, may, change, choose } = p
  const rack = get<Rack>(layout, path)!
  const f = fields(p, path, `rack ${path}`)
  return (
    <div className="panel" data-testid="inspector">
      <h2>Rack {rack.name}</h2>
      <Stack gap={8}>
        <TextInput size="xs" label="Name" value={rack.name} readOnly={!may} error={f.wrong('name')} onChange={(e) => change(`type rack ${path} name`, put(layout, `${path}.name`, e.currentTarget.value))} />
        <Group grow gap="xs" align="flex-start">
          <NumberInput size="xs" label="Slots" value={rack.slots} min={1} max={10000} readOnly={!may} error={f.wrong('slots')} onChange={(v) => f.set('slots', Number(v) || 0)} />
          <NumberInput size="xs" label="Side by side" value={rack.columns ?? ''} min={0} readOnly={!may} error={f.wrong('columns')} onChange={(v) => f.set('columns', Number(v) || undefined)} />
        </Group>
        <TextInput size="xs" label="Addresses" placeholder="10.20.1.1-10.20.1.24" value={rack.addresses ?? ''} readOnly={!may} error={f.wrong('addresses')} onChange={(e) => f.set('addresses', e.currentTarget.value.trim())} />
        <NativeSelect size="xs" label="PDU" value={rack.pdu ?? ''} disabled={!may} error={f.wrong('pdu')} onChange={(e) => f.set('pdu', e.currentTarget.value)} data={names(layout.pdus, 'none')} />
        {!rack.pdu && <NativeSelect size="xs" label="Feeder" value={rack.feeder ?? ''} disabled={!may} error={f.wrong('feeder')} onChange={(e) => f.set('feeder', e.currentTarget.value)} data={names(layout.feeders, 'as its container')} />}
        <NativeSelect size="xs" label="Cooling loop" value={rack.loop ?? ''} disabled={!may} error={f.wrong('loop')} onChange={(e) => f.set('loop', e.currentTarget.value)} data={names(layout.loops, 'as its container')} />
        {may && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="red"
            onClick={() => {
              change(`remove rack ${rack.name}`, put(layout, path, undefined))
              choose('')
            }}
          >
            Remove the rack
          </Button>
        )}
      </Stack>
    </div>
  )
}

function HolderPanel(p: Props & { path: string }) {
  const { layout, path, may, change, choose } = p
  const kind = path.includes('containers') ? 'container' : 'building'
  const h = get<Container>(layout, path)!
  const f = fields(p, path, `${kind} ${path}`)
  return (
    <div className="panel" data-testid="inspector">
      <h2>
        {kind === 'container' ? 'Container' : 'Building'} {h.name}
      </h2>
      <Stack gap={8}>
        <TextInput size="xs" label="Name" value={h.name} readOnly={!may} error={f.wrong('name')} onChange={(e) => change(`type ${kind} ${path} name`, put(layout, `${path}.name`, e.currentTarget.value))} />
        <NumberInput size="xs" label="Cap, kW" value={h.cap_w ? h.cap_w / 1000 : ''} min={0} readOnly={!may} error={f.wrong('cap')} onChange={(v) => f.set('cap_w', v === '' ? undefined : Number(v) * 1000)} />
        <NativeSelect size="xs" label="Feeder" value={h.feeder ?? ''} disabled={!may} error={f.wrong('feeder')} onChange={(e) => f.set('feeder', e.currentTarget.value)} data={names(layout.feeders, kind === 'container' ? 'as its building' : 'none')} />
        <NativeSelect size="xs" label="Cooling loop" value={h.loop ?? ''} disabled={!may} error={f.wrong('loop')} onChange={(e) => f.set('loop', e.currentTarget.value)} data={names(layout.loops, kind === 'container' ? 'as its building' : 'none')} />
        {may && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="red"
            onClick={() => {
              change(`remove ${kind} ${h.name}`, put(layout, path, undefined))
              choose('')
            }}
          >
            Remove the {kind}
          </Button>
        )}
      </Stack>
    </div>
  )
}

import { Button, Group, NativeSelect, Text, TextInput } from '@mantine/core'
import { type DragEvent, useMemo, useState } from 'react'
import type { Schema } from '../../api/client'
import { fixed } from '../../format'
import { Inspector } from './Inspector'
import { type Container, containersOf, described, get, type Layout, moveContainer, moveRack, nameOf, occupancy, place, type PlacedMachine, put, type Rack, type RackAt, racksOf, release, slotsOf } from './layout'
import { count } from './words'

export type Problem = Schema['DocProblem']

/** What is chosen: a path ("containers[0].racks[1]"), a slot of a rack
 * ("containers[0].racks[1]#7"), or a machine ("machine 17"). */
export type Chosen = string

export interface PlanProps {
  layout: Layout
  machines: readonly PlacedMachine[]
  problems: readonly Problem[]
  may: boolean
  change: (what: string, next: Layout) => void
}

const drag = 'application/x-ballast'

/** Tree, plan and what is chosen. Everything that can be dragged can be chosen
 * and moved by the form at the side. */
export function Plan({ layout, machines, problems, may, change }: PlanProps) {
  const [chosen, choose] = useState<Chosen>('')
  const [shown, show] = useState('')
  const [over, setOver] = useState('')
  const [said, say] = useState('')
  const occupied = useMemo(() => occupancy(layout, machines), [layout, machines])
  const racks = useMemo(() => racksOf(layout), [layout])
  const containers = useMemo(() => containersOf(layout), [layout])
  const holders = useMemo(() => holdersOf(layout), [layout])
  const holder = holders.find((h) => h.path === shown) ?? holders.find((h) => h.racks.length > 0) ?? holders[0]
  const loose = useMemo(() => machines.filter((m) => !occupied.slotOf.has(m.id)), [machines, occupied])
  const wrong = (path: string) => problems.some((p) => p.at.startsWith(path + '.') || p.at === path)

  const apply = (what: string, next: Layout | undefined) => {
    if (!next) say('That cannot be moved there: the name is taken, or it stands there already.')
    else {
      say(what)
      change(what, next)
    }
  }
  /** Moves what is named to a path or a slot; false when it does not go there. */
  const move = (what: string, to: string) => {
    if (!may) return
    if (what.startsWith('machine ')) {
      const m = machines.find((x) => x.id === Number(what.slice(8)))
      const [rack, slot] = to.split('#')
      if (m && slot) apply(`place ${m.name}`, place(layout, m, rack!, Number(slot)))
      else if (m && to === 'nowhere') apply(`take ${m.name} out of its slot`, release(layout, m))
    } else if (/\.racks\[\d+\]$/.test(what)) {
      const rack = get<Rack>(layout, what)
      apply(`move rack ${rack?.name}`, moveRack(layout, what, to))
      choose('')
    } else if (/containers\[\d+\]$/.test(what)) {
      const c = get<Container>(layout, what)
      apply(`move container ${c?.name}`, moveContainer(layout, what, to === 'open' ? '' : to))
      choose('')
    }
  }
  const from = (what: string) => ({
    draggable: may,
    onDragStart: (e: DragEvent) => {
      e.dataTransfer.setData(drag, what)
      e.dataTransfer.effectAllowed = 'move'
    },
  })
  const onto = (to: string) => ({
    onDragOver: (e: DragEvent) => {
      if (!e.dataTransfer.types.includes(drag)) return
      e.preventDefault()
      setOver(to)
    },
    onDragLeave: () => setOver((o) => (o === to ? '' : o)),
    onDrop: (e: DragEvent) => {
      e.preventDefault()
      e.stopPropagation()
      setOver('')
      move(e.dataTransfer.getData(drag), to)
    },
  })
  const machineIn = (key: string) => occupied.inSlot.get(key)

  return (
    <div className="editor">
      <nav className="tree" aria-label="Buildings, containers and racks" data-testid="tree">
        <Node on={chosen === 'site'} onClick={() => choose('site')} title={layout.name} n={count(racks.reduce((n, r) => n + (r.rack.slots || 0), 0), 'slot')} over={over === 'open'} drop={onto('open')} />
        <ul>
          {holders.map((h) => (
            <li key={h.path} style={{ marginLeft: h.inside ? 14 : 0 }}>
              <Node
                on={holder?.path === h.path}
                wrong={wrong(h.path)}
                title={h.name}
                n={h.building ? count(h.racks.length, 'rack') : `${fixed(h.racks.reduce((n, r) => n + (r.rack.slots || 0), 0), 0)}`}
                over={over === h.path}
                drag={h.building ? undefined : from(h.path)}
                drop={onto(h.path)}
                onClick={() => {
                  show(h.path)
                  choose(h.path)
                }}
              />
            </li>
          ))}
        </ul>
        {may && (
          <Group gap={6} mt="xs">
            <Button size="compact-xs" variant="default" onClick={() => addNamed(layout, 'buildings', 'Building', change)}>
              + building
            </Button>
            <Button size="compact-xs" variant="default" onClick={() => addNamed(layout, 'containers', 'C', change)}>
              + container
            </Button>
            {holder && (
              <Button size="compact-xs" variant="default" onClick={() => addRack(layout, holder.path, change)}>
                + rack
              </Button>
            )}
          </Group>
        )}
      </nav>

      <div>
        <div className="legend">
          <span>
            <span className="slot machine" />
            machine
          </span>
          <span>
            <span className="slot absent" />
            described, not found
          </span>
          <span>
            <span className="slot" />
            empty
          </span>
          <span>{count(occupied.slotOf.size, 'machine')} in a slot</span>
        </div>
        {!holder || holder.racks.length === 0 ? (
          <Text c="dimmed">{holder ? `${holder.name} has no racks yet.` : 'No buildings, containers or racks yet. Add them by pattern, from a table, or one by one.'}</Text>
        ) : (
          <div className="plan" data-testid="plan">
            {holder.racks.map((r) => (
              <RackBox key={r.path} at={r} on={chosen === r.path} wrong={wrong(r.path)} chosen={chosen} over={over} machineIn={machineIn} choose={choose} from={from} onto={onto} />
            ))}
          </div>
        )}
      </div>

      <div className="side">
        <Inspector key={chosen} layout={layout} chosen={chosen} machineIn={machineIn} machines={machines} problems={problems} may={may} change={change} choose={choose} />
        {may && chosen && chosen !== 'site' && <MoveTo layout={layout} chosen={chosen} machineIn={machineIn} holders={holders} racks={racks} containers={containers} move={move} />}
        <Loose machines={loose} chosen={chosen} choose={choose} from={from} drop={onto('nowhere')} />
        <div role="status" aria-live="polite" style={{ position: 'absolute', left: -9999 }}>
          {said}
        </div>
      </div>
    </div>
  )
}

interface Holder {
  path: string
  name: string
  building: boolean
  inside: boolean
  racks: RackAt[]
}

/** Buildings and containers in the order of the tree, with the racks that stand in each. */
function holdersOf(l: Layout): Holder[] {
  const racks = new Map<string, RackAt[]>()
  for (const r of racksOf(l)) {
    const at = r.path.slice(0, r.path.lastIndexOf('.racks['))
    racks.set(at, [...(racks.get(at) ?? []), r])
  }
  const out: Holder[] = []
  const add = (path: string, name: string, building: boolean, inside: boolean) => out.push({ path, name, building, inside, racks: racks.get(path) ?? [] })
  l.buildings?.forEach((b, i) => {
    add(`buildings[${i}]`, b.name, true, false)
    b.containers?.forEach((c, j) => add(`buildings[${i}].containers[${j}]`, c.name, false, true))
  })
  l.containers?.forEach((c, j) => add(`containers[${j}]`, c.name, false, false))
  return out
}

function Node({ title, n, on, wrong, over, drag: d, drop, onClick }: { title: string; n: string; on: boolean; wrong?: boolean; over?: boolean; drag?: object; drop?: object; onClick: () => void }) {
  return (
    <button type="button" className={'node' + (on ? ' on' : '') + (over ? ' over' : '')} aria-current={on || undefined} onClick={onClick} {...d} {...drop}>
      <span className={wrong ? 'wrong' : ''}>
        {title || '(no name)'}
        {wrong && ' – not valid'}
      </span>
      <span className="n">{n}</span>
    </button>
  )
}

function RackBox({
  at,
  on,
  wrong,
  chosen,
  over,
  machineIn,
  choose,
  from,
  onto,
}: {
  at: RackAt
  on: boolean
  wrong: boolean
  chosen: Chosen
  over: string
  machineIn: (key: string) => PlacedMachine | undefined
  choose: (c: Chosen) => void
  from: (what: string) => object
  onto: (to: string) => object
}) {
  const slots = slotsOf(at.rack)
  const columns = Math.min(at.rack.columns || at.rack.slots || 1, 24)
  const rows: (typeof slots)[] = []
  for (let i = 0; i < slots.length; i += columns) rows.unshift(slots.slice(i, i + columns)) // from the floor up
  const filled = slots.filter((s) => machineIn(`${at.path}#${s.slot}`)).length
  return (
    <section className={'rack' + (on ? ' on' : '') + (wrong ? ' wrong' : '')} aria-label={`Rack ${nameOf(at)}`}>
      <button type="button" className="rackname" onClick={() => choose(at.path)} {...from(at.path)}>
        <span>{at.rack.name || '(no name)'}</span>
        <span className="n">
          {filled} / {at.rack.slots}
        </span>
      </button>
      <div className="slots" style={{ gridTemplateColumns: `repeat(${columns}, max-content)` }}>
        {rows.flat().map((s) => {
          const key = `${at.path}#${s.slot}`
          const m = machineIn(key)
          const who = m ? m.name : described(s) ? `${s.mac ?? s.serial ?? s.addr}, not found` : 'empty'
          return (
            <button
              type="button"
              key={s.slot}
              className={'slot' + (m ? ' machine' : described(s) ? ' absent' : '') + (chosen === key || (m && chosen === `machine ${m.id}`) ? ' on' : '') + (over === key ? ' over' : '')}
              title={`${nameOf(at)}/${s.slot}: ${who}`}
              aria-label={`Slot ${s.slot} of ${nameOf(at)}: ${who}`}
              onClick={() => choose(key)}
              {...(m ? from(`machine ${m.id}`) : {})}
              {...onto(key)}
            >
              {s.slot}
            </button>
          )
        })}
      </div>
    </section>
  )
}

/** The way to move things without a mouse. */
function MoveTo({
  layout,
  chosen,
  machineIn,
  holders,
  racks,
  containers,
  move,
}: {
  layout: Layout
  chosen: Chosen
  machineIn: (key: string) => PlacedMachine | undefined
  holders: Holder[]
  racks: RackAt[]
  containers: ReturnType<typeof containersOf>
  move: (what: string, to: string) => void
}) {
  const m = chosen.includes('#') ? machineIn(chosen) : undefined
  const what = m ? `machine ${m.id}` : chosen
  const kind = what.startsWith('machine ') ? 'machine' : /\.racks\[\d+\]$/.test(what) ? 'rack' : containers.some((c) => c.path === what) ? 'container' : ''
  const [rack, setRack] = useState('')
  const [slot, setSlot] = useState('')
  const [to, setTo] = useState('')
  if (!kind) return null
  const at = racks.find((r) => r.path === rack) ?? racks[0]
  const targets = kind === 'rack' ? holders.map((h) => ({ value: h.path, label: h.name })) : [{ value: 'open', label: 'in the open' }, ...(layout.buildings ?? []).map((b, i) => ({ value: `buildings[${i}]`, label: b.name }))]
  return (
    <form
      className="panel"
      onSubmit={(e) => {
        e.preventDefault()
        if (kind === 'machine' && at) move(what, `${at.path}#${slot || freeSlot(at, machineIn)}`)
        else move(what, to || targets[0]?.value || '')
      }}
    >
      <h2>Move {kind === 'machine' ? 'the machine' : `the ${kind}`}</h2>
      {kind === 'machine' ? (
        <Group align="flex-end" gap="xs" wrap="nowrap">
          <NativeSelect label="To rack" size="xs" flex={1} value={at?.path} onChange={(e) => setRack(e.currentTarget.value)} data={racks.map((r) => ({ value: r.path, label: nameOf(r) }))} />
          <TextInput label="Slot" size="xs" w={64} inputMode="numeric" value={slot} placeholder={at ? String(freeSlot(at, machineIn)) : ''} onChange={(e) => setSlot(e.currentTarget.value.replace(/\D/g, ''))} />
          <Button size="xs" type="submit" disabled={!at || Number(slot) > (at.rack.slots || 0)}>
            Move
          </Button>
        </Group>
      ) : (
        <Group align="flex-end" gap="xs" wrap="nowrap">
          <NativeSelect label="To" size="xs" flex={1} value={to || targets[0]?.value} onChange={(e) => setTo(e.currentTarget.value)} data={targets} />
          <Button size="xs" type="submit" disabled={targets.length === 0}>
            Move
          </Button>
        </Group>
      )}
      {kind === 'machine' && (
        <Button size="compact-xs" variant="subtle" color="gray" mt="xs" onClick={() => move(what, 'nowhere')}>
          Take it out of its slot
        </Button>
      )}
    </form>
  )
}

const freeSlot = (r: RackAt, machineIn: (key: string) => PlacedMachine | undefined) => slotsOf(r.rack).find((s) => !described(s) && !machineIn(`${r.path}#${s.slot}`))?.slot ?? 1

/** Machines that no slot describes. */
function Loose({ machines, chosen, choose, from, drop }: { machines: PlacedMachine[]; chosen: Chosen; choose: (c: Chosen) => void; from: (what: string) => object; drop: object }) {
  const [words, setWords] = useState('')
  const w = words.toLowerCase()
  const fit = machines.filter((m) => !w || `${m.name} ${m.addr} ${m.mac} ${m.serial} ${m.model}`.toLowerCase().includes(w))
  return (
    <section className="panel" aria-label="Machines without a slot" data-testid="loose" {...drop}>
      <h2>{count(machines.length, 'machine')} without a slot</h2>
      {machines.length === 0 ? (
        <Text fz="sm" c="dimmed">
          Every machine of this site has its slot.
        </Text>
      ) : (
        <>
          <TextInput size="xs" mb={6} type="search" placeholder="Name, address, model…" aria-label="Search machines without a slot" value={words} onChange={(e) => setWords(e.currentTarget.value)} />
          <div className="loose">
            {fit.slice(0, 300).map((m) => (
              <button type="button" key={m.id} className={chosen === `machine ${m.id}` ? 'on' : ''} onClick={() => choose(`machine ${m.id}`)} {...from(`machine ${m.id}`)}>
                <span>{m.name}</span>
                <span className="n">{m.model || m.addr}</span>
              </button>
            ))}
          </div>
          {fit.length > 300 && (
            <Text fz="xs" c="dimmed">
              and {fixed(fit.length - 300, 0)} more
            </Text>
          )}
        </>
      )}
    </section>
  )
}

/** The first name with a number that nobody has. */
function fresh(head: string, taken: string[]): string {
  for (let i = 1; ; i++) if (!taken.includes(head + i)) return head + i
}

function addNamed(l: Layout, list: 'buildings' | 'containers', head: string, change: PlanProps['change']) {
  const name = fresh(head, list === 'buildings' ? (l.buildings ?? []).map((b) => b.name) : containersOf(l).map((c) => c.container))
  change(`add ${name}`, put(l, list, [...(l[list] ?? []), list === 'containers' ? { name, racks: [] } : { name }]))
}

function addRack(l: Layout, holder: string, change: PlanProps['change']) {
  const racks = get<Rack[]>(l, `${holder}.racks`) ?? []
  const last = racks.at(-1)
  const name = fresh('R', racks.map((r) => r.name))
  change(`add rack ${name}`, put(l, `${holder}.racks`, [...racks, { name, slots: last?.slots ?? 24, ...(last?.columns ? { columns: last.columns } : {}), ...(last?.pdu ? {} : last?.feeder ? { feeder: last.feeder } : {}) }]))
}

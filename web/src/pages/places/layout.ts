import type { Schema } from '../../api/client'

// A layout as the editor holds it: never changed in place, so that each step can
// be undone. Paths are those of the server's messages ("containers[0].racks[2]").

export type Layout = Schema['SiteSite']
export type Building = Schema['SiteBuilding']
export type Container = Schema['SiteContainer']
export type Rack = Schema['SiteRack']
export type Slot = Schema['SiteSlot']
export type PlacedMachine = Schema['PlacedMachine']

export interface At {
  path: string
  building: string
  container: string
}
export interface RackAt extends At {
  rack: Rack
}
export interface ContainerAt extends At {
  holder: Container
}

/** All containers, in buildings first. */
export function containersOf(l: Layout): ContainerAt[] {
  const out: ContainerAt[] = []
  l.buildings?.forEach((b, i) => b.containers?.forEach((c, j) => out.push({ path: `buildings[${i}].containers[${j}]`, building: b.name, container: c.name, holder: c })))
  l.containers?.forEach((c, j) => out.push({ path: `containers[${j}]`, building: '', container: c.name, holder: c }))
  return out
}

/** All racks, in the order of the description. */
export function racksOf(l: Layout): RackAt[] {
  const out: RackAt[] = []
  l.buildings?.forEach((b, i) => b.racks?.forEach((rack, k) => out.push({ path: `buildings[${i}].racks[${k}]`, building: b.name, container: '', rack })))
  for (const c of containersOf(l)) c.holder.racks?.forEach((rack, k) => out.push({ path: `${c.path}.racks[${k}]`, building: c.building, container: c.container, rack }))
  return out
}

/** "Hall/C01/R02", as machines' places and messages begin. */
export const nameOf = (r: RackAt) => [r.building, r.container, r.rack.name].filter(Boolean).join('/')

type Step = string | number
const steps = (path: string): Step[] => [...path.matchAll(/(\w+)|\[(\d+)\]/g)].map((m) => m[1] ?? Number(m[2]))

/** What stands at a path. */
export function get<T>(l: Layout, path: string): T | undefined {
  let v: unknown = l
  for (const s of steps(path)) v = (v as Record<Step, unknown> | undefined)?.[s]
  return v as T | undefined
}

/** The layout with what stands at a path replaced; undefined removes it. */
export function put(l: Layout, path: string, value: unknown): Layout {
  const walk = (v: unknown, rest: Step[]): unknown => {
    const [s, ...more] = rest
    if (s === undefined) return value
    if (typeof s === 'number') {
      const list = [...((v as unknown[]) ?? [])]
      if (more.length === 0 && value === undefined) list.splice(s, 1)
      else list[s] = walk(list[s], more)
      return list
    }
    const copy = { ...(v as Record<string, unknown>) }
    const next = walk(copy[s], more)
    if (next === undefined) delete copy[s]
    else copy[s] = next
    return copy
  }
  return walk(l, steps(path)) as Layout
}

export const edit = <T>(l: Layout, path: string, change: (v: T) => T): Layout => put(l, path, change(get<T>(l, path)!))

// Addresses. IPv4 is counted with; others are left to the server.

export function ip4(text: string | undefined): number | undefined {
  const m = text?.trim().match(/^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/)
  if (!m) return undefined
  const parts = m.slice(1).map(Number)
  return parts.some((p) => p > 255) ? undefined : parts.reduce((n, p) => n * 256 + p, 0)
}
export const ip4Text = (n: number) => [24, 16, 8, 0].map((s) => Math.floor(n / 2 ** s) % 256).join('.')

/** First and last address of a rack's run, as numbers. */
export function runOf(addresses: string | undefined): [number, number] | undefined {
  if (!addresses) return undefined
  const [from, to] = addresses.split('-')
  const first = ip4(from)
  if (first === undefined) return undefined
  if (to === undefined) return [first, first]
  const last = to.includes('.') ? ip4(to) : first - (first % 256) + Number(to)
  return last === undefined || !(last >= first) ? undefined : [first, last]
}

/** Who is described in each slot of a rack; the run of addresses counts where
 * nothing else is said. */
export function slotsOf(rack: Rack): Slot[] {
  const by = new Map((rack.machines ?? []).map((m) => [m.slot, m]))
  const run = runOf(rack.addresses)
  return Array.from({ length: Math.max(0, Math.min(rack.slots || 0, 10_000)) }, (_, i) => {
    const m = by.get(i + 1)
    if (m && (m.addr || m.mac || m.serial)) return m
    const addr = run && run[0] + i <= run[1] ? ip4Text(run[0] + i) : undefined
    return { ...m, slot: i + 1, ...(addr ? { addr } : {}) }
  })
}

export const described = (s: Slot) => !!(s.addr || s.mac || s.serial)

/** Finds machines by what a slot says of them: MAC, then serial, then address. */
export class Finder {
  private mac = new Map<string, PlacedMachine>()
  private serial = new Map<string, PlacedMachine>()
  private addr = new Map<string, PlacedMachine>()
  constructor(machines: readonly PlacedMachine[]) {
    for (const m of machines) {
      if (m.mac) this.mac.set(m.mac, m)
      if (m.serial) this.serial.set(m.serial, m)
      if (m.addr) this.addr.set(m.addr, m)
    }
  }
  at(s: Slot): PlacedMachine | undefined {
    return (s.mac && this.mac.get(s.mac.toLowerCase().replaceAll('-', ':'))) || (s.serial && this.serial.get(s.serial)) || (s.addr && this.addr.get(s.addr)) || undefined
  }
}

/** Which slot of the draft each machine is in: surest first, and only one each. */
export function occupancy(l: Layout, machines: readonly PlacedMachine[]): { inSlot: Map<string, PlacedMachine>; slotOf: Map<number, string> } {
  const find = new Finder(machines)
  const claims: { key: string; m: PlacedMachine; rank: number }[] = []
  for (const r of racksOf(l)) {
    for (const s of slotsOf(r.rack)) {
      const m = find.at(s)
      if (m) claims.push({ key: `${r.path}#${s.slot}`, m, rank: s.mac && m.mac ? 0 : s.serial && m.serial === s.serial ? 1 : 2 })
    }
  }
  claims.sort((a, b) => a.rank - b.rank)
  const inSlot = new Map<string, PlacedMachine>()
  const slotOf = new Map<number, string>()
  for (const c of claims) {
    if (slotOf.has(c.m.id)) continue
    slotOf.set(c.m.id, c.key)
    inSlot.set(c.key, c.m)
  }
  return { inSlot, slotOf }
}

/** The layout in which a machine is described nowhere. */
export function release(l: Layout, m: PlacedMachine): Layout {
  const a = ip4(m.addr)
  for (const { path, rack } of racksOf(l)) {
    const run = runOf(rack.addresses)
    const hit = (s: Slot) => !!((m.mac && s.mac?.toLowerCase().replaceAll('-', ':') === m.mac) || (m.serial && s.serial === m.serial) || (m.addr && s.addr === m.addr))
    const inRun = !!run && a !== undefined && a >= run[0] && a <= run[1] && slotsOf(rack).some((s) => s.addr === m.addr)
    if (!inRun && !rack.machines?.some(hit)) continue
    const list = inRun ? slotsOf(rack).filter(described) : (rack.machines ?? [])
    const next: Rack = { ...rack, machines: list.filter((s) => !hit(s)) }
    if (inRun) delete next.addresses
    l = put(l, path, next)
  }
  return l
}

/** Puts a machine into a slot, known by its MAC, else serial, else address. */
export function place(l: Layout, m: PlacedMachine, rackPath: string, slot: number): Layout {
  l = release(l, m)
  return edit<Rack>(l, rackPath, (r) => {
    const old = r.machines?.find((s) => s.slot === slot)
    const who: Slot = { slot, ...(m.mac ? { mac: m.mac } : m.serial ? { serial: m.serial } : { addr: m.addr }), ...(old?.outlet ? { outlet: old.outlet } : {}) }
    return { ...r, machines: [...(r.machines ?? []).filter((s) => s.slot !== slot), who].toSorted((x, y) => x.slot - y.slot) }
  })
}

/** Moves a rack to the end of another holder's racks ("containers[1]" or
 * "buildings[0]"). Undefined when its name is taken there. */
export function moveRack(l: Layout, from: string, to: string): Layout | undefined {
  const rack = get<Rack>(l, from)
  const there = get<{ racks?: Rack[] | null }>(l, to)?.racks ?? []
  if (!rack || there.some((r) => r.name === rack.name)) return undefined
  return put(put(l, `${to}.racks`, [...there, rack]), from, undefined)
}

/** Moves a container into a building, or into the open with ''. */
export function moveContainer(l: Layout, from: string, to: string): Layout | undefined {
  const c = get<Container>(l, from)
  const list = to ? `${to}.containers` : 'containers'
  if (!c || from.startsWith(list + '[')) return undefined
  return put(put(l, list, [...(get<Container[]>(l, list) ?? []), c]), from, undefined)
}

/** "C{1..8}" is C1 to C8, "R{01..12}" keeps the zero; text without braces is one name. */
export function expand(pattern: string): string[] {
  const m = pattern.match(/^(.*?)\{(\d+)\.\.(\d+)\}(.*)$/)
  if (!m) return pattern.trim() ? [pattern.trim()] : []
  const [, head, from, to, tail] = m as unknown as [string, string, string, string, string]
  const [a, b] = [Number(from), Number(to)]
  if (b < a || b - a > 2000) return []
  const width = from.startsWith('0') ? from.length : 0
  return Array.from({ length: b - a + 1 }, (_, i) => expand(head + String(a + i).padStart(width, '0') + tail)).flat()
}

export interface Pattern {
  building: string
  containers: string
  racks: string
  slots: number
  columns: number
  from: string
  /** How addresses go on from rack to rack. */
  step: 'on' | 'rack24' | 'container24'
}

/** Adds rows of racks by pattern. Throws with what is wrong, in words. */
export function addPattern(l: Layout, p: Pattern): { layout: Layout; containers: number; racks: number; slots: number; last: string } {
  const holders = expand(p.containers)
  const names = expand(p.racks)
  if (names.length === 0) throw new Error('Name the racks, such as R{1..6}.')
  if (holders.length === 0 && !p.building) throw new Error('Name the containers, such as C{1..8}, or a building.')
  if (!(p.slots >= 1)) throw new Error('A rack has at least one slot.')
  let at = p.from.trim() ? ip4(p.from) : undefined
  if (p.from.trim() && at === undefined) throw new Error(`${p.from} is not an IPv4 address.`)
  const total = Math.max(1, holders.length) * names.length
  if (total > 5000) throw new Error(`That would be ${total.toLocaleString('en-US')} racks.`)
  let racks = 0
  let containers = 0
  let last = ''
  const rack = (name: string): Rack => {
    racks++
    const r: Rack = { name, slots: p.slots }
    if (p.columns > 0 && p.columns < p.slots) r.columns = p.columns
    if (at !== undefined) {
      const end = at + p.slots - 1
      if (end > 0xffffffff) throw new Error('The addresses run out.')
      r.addresses = p.slots === 1 ? ip4Text(at) : `${ip4Text(at)}-${ip4Text(end)}`
      last = ip4Text(end)
      at = p.step === 'rack24' ? at + 256 * Math.ceil(p.slots / 256) : end + 1
    }
    return r
  }
  const fill = (old: Rack[] | null | undefined, where: string): Rack[] => {
    const taken = new Set((old ?? []).map((r) => r.name))
    const twice = names.find((n) => taken.has(n))
    if (twice) throw new Error(`${where} has a rack ${twice} already.`)
    return [...(old ?? []), ...names.map(rack)]
  }
  let b = -1
  if (p.building) {
    b = (l.buildings ?? []).findIndex((x) => x.name === p.building)
    if (b < 0) {
      l = { ...l, buildings: [...(l.buildings ?? []), { name: p.building }] }
      b = l.buildings!.length - 1
    }
  }
  if (holders.length === 0) return { layout: edit<Building>(l, `buildings[${b}]`, (x) => ({ ...x, racks: fill(x.racks, x.name) })), containers: 0, racks, slots: racks * p.slots, last }
  const list = b < 0 ? 'containers' : `buildings[${b}].containers`
  const known = [...(get<Container[]>(l, list) ?? [])]
  const elsewhere = new Set(containersOf(l).map((c) => c.container))
  for (const name of holders) {
    const start = at
    const i = known.findIndex((c) => c.name === name)
    if (i >= 0) known[i] = { ...known[i]!, racks: fill(known[i]!.racks, name) }
    else if (elsewhere.has(name)) throw new Error(`There is a container ${name} elsewhere already.`)
    else {
      known.push({ name, racks: fill([], name) })
      containers++
    }
    if (p.step === 'container24' && start !== undefined && at !== undefined) at = start + 256 * Math.ceil((at - start) / 256)
  }
  return { layout: put(l, list, known), containers, racks, slots: racks * p.slots, last }
}

/** The names of what a path leads to, outermost first, and the field it ends in:
 * "containers[0].racks[1].slots" is C1, R2, slots. */
export function words(l: Layout, path: string): string[] {
  const out: string[] = []
  let v: unknown = l
  const all = steps(path)
  for (const [i, s] of all.entries()) {
    v = (v as Record<Step, unknown> | undefined)?.[s]
    if (typeof s === 'number') out.push((v as { name?: string } | undefined)?.name || `number ${s + 1}`)
    else if (typeof all[i + 1] !== 'number') out.push(s)
  }
  return out
}

/** A message of the server with the paths in it as the owner's names. */
export const inWords = (l: Layout, text: string) => text.replace(/\b[a-z]+\[\d+\](?:\.[a-z]+\[\d+\])*/g, (path) => words(l, path).join('/'))

import type { Schema } from '../../../api/client'

export type SiteMap = Schema['Map']

/** Where everything on the map is, in cells. */
export interface Laid {
  width: number
  height: number
  /** Of each machine, in the order of the map. */
  x: Int32Array
  y: Int32Array
  /** What stands in each cell, row by row: 0 nothing, -1 an empty slot, else a machine's index + 1. */
  grid: Int32Array
  racks: Box[]
  areas: Box[]
}

/** A named rectangle; `first` and `count` are the machines in it. */
export interface Box {
  title: string
  x: number
  y: number
  w: number
  h: number
  first: number
  count: number
}

interface Block {
  title: string
  w: number
  h: number
  racks: (Box & { columns: number; slots: number; at?: number[] | null })[]
}

/** Shelves: boxes from left to right, and a new row where `width` is reached.
 * Sets x and y; returns what they take. */
function shelve(boxes: { x: number; y: number; w: number; h: number }[], width: number, gap: number): { w: number; h: number } {
  let x = 0
  let y = 0
  let row = 0
  let w = 0
  for (const b of boxes) {
    if (x > 0 && x + b.w > width) {
      x = 0
      y += row + gap
      row = 0
    }
    b.x = x
    b.y = y
    x += b.w + gap
    row = Math.max(row, b.h)
    w = Math.max(w, b.x + b.w)
  }
  return { w, h: y + row }
}

const head = 1 // row above a rack for its name
const title = 2 // rows above an area for its name
const margin = 1

/** Room that the names of a rack or an area take, in cells. */
const room = (text: string) => Math.min(Math.ceil(text.length * 0.62), 12)

/** The rooms of a site with their racks side by side, so many to a row that a
 * room comes out about `wide` times as wide as high. */
function blocksOf(map: SiteMap, aspect: number, wide: number): Block[] {
  const areas = map.areas ?? []
  const sites = new Set(areas.map((a) => a.site)).size
  const blocks: Block[] = []
  for (const a of areas) {
    const racks = (a.racks ?? []).map((r) => ({ title: r.name, x: 0, y: 0, w: Math.max(r.columns, 1), h: Math.ceil(r.slots / Math.max(r.columns, 1)) + head, first: r.first, count: r.count, columns: Math.max(r.columns, 1), slots: r.slots, at: r.at }))
    const cells = racks.reduce((n, r) => n + (r.w + 1) * (r.h + 1), 0)
    const { w, h } = shelve(racks, Math.max(Math.sqrt(cells * wide), ...racks.map((r) => r.w)), 1)
    const name = [sites > 1 ? a.site : '', a.building, a.container].filter(Boolean).join(' / ')
    blocks.push({ title: name, w: Math.max(w, room(name)) + 2 * margin, h: h + title + margin, racks })
  }
  if (map.unplaced > 0) {
    const first = (map.machines ?? []).length - map.unplaced
    const columns = Math.max(1, Math.round(Math.sqrt(map.unplaced * aspect * 1.4)))
    const rows = Math.ceil(map.unplaced / columns)
    blocks.push({ title: 'Not placed', w: Math.max(columns, room('Not placed')) + 2 * margin, h: rows + title + margin, racks: [{ title: '', x: 0, y: -head, w: columns, h: rows + head, first, count: map.unplaced, columns, slots: 0 }] })
  }
  return blocks
}

/** Lays a site out in cells so that it fills a window of the given aspect
 * (width over height): of several ways to break the rows the one with the
 * largest cells. Slot 1 is at the floor, at the left. */
export function layOut(map: SiteMap, aspect: number): Laid {
  let best: { blocks: Block[]; boxes: Box[]; w: number; h: number; size: number } | undefined
  for (const wide of [0.6, 1.4, 2.6, 5, 12]) {
    const blocks = blocksOf(map, aspect, wide)
    const cells = blocks.reduce((n, b) => n + (b.w + 1) * (b.h + 1), 0)
    const least = Math.max(1, ...blocks.map((b) => b.w))
    for (const spread of [0.7, 0.85, 1, 1.15, 1.3, 1.6]) {
      const boxes = blocks.map((b) => ({ title: b.title, x: 0, y: 0, w: b.w, h: b.h, first: b.racks[0]?.first ?? 0, count: b.racks.reduce((n, r) => n + r.count, 0) }))
      const { w, h } = shelve(boxes, Math.max(Math.sqrt(cells * aspect) * spread, least), 1)
      const size = Math.min(aspect / Math.max(w, 1), 1 / Math.max(h, 1))
      if (!best || size > best.size * 1.001) best = { blocks, boxes, w: Math.max(w, 1), h: Math.max(h, 1), size }
    }
  }
  const { blocks, boxes, w, h } = best!
  const n = (map.machines ?? []).length
  const laid: Laid = { width: w, height: h, x: new Int32Array(n), y: new Int32Array(n), grid: new Int32Array(w * h), racks: [], areas: boxes }
  blocks.forEach((b, i) => {
    for (const r of b.racks) place(laid, boxes[i]!.x + margin + r.x, boxes[i]!.y + title + r.y, r)
  })
  return laid
}

function place(laid: Laid, x: number, y: number, r: Block['racks'][number]) {
  const rows = r.h - head
  laid.racks.push({ title: r.title, x, y, w: r.w, h: r.h, first: r.first, count: r.count })
  const cell = (slot: number): [number, number] => {
    const row = Math.floor(slot / r.columns)
    // Places count from the floor up; machines without one read like a page.
    return [x + (slot % r.columns), y + head + (r.slots > 0 ? rows - 1 - row : row)]
  }
  for (let s = 0; s < r.slots; s++) {
    const [cx, cy] = cell(s)
    laid.grid[cy * laid.width + cx] = -1
  }
  for (let k = 0; k < r.count; k++) {
    const [cx, cy] = cell(r.at?.[k] ?? k)
    const i = r.first + k
    laid.x[i] = cx
    laid.y[i] = cy
    laid.grid[cy * laid.width + cx] = i + 1
  }
}

/** What stands at a point, in cells: a machine's index, or -1. */
export function hit(laid: Laid, x: number, y: number): number {
  const cx = Math.floor(x)
  const cy = Math.floor(y)
  if (cx < 0 || cy < 0 || cx >= laid.width || cy >= laid.height) return -1
  return Math.max(laid.grid[cy * laid.width + cx]! - 1, -1)
}

/** The machines in a rectangle given by two of its corners, in cells. */
export function inside(laid: Laid, x0: number, y0: number, x1: number, y1: number): number[] {
  const [l, r] = x0 < x1 ? [x0, x1] : [x1, x0]
  const [t, b] = y0 < y1 ? [y0, y1] : [y1, y0]
  const out: number[] = []
  for (let y = Math.max(Math.floor(t), 0); y <= Math.min(Math.floor(b), laid.height - 1); y++) {
    for (let x = Math.max(Math.floor(l), 0); x <= Math.min(Math.floor(r), laid.width - 1); x++) {
      const at = laid.grid[y * laid.width + x]!
      if (at > 0) out.push(at - 1)
    }
  }
  return out
}

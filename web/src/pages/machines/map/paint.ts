import type { Laid } from './layout'

/** What part of the map a window shows: its left upper corner in cells, and
 * pixels a cell. */
export interface Sight {
  x: number
  y: number
  scale: number
}

export interface Colours {
  /** Of each machine. */
  cells: Uint32Array
  page: number
  empty: number
  area: number
}

/** Paints the map into the pixels of one image of the given size: areas, empty
 * slots, machines. No call for each cell but writing its pixels. */
export function paint(px: Uint32Array, width: number, height: number, laid: Laid, sight: Sight, c: Colours) {
  px.fill(c.page)
  const { scale } = sight
  const gap = scale >= 14 ? 2 : scale >= 4 ? 1 : 0
  const left = Math.max(Math.floor(sight.x), 0)
  const right = Math.min(Math.ceil(sight.x + width / scale), laid.width)
  const top = Math.max(Math.floor(sight.y), 0)
  const bottom = Math.min(Math.ceil(sight.y + height / scale), laid.height)
  if (right <= left || bottom <= top) return
  for (const a of laid.areas) {
    const x0 = Math.max(Math.round((a.x - sight.x) * scale), 0)
    const x1 = Math.min(Math.round((a.x + a.w - sight.x) * scale), width)
    const y0 = Math.max(Math.round((a.y - sight.y) * scale), 0)
    const y1 = Math.min(Math.round((a.y + a.h - sight.y) * scale), height)
    if (x1 <= x0) continue
    for (let y = y0; y < y1; y++) px.fill(c.area, y * width + x0, y * width + x1)
  }
  // Where each column of cells begins and ends, once for all rows.
  const begin = new Int32Array(right - left)
  const end = new Int32Array(right - left)
  for (let i = 0; i < begin.length; i++) {
    const x0 = Math.round((left + i - sight.x) * scale)
    begin[i] = Math.max(x0, 0)
    end[i] = Math.min(Math.max(Math.round((left + i + 1 - sight.x) * scale) - gap, x0 + 1), width)
  }
  const wide = scale >= 24
  for (let row = top; row < bottom; row++) {
    const from = Math.round((row - sight.y) * scale)
    const y0 = Math.max(from, 0)
    const y1 = Math.min(Math.max(Math.round((row + 1 - sight.y) * scale) - gap, from + 1), height)
    if (y1 <= y0) continue
    const line = y0 * width
    const cells = row * laid.width + left
    let any = false
    for (let i = 0; i < begin.length; i++) {
      const at = laid.grid[cells + i]!
      if (at === 0) continue
      any = true
      const colour = at > 0 ? c.cells[at - 1]! : c.empty
      const x1 = line + end[i]!
      if (wide) px.fill(colour, line + begin[i]!, x1)
      else for (let x = line + begin[i]!; x < x1; x++) px[x] = colour
    }
    if (!any) continue
    // All lines of a row of cells are alike.
    const stop = line + width
    for (let y = y0 + 1; y < y1; y++) px.copyWithin(y * width, line, stop)
  }
}

/** The sight that shows the whole map with a margin. */
export function fit(laid: Laid, width: number, height: number): Sight {
  const scale = Math.max(Math.min(width / (laid.width + 0.6), height / (laid.height + 0.6)), 0.05)
  return { scale, x: laid.width / 2 - width / scale / 2, y: laid.height / 2 - height / scale / 2 }
}

/** Zooms by a factor around a point of the window, in pixels. */
export function zoom(s: Sight, factor: number, px: number, py: number, least: number, most: number): Sight {
  const scale = Math.min(Math.max(s.scale * factor, least), most)
  return { scale, x: s.x + px / s.scale - px / scale, y: s.y + py / s.scale - py / scale }
}

/** Keeps some of the map in the window. */
export function keep(s: Sight, laid: Laid, width: number, height: number): Sight {
  const w = width / s.scale
  const h = height / s.scale
  const clamp = (v: number, size: number, window: number) => Math.min(Math.max(v, Math.min(0, size - window) - window / 2), Math.max(0, size - window) + window / 2)
  return { scale: s.scale, x: clamp(s.x, laid.width, w), y: clamp(s.y, laid.height, h) }
}

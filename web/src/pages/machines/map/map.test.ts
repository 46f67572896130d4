import { expect, test } from 'vitest'
import { hit, inside, layOut, type SiteMap } from './layout'
import { fit, keep, paint, zoom } from './paint'
import { mapMetrics, nameColours, rangeOf, rampAt, words } from './scale'
import { decode, missing, type State, valueOf } from './state'

const rack = (name: string, first: number, count: number, more = {}) => ({ name, slots: 12, columns: 4, described: true, first, count, ...more })
const map: SiteMap = {
  version: 'v', models: [], firmwares: [], groups: [], unplaced: 5,
  machines: Array.from({ length: 33 }, (_, i) => 100 + i),
  areas: [
    { site: 's', building: 'Hall', container: 'C1', racks: [rack('R1', 0, 12), rack('R2', 12, 4, { at: [0, 3, 4, 11] })] },
    { site: 's', container: 'C2', racks: [rack('R1', 16, 12)] },
  ],
}

test.each([0.4, 1, 1.8, 4])('every machine has a cell of its own and is hit there, at aspect %d', (aspect) => {
  const l = layOut(map, aspect)
  const seen = new Set<string>()
  for (let i = 0; i < 33; i++) {
    expect(hit(l, l.x[i]! + 0.5, l.y[i]! + 0.5)).toBe(i)
    seen.add(`${l.x[i]},${l.y[i]}`)
  }
  expect(seen.size).toBe(33)
  expect(inside(l, 0, 0, l.width, l.height).length).toBe(33)
  expect(hit(l, -1, 0)).toBe(-1)
  expect(hit(l, l.width, l.height)).toBe(-1)
})

test('slot 1 is at the floor, at the left', () => {
  const l = layOut(map, 1)
  expect(l.x[0]).toBe(l.x[4])
  expect(l.y[0]).toBe(l.y[4]! + 1)
  expect(l.x[1]).toBe(l.x[0]! + 1)
  expect([l.x[13]! - l.x[12]!, l.y[12]! - l.y[15]!]).toEqual([3, 2]) // slots 4 and 12
  // Machines without a place read like a page.
  expect(l.y[32]!).toBeGreaterThanOrEqual(l.y[28]!)
})

test('a map of nothing can be laid out', () => {
  const l = layOut({ ...map, areas: [], machines: [], unplaced: 0 }, 1.5)
  expect([l.width, l.height]).toEqual([1, 1])
})

test('what is painted is the colour of the machine that is hit', () => {
  const l = layOut(map, 1.5)
  const [w, h] = [300, 200]
  const px = new Uint32Array(w * h)
  const cells = Uint32Array.from({ length: 33 }, (_, i) => 1000 + i)
  let s = fit(l, w, h)
  for (const step of [1, 1.7, 3]) {
    s = keep(zoom(s, step, 120, 80, 0.1, 80), l, w, h)
    paint(px, w, h, l, s, { cells, page: 1, empty: 2, area: 3 })
    let painted = 0
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const c = px[y * w + x]!
        if (c < 1000) continue
        painted++
        // Rounding may put an edge half a pixel off: look at the pixel's middle.
        const at = hit(l, s.x + (x + 0.5) / s.scale, s.y + (y + 0.5) / s.scale)
        if (at !== c - 1000) expect([hit(l, s.x + x / s.scale, s.y + y / s.scale), hit(l, s.x + (x + 1) / s.scale, s.y + (y + 1) / s.scale)]).toContain(c - 1000)
      }
    }
    expect(painted).toBeGreaterThan(500)
  }
})

test('zooming keeps what is under the pointer there', () => {
  const s = zoom({ x: 3, y: 4, scale: 10 }, 2, 50, 70, 1, 100)
  expect([s.x + 50 / s.scale, s.y + 70 / s.scale]).toEqual([8, 11])
})

/** The bytes that the server sends, written a second time. */
function bytes({ flags = 0, machines = 4, entries = [1, 2, missing, 700] as number[], at = [] as number[], names = '', version = 0xaan }) {
  const text = new TextEncoder().encode(names)
  const b = new ArrayBuffer(64 + at.length * 4 + entries.length * 2 + text.length)
  const v = new DataView(b)
  v.setUint32(0, 0x424d4150)
  v.setUint16(4, 1, true)
  v.setUint16(6, flags, true)
  v.setBigUint64(8, version, true)
  v.setBigUint64(16, 5n, true)
  v.setBigUint64(24, 9n, true)
  v.setUint32(32, machines, true)
  v.setUint32(36, entries.length, true)
  v.setFloat32(40, 0.5, true)
  v.setFloat32(44, -10, true)
  v.setUint32(56, text.length, true)
  v.setUint32(60, 1234, true)
  at.forEach((i, k) => v.setUint32(64 + 4 * k, i, true))
  entries.forEach((n, k) => v.setUint16(64 + 4 * at.length + 2 * k, n, true))
  new Uint8Array(b).set(text, b.byteLength - text.length)
  return b
}

test('a state is read, and a change put on top of it', () => {
  const s = decode(bytes({}), 'temp')
  expect([...s.raw]).toEqual([1, 2, missing, 700])
  expect([valueOf(s, 0), valueOf(s, 2), valueOf(s, 3), valueOf(s, 9)]).toEqual([-9.5, null, 340, null])
  expect(s.since).toBe('5.9.00000000000000aa')
  const next = decode(bytes({ flags: 1, at: [2, 0], entries: [4, missing] }), 'temp', s)
  expect([...next.raw]).toEqual([missing, 2, 4, 700])
  expect([...next.changed!]).toEqual([2, 0])
})

test('what is no state, or does not fit, is refused', () => {
  expect(() => decode(new ArrayBuffer(3), 'temp')).toThrow(/no state/)
  expect(() => decode(new ArrayBuffer(100), 'temp')).toThrow(/no state/)
  expect(() => decode(bytes({}).slice(0, 68), 'temp')).toThrow(/cut short/)
  expect(() => decode(bytes({ flags: 1, at: [0], entries: [1] }), 'temp')).toThrow(/not here/)
  const s = decode(bytes({}), 'temp')
  expect(() => decode(bytes({ flags: 1, at: [0], entries: [1], version: 0xbbn }), 'temp', s)).toThrow(/not here/)
})

test('names have colours by how many carry them, in words for all', () => {
  const s = decode(bytes({ flags: 2, entries: [1, 1, 0, missing], names: 'S19\nS21' }), 'model')
  const c = nameColours(s)
  expect(c.counts).toEqual([1, 2])
  expect(c.untold).toBe(1)
  expect(c.colours[1]).toBe('#0072b2')
  expect(words(mapMetrics.find((m) => m.key === 'model')!, s, 3)).toBe('not told')
})

test('a scale from data ends at round numbers around most of it', () => {
  const s = { ...decode(bytes({}), 'power'), scale: 1, offset: 0 } as State
  s.raw = Uint16Array.from({ length: 1000 }, (_, i) => (i === 0 ? 60_000 : 3000 + i))
  const [low, high] = rangeOf(mapMetrics.find((m) => m.key === 'power')!, s)
  expect(low).toBeLessThanOrEqual(3030)
  expect(high).toBeGreaterThanOrEqual(3970)
  expect(high).toBeLessThan(5000)
  expect(low % 100).toBe(0)
})

test('ramps grow lighter all the way, so that they read without colour', () => {
  for (const ramp of ['good', 'bad'] as const) {
    let last = -1
    for (let i = 0; i <= 20; i++) {
      const [r, g, b] = rampAt(ramp, i / 20)
      const light = 0.2126 * r + 0.7152 * g + 0.0722 * b
      expect(light).toBeGreaterThan(last)
      last = light
    }
  }
})

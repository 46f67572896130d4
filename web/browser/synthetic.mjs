// A site that is only numbers, for measuring the page: the built dashboard with
// an API of the same form as Ballast's, over real HTTP, for any count of
// machines. Not a mock for tests: those run the real binary.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { extname, join, normalize } from 'node:path'
import { gzipSync } from 'node:zlib'

const dist = join(import.meta.dirname, '../dist')
const kinds = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const conditions = ['hashing', 'degraded', 'starting', 'sleeping', 'down', 'silent', 'locked', 'unknown']
const models = ['Antminer S19j Pro', 'Antminer S21', 'Antminer S21 XP', 'Whatsminer M50', 'Whatsminer M60S', 'Avalon 1566']
const firmwares = ['antminer', 'whatsminer', 'avalon', 'braiins', 'luxos', 'vnish']

// Small and the same at every run.
function random(seed) {
  let s = seed >>> 0
  return () => {
    s = (s + 0x6d2b79f5) >>> 0
    let t = Math.imul(s ^ (s >>> 15), 1 | s)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Starts a site of `count` machines of which `perSecond` answer in a second. */
export async function synthetic({ count, perSecond = count / 10, rows: withRows = true }) {
  const next = random(42)
  const perRack = 60
  const racksPer = 10
  const t0 = Math.floor(Date.now() / 1000)
  const place = (i) => ({ building: `Hall ${String.fromCharCode(65 + Math.floor(i / 5000) % 26)}${i >= 130_000 ? '2' : ''}`, container: `C${Math.floor(i / (perRack * racksPer)) + 1}`, rack: `R${(Math.floor(i / perRack) % racksPer) + 1}`, slot: (i % perRack) + 1 })
  const row = (i) => {
    const p = place(i)
    const condition = next() < 0.93 ? 'hashing' : conditions[1 + Math.floor(next() * 7)]
    const on = condition === 'hashing' || condition === 'degraded'
    const th = on ? Math.round((100 + next() * 200) * 1000) / 1000 : 0
    const w = on ? Math.round(th * (17 + next() * 12)) : 25
    return { id: i + 1, name: `m${i + 1}`, addr: `10.${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, make: 'Bitmain', model: models[i % models.length], firmware: firmwares[i % firmwares.length], site: 'Synthetic', group: `G${i % 12}`, place: `${p.building} / ${p.container} / ${p.rack} / ${p.slot}`, condition, since: t0 - Math.floor(next() * 86400), hashrate_ths: th, nominal_ths: 300, power_w: w, efficiency_j_per_th: on ? Math.round((w / th) * 100) / 100 : null, temp_c: Math.round((50 + next() * 45) * 10) / 10, faults: next() < 0.02 ? 1 : 0, warnings: 0, seen: t0 }
  }
  const all = Array.from({ length: count }, (_, i) => row(i))
  const areas = []
  for (let c = 0; c * perRack * racksPer < count; c++) {
    const first = c * perRack * racksPer
    const { building, container } = place(first)
    areas.push({ site: 'Synthetic', building, container, racks: Array.from({ length: Math.min(racksPer, Math.ceil((count - first) / perRack)) }, (_, r) => ({ name: `R${r + 1}`, slots: perRack, columns: 6, described: true, first: first + r * perRack, count: Math.min(perRack, count - first - r * perRack) })) })
  }
  const version = '00000000000000aa'
  const map = JSON.stringify({ version, areas, machines: all.map((r) => r.id), unplaced: 0, models, firmwares, groups: Array.from({ length: 12 }, (_, i) => `G${i}`) })
  const mapZ = gzipSync(map, { level: 1 })
  let rev = 1
  const changedAt = new Uint32Array(count).fill(1)
  const site = () => ({ name: 'Synthetic', zone: 'UTC', version: 'bench', simulated: true, now: new Date().toISOString(), machines: count, conditions: tally, hashrate_ths: 1, nominal_ths: 1, power_w: 1, unmetered: 0, efficiency_j_per_th: 20, hottest_c: 90, faults: 3, polls: { due: 1, failed: 0, in_flight: 0, in_time: 1 }, storing: {}, open_commands: 0, scan: { running: false, progress: {}, new: 0 } })
  const tally = Object.fromEntries(conditions.map((c) => [c, 0]))
  for (const r of all) tally[r.condition]++

  const value = {
    condition: (r) => conditions.indexOf(r.condition),
    hashrate: (r) => Math.round((1000 * r.hashrate_ths) / r.nominal_ths),
    temp: (r) => Math.round((r.temp_c + 100) * 10),
    efficiency: (r) => (r.efficiency_j_per_th === null ? 65535 : Math.round(r.efficiency_j_per_th * 100)),
    power: (r) => r.power_w,
    faults: (r) => r.faults,
    age: (r) => Math.max(0, Math.floor(Date.now() / 1000) - r.seen),
    model: (r) => models.indexOf(r.model),
    firmware: (r) => firmwares.indexOf(r.firmware),
    group: (r) => (r.id - 1) % 12,
  }
  const names = { condition: conditions, model: models, firmware: firmwares, group: Array.from({ length: 12 }, (_, i) => `G${i}`) }
  const scales = { hashrate: [0.1, 0], temp: [0.1, -100], efficiency: [0.01, 0] }
  function state(metric, since) {
    const of = value[metric]
    const [, r, v] = since.split('.')
    const delta = v === version
    const changed = []
    if (delta) for (let i = 0; i < count; i++) if (changedAt[i] > Number(r)) changed.push(i)
    const partly = delta && changed.length * 6 < count * 2
    const entries = partly ? changed.length : count
    const text = Buffer.from((names[metric] ?? []).join('\n'))
    const b = Buffer.alloc(64 + entries * (partly ? 6 : 2) + text.length)
    b.write('BMAP')
    b.writeUInt16LE(1, 4)
    b.writeUInt16LE((partly ? 1 : 0) | (names[metric] ? 2 : 0), 6)
    b.writeBigUInt64LE(BigInt(`0x${version}`), 8)
    b.writeBigUInt64LE(7n, 16)
    b.writeBigUInt64LE(BigInt(rev), 24)
    b.writeUInt32LE(count, 32)
    b.writeUInt32LE(entries, 36)
    const [scale, offset] = scales[metric] ?? [1, 0]
    b.writeFloatLE(scale, 40)
    b.writeFloatLE(offset, 44)
    b.writeFloatLE(Number.NaN, 48)
    b.writeFloatLE(Number.NaN, 52)
    b.writeUInt32LE(text.length, 56)
    b.writeUInt32LE(Math.floor(Date.now() / 1000), 60)
    if (partly) {
      changed.forEach((i, k) => {
        b.writeUInt32LE(i, 64 + 4 * k)
        b.writeUInt16LE(of(all[i]), 64 + 4 * entries + 2 * k)
      })
    } else for (let i = 0; i < count; i++) b.writeUInt16LE(of(all[i]), 64 + 2 * i)
    text.copy(b, b.length - text.length)
    return b
  }

  const listeners = new Set()
  let cursor = 0
  const beat = setInterval(() => {
    rev++
    const changed = []
    const now = Math.floor(Date.now() / 1000)
    for (let n = 0; n < perSecond; n++) {
      const i = cursor++ % count
      const r = all[i]
      if (r.hashrate_ths > 0) r.hashrate_ths = Math.round(r.hashrate_ths * (0.99 + next() * 0.02) * 1000) / 1000
      r.temp_c = Math.round((r.temp_c + next() - 0.5) * 10) / 10
      r.seen = now
      changedAt[i] = rev
      changed.push(r)
    }
    const text = (withRows ? `id: b.${rev}\nevent: machines\ndata: ${JSON.stringify({ all: false, rows: changed })}\n\n` : '') + `event: site\ndata: ${JSON.stringify(site())}\n\n`
    for (const l of listeners) l.write(text)
  }, 1000)

  const json = (res, v) => res.writeHead(200, { 'Content-Type': 'application/json' }).end(typeof v === 'string' ? v : JSON.stringify(v))
  const server = createServer((req, res) => {
    const url = new URL(req.url, 'http://x')
    const path = url.pathname
    if (path === '/api/v1/live') {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
      res.write(`id: b.${rev}\nevent: machines\ndata: ${JSON.stringify({ all: true, rows: withRows ? all : [] })}\n\nevent: site\ndata: ${JSON.stringify(site())}\n\n`)
      listeners.add(res)
      req.on('close', () => listeners.delete(res))
    } else if (path === '/api/v1/map') res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }).end(mapZ)
    else if (path === '/api/v1/map/state') res.writeHead(200, { 'Content-Type': 'application/vnd.ballast.map' }).end(state(url.searchParams.get('metric') ?? 'condition', url.searchParams.get('since') ?? ''))
    else if (path === '/api/v1/session') json(res, { name: 'bench', rights: ['look', 'repair', 'command', 'configure', 'administer', 'money'], scopes: [] })
    else if (path === '/api/v1/sites') json(res, [{ name: 'Synthetic', title: 'Synthetic', machines: count }])
    else if (path.startsWith('/api/')) json(res, [])
    else {
      const file = normalize(path).replace(/^(\.\.[/\\])+/, '')
      const name = extname(file) ? join(dist, file) : join(dist, 'index.html')
      try {
        res.writeHead(200, { 'Content-Type': kinds[extname(name)] ?? 'application/octet-stream' }).end(readFileSync(name))
      } catch {
        res.writeHead(404).end()
      }
    }
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () =>
      new Promise((done) => {
        clearInterval(beat)
        for (const l of listeners) l.destroy()
        server.closeAllConnections()
        server.close(done)
      }),
  }
}

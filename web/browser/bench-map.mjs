// Measures the page of machines: frames of the map while it is moved and
// recoloured, the table's answers, and what an open page takes of a core. Not
// part of the tests: figures depend on the machine and what else it does.
//
//   node browser/bench-map.mjs            10,000 and 200,000 synthetic machines
//   node browser/bench-map.mjs --real 1000   the same page on the real binary with a simulated site
//
// Needs web/dist (npm run build); --real needs bin/ballast, too. Besides frames
// on the clock, which other load on the machine spoils, it says the processor
// time of the page a frame, which it does not.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { existsSync } from 'node:fs'
import { setUp, start } from './site.mjs'
import { synthetic } from './synthetic.mjs'

const real = process.argv.includes('--real') ? Number(process.argv[process.argv.indexOf('--real') + 1] || 1000) : 0
const only = process.argv.includes('--only') ? Number(process.argv[process.argv.indexOf('--only') + 1]) : 0
const load = () => `load ${loadavg()[0].toFixed(1)} on ${cpus().length} cores`

/** A process and all below it. */
function below(root) {
  const parents = new Map()
  for (const pid of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // gone meanwhile
    }
  }
  return [...parents.keys()].filter((pid) => {
    for (let p = pid; p > 1; p = parents.get(p) ?? 0) if (p === root) return true
    return false
  })
}

/** Processor seconds of a process and all below it. */
function spent(root) {
  let sum = 0
  for (const pid of below(root)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const f = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      sum += (Number(f[11]) + Number(f[12])) / 100
    } catch {
      // gone meanwhile
    }
  }
  return sum
}

async function open() {
  const dir = mkdtempSync(join(tmpdir(), 'ballast-bench-'))
  const path = [process.env.CHROME, '/usr/bin/chromium', '/usr/bin/google-chrome'].find((p) => p && existsSync(p))
  const context = await chromium.launchPersistentContext(dir, { executablePath: path, viewport: { width: 1500, height: 950 }, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] })
  const root = Number(readdirSync('/proc').find((n) => {
    try {
      return /^\d+$/.test(n) && readFileSync(`/proc/${n}/cmdline`, 'utf8').includes(dir) && !readFileSync(`/proc/${n}/cmdline`, 'utf8').includes('--type=')
    } catch {
      return false
    }
  }))
  const page = context.pages()[0] ?? (await context.newPage())
  // Nanoseconds on a core of the page's main thread, as the kernel counts them.
  const thread = async () => {
    let most = 0
    for (const pid of below(root)) {
      try {
        if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) most = Math.max(most, Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9)
      } catch {
        // gone meanwhile
      }
    }
    return most
  }
  return { page, root, thread, close: async () => (await context.close(), rmSync(dir, { recursive: true, force: true })) }
}

/** Moves the map to and fro for some seconds, with a new colour now and then. */
async function moving({ page, root, thread }, seconds, recolour) {
  const before = await thread()
  const all = spent(root)
  const got = await page.evaluate(
    ({ seconds, recolour }) =>
      new Promise((done) => {
        const canvas = document.querySelector('[data-testid=map]')
        const box = canvas.getBoundingClientRect()
        const x = box.left + box.width / 2
        const y = box.top + box.height / 2
        const fire = (type, dx, dy) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: 1, pointerType: 'mouse', isPrimary: true, button: 0, buttons: 1, bubbles: true, clientX: x + dx, clientY: y + dy }))
        canvas.setPointerCapture = () => undefined
        const select = document.querySelector('select[aria-label="Colour by"]')
        const metrics = ['temp', 'hashrate', 'efficiency', 'power', 'model', 'condition']
        const set = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set
        for (let i = 0; i < 4; i++) canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: -120, clientX: x, clientY: y, bubbles: true, cancelable: true }))
        fire('pointerdown', 0, 0)
        const times = []
        const began = performance.now()
        let last = began
        let coloured = 0
        const frame = (now) => {
          times.push(now - last)
          last = now
          const t = (now - began) / 1000
          fire('pointermove', 180 * Math.sin(t * 3), 120 * Math.cos(t * 2.3))
          if (recolour && t > coloured + 0.5) {
            coloured = t
            set.call(select, metrics[Math.floor(t * 2) % metrics.length])
            select.dispatchEvent(new Event('change', { bubbles: true }))
          }
          if (t < seconds) requestAnimationFrame(frame)
          else {
            fire('pointerup', 0, 0)
            times.sort((a, b) => a - b)
            done({ frames: times.length, seconds: (now - began) / 1000, p95: times[Math.floor(times.length * 0.95)], worst: times[times.length - 1] })
          }
        }
        requestAnimationFrame(frame)
      }),
    { seconds, recolour },
  )
  const cpu = ((await thread()) - before) * 1000
  return { ...got, fps: got.frames / got.seconds, cpuPerFrame: cpu / got.frames, allPerFrame: ((spent(root) - all) * 1000) / got.frames }
}

/** Milliseconds from an input to the second frame after it. */
async function answer({ page, thread }, doing, arg) {
  const cpu = await thread()
  const ms = await page.evaluate(
    async ({ doing, arg }) => {
      const began = performance.now()
      if (doing === 'click') document.querySelector(arg).click()
      else {
        const input = document.querySelector('input[aria-label="Filter machines"]')
        const count = () => document.querySelector('[data-testid=count]').textContent
        const was = count()
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, arg)
        input.dispatchEvent(new Event('input', { bubbles: true }))
        while (count() === was && performance.now() - began < 5000) await new Promise((d) => setTimeout(d, 1))
      }
      await new Promise((d) => requestAnimationFrame(() => requestAnimationFrame(d)))
      return performance.now() - began
    },
    { doing, arg },
  )
  return { ms, cpu: ((await thread()) - cpu) * 1000 }
}

const f = (n, d = 1) => n.toFixed(d)

async function measure(name, url, show, b) {
  const { page, root } = b
  const began = Date.now()
  await page.goto(`${url}/machines?show=${show}`)
  await page.getByTestId('map').waitFor({ timeout: 120_000 })
  await page.getByTestId('legend').locator('*').first().waitFor({ timeout: 120_000 })
  console.log(`${name}: map shown after ${f((Date.now() - began) / 1000)} s (${load()})`)
  for (const recolour of [false, true]) {
    const m = await moving(b, 6, recolour)
    console.log(`  ${recolour ? 'moving and recolouring' : 'moving                '}  ${f(m.fps, 0)} frames/s, 95 % within ${f(m.p95)} ms, worst ${f(m.worst)} ms, processor ${f(m.cpuPerFrame)} ms a frame in the page, ${f(m.allPerFrame)} ms in the whole browser (${load()})`)
  }
  await page.evaluate(() => [...document.querySelectorAll('button')].find((x) => x.textContent === 'Whole site')?.click())
  const whole = await moving(b, 4, false)
  console.log(`  zoomed from the whole site ${f(whole.fps, 0)} frames/s, processor ${f(whole.cpuPerFrame)} ms a frame in the page`)
  if ((await page.getByTestId('machines').count()) > 0) {
    for (const [what, doing, arg] of [
      ['sort by TH/s', 'click', '[data-testid=machines] .head [role=columnheader]:nth-child(5) button'],
      ['sort the other way', 'click', '[data-testid=machines] .head [role=columnheader]:nth-child(5) button'],
      ['filter by words', 'type', 's21'],
      ['filter by figures', 'type', 'temp>80 j/th>20'],
      ['no filter', 'type', ''],
      ['choose one', 'click', '[data-testid=machines] .line input'],
      ['choose all', 'click', '[data-testid=machines] .head input'],
      ['choose none', 'click', '[data-testid=machines] .head input'],
    ]) {
      const a = await answer(b, doing, arg)
      console.log(`  ${what.padEnd(20)} ${f(a.ms, 0).padStart(5)} ms to the second frame after, ${f(a.cpu, 0)} ms of processor in the page`)
    }
  }
  const pages = [
    ['map', '/machines?show=map'],
    ['map and table', '/machines?show=both'],
    ['table', '/machines?show=table'],
    ['Now', '/'],
  ]
  for (const [what, path] of show === 'map' ? pages.slice(0, 1) : pages) {
    await page.goto(url + path)
    await page.getByText('● live').waitFor()
    await page.waitForTimeout(6000)
    const seconds = Number(process.env.BENCH_SECONDS ?? 15)
    const [t0, c0, m0] = [Date.now(), spent(root), await b.thread()]
    await page.waitForTimeout(seconds * 1000)
    const took = (Date.now() - t0) / 1000
    console.log(`  open on ${what.padEnd(14)} ${f((100 * (spent(root) - c0)) / took)} % of a core for the whole browser, ${f((100 * ((await b.thread()) - m0)) / took)} % for the page's main thread of it (${load()})`)
  }
}

const b = await open()
try {
  if (real > 0) {
    const site = await start(['--simulate', String(real), '--set', 'fleet.interval=10s'])
    try {
      await setUp(b.page, site.link)
      await b.page.waitForFunction((n) => Number(document.querySelector('[data-testid=count]')?.textContent?.match(/of ([\d,]+)/)?.[1].replaceAll(',', '')) >= n, real, { timeout: 300_000 })
      await measure(`${real} simulated machines, real binary`, site.url, 'both', b)
    } finally {
      await site.stop()
    }
  } else {
    for (const [count, rows] of [
      [10_000, true],
      [200_000, false],
    ]) {
      if (only && only !== count) continue
      const site = await synthetic({ count, rows, perSecond: count / (count > 50_000 ? 60 : 10) })
      try {
        await measure(`${count} synthetic machines${rows ? ', a tenth of them polled each second' : ', the map alone (no rows in the stream)'}`, site.url, rows ? 'both' : 'map', b)
      } finally {
        await site.stop()
      }
    }
  }
} finally {
  await b.close()
}

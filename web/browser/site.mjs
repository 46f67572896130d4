// Starts the real binary with a simulated site, and a real browser.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'

const root = resolve(import.meta.dirname, '../..')
export const binary = process.env.BALLAST_BIN ?? join(root, 'bin/ballast')
export const shots = join(root, 'web/screenshots')
mkdirSync(shots, { recursive: true })

// Two runs side by side are on networks of their own, large enough for 300
// machines with their meters, and small enough to be scanned within a second.
const network = `127.${100 + (process.pid % 100)}.${(process.pid % 16) * 8}.0/21`

/** How long anything may take that is not measured: a machine that compiles
 * something else meanwhile is no fault of the page. Tests wait for what they
 * expect, and go on as soon as it is there. */
export const slow = 120_000

/** Runs `ballast run` on a free port and waits for its set-up link. */
export async function start(args, { data = mkdtempSync(join(tmpdir(), 'ballast-browser-')), link = true, env = {} } = {}) {
  const child = spawn(binary, ['run', '--data', data, '--set', 'listen=127.0.0.1:0', '--set', 'fleet.interval=2s', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { BALLAST_SIM_NETWORK: network, ...process.env, ...env } })
  let out = ''
  let err = ''
  child.stderr.on('data', (b) => (err += b))
  const found = await new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`no link after ${slow / 1000} s\n${out}\n${err}`)), slow)
    child.stdout.on('data', (b) => {
      out += b
      const m = out.match(link ? /(http:\/\/\S+\/setup#\S+)/ : /Dashboard: (http:\/\/\S+)/)
      if (m) {
        clearTimeout(timer)
        done(m[1])
      }
    })
    child.on('exit', (code) => fail(new Error(`ballast stopped with ${code}\n${out}\n${err}`)))
  })
  return {
    data,
    link: found,
    url: new URL(found).origin,
    /** Address of the simulator's control API. */
    control: () => err.match(/controlled at (http:\/\/\S+)/)?.[1],
    log: () => err,
    kill: (signal = 'SIGKILL') =>
      new Promise((done) => {
        if (child.exitCode !== null) return done()
        child.removeAllListeners('exit')
        child.on('exit', done)
        child.kill(signal)
      }),
    async stop() {
      await this.kill('SIGINT')
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** A simulator of its own, which Ballast is not told about. */
export async function simulator(args) {
  const child = spawn(binary, ['sim', '--ready', '--control', '127.0.0.1:0', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let err = ''
  child.stderr.on('data', (b) => (err += b))
  const ready = await new Promise((done, fail) => {
    let out = ''
    const timer = setTimeout(() => fail(new Error('the simulator is not ready: ' + err)), slow)
    child.stdout.on('data', (b) => {
      out += b
      if (out.includes('\n')) {
        clearTimeout(timer)
        done(JSON.parse(out.slice(0, out.indexOf('\n'))))
      }
    })
    child.on('exit', (code) => fail(new Error(`the simulator stopped with ${code}: ${err}`)))
  })
  return {
    ready,
    stop: () =>
      new Promise((done) => {
        if (child.exitCode !== null) return done()
        child.removeAllListeners('exit')
        child.on('exit', done)
        child.stdin.end()
        child.kill('SIGINT')
      }),
  }
}

export async function browser() {
  const path = [process.env.CHROME, '/usr/bin/chromium', '/usr/bin/google-chrome'].find((p) => p && existsSync(p))
  return chromium.launch({
    executablePath: path,
    timeout: slow,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}

/** A page in a context of its own: as wide as a desk's screen, patient, and
 * without the motion that pictures and axe would catch half way. */
export async function visit(chrome, { width = 1400, height = 900, ...more } = {}) {
  const context = await chrome.newContext({ viewport: { width, height }, reducedMotion: 'reduce', ...more })
  context.setDefaultTimeout(slow)
  context.setDefaultNavigationTimeout(slow)
  return context.newPage()
}

/** What the browser complains of on a page, as long as it is not an answer that
 * the tests provoke. */
export function watch(page, complaints, expected = /401|403|404|409|412|422|ERR_CONNECTION|Failed to load resource/) {
  page.on('pageerror', (e) => complaints.push(`${page.url()}: ${e}`))
  page.on('console', (m) => m.type() === 'error' && !expected.test(m.text()) && complaints.push(`${page.url()}: ${m.text()}`))
  return page
}

/** Asks until `ask` gives something true, and gives that back. */
export async function until(what, ask, { timeout = slow, every = 100 } = {}) {
  const end = Date.now() + timeout
  for (;;) {
    const got = await ask()
    if (got) return got
    if (Date.now() > end) throw new Error(`after ${timeout / 1000} s still not: ${what}`)
    await new Promise((done) => setTimeout(done, every))
  }
}

/** Lets the page paint what it knows, and colours and shadows come to rest:
 * axe judges what stands, not what moves. */
export const painted = (page) =>
  page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done))
    await frame()
    await frame()
    const moving = document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime < 5000)
    await Promise.allSettled(moving.map((a) => a.finished))
    await frame()
  })

export const password = 'correct horse battery'

/** Makes an account by a set-up link, through the page. */
export async function setUp(page, link, name = 'alice') {
  await page.goto(link)
  await page.getByLabel('Name to sign in with').fill(name)
  await page.getByLabel('Password', { exact: false }).first().fill(password)
  await page.getByRole('button', { name: 'Set up and sign in' }).click()
  await page.locator('[data-testid=figures], [data-testid=empty]').first().waitFor({ timeout: slow })
}

/** Signs in through the page. */
export async function signIn(page, url, name = 'alice', word = password) {
  await page.goto(`${url}/sign-in`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').first().fill(word)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.locator('[data-testid=figures], [data-testid=empty]').first().waitFor({ timeout: slow })
}

/** A page of somebody else, invited by the one who is signed in on `page`. */
export async function invite(page, chrome, role, name) {
  const { status, text } = await page.evaluate(async (role) => {
    const res = await fetch('/api/v1/invites', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ grants: [{ role }] }) })
    return { status: res.status, text: await res.text() }
  }, role)
  const link = text.match(/\/setup#[\w.~-]+/)?.[0]
  if (status !== 201 || !link) throw new Error(`no invitation: ${status} ${text}`)
  const p = await visit(chrome)
  await setUp(p, new URL(page.url()).origin + link, name)
  return p
}

/** Waits on Now until all machines of the site are found. */
export const found = (page, machines, timeout = slow) => page.waitForFunction((n) => Number(document.querySelector('[data-testid=count]')?.textContent?.match(/of ([\d,]+)/)?.[1].replaceAll(',', '')) >= n, machines, { timeout })

/** How many machines the shared site has. */
export const sharedMachines = 120

/** A signed-in page on a simulated site. Files that leave the site as usable as
 * they found it share one (run.mjs starts it); run by itself, each starts its
 * own. */
export async function shared(chrome, options = {}) {
  if (process.env.BALLAST_SHARED_SITE) {
    const { state, ...site } = JSON.parse(readFileSync(process.env.BALLAST_SHARED_SITE, 'utf8'))
    const page = await visit(chrome, { storageState: state, ...options })
    await page.goto(site.url)
    await page.getByTestId('figures').waitFor()
    return { page, site: { ...site, control: () => site.controlled, stop: async () => undefined } }
  }
  const site = await start(['--simulate', String(sharedMachines)])
  const page = await visit(chrome, options)
  await setUp(page, site.link)
  await found(page, sharedMachines)
  return { page, site }
}

// Starts the real binary with a simulated site, and a real browser.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'

const root = resolve(import.meta.dirname, '../..')
export const binary = process.env.BALLAST_BIN ?? join(root, 'bin/ballast')
export const shots = join(root, 'web/screenshots')
mkdirSync(shots, { recursive: true })

// Files of tests run side by side, each in a process and on a network of its own.
const network = `127.${100 + (process.pid % 100)}.0.0/16`

/** Runs `ballast run` on a free port and waits for its set-up link. */
export async function start(args, { data = mkdtempSync(join(tmpdir(), 'ballast-browser-')), link = true } = {}) {
  const child = spawn(binary, ['run', '--data', data, '--set', 'listen=127.0.0.1:0', '--set', 'fleet.interval=2s', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { BALLAST_SIM_NETWORK: network, ...process.env } })
  let out = ''
  let err = ''
  child.stderr.on('data', (b) => (err += b))
  const found = await new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`no link after 60 s\n${out}\n${err}`)), 60_000)
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

export async function browser() {
  const path = [process.env.CHROME, '/usr/bin/chromium', '/usr/bin/google-chrome'].find((p) => p && existsSync(p))
  return chromium.launch({
    executablePath: path,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}

export const password = 'correct horse battery'

/** Sets up the first account through the page. */
export async function setUp(page, link) {
  await page.goto(link)
  await page.getByLabel('Name to sign in with').fill('alice')
  await page.getByLabel('Password', { exact: false }).first().fill(password)
  await page.getByRole('button', { name: 'Set up and sign in' }).click()
  await page.locator('[data-testid=figures], [data-testid=empty]').first().waitFor({ timeout: 20_000 })
}

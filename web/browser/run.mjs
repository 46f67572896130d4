// Runs the browser tests:
//
//     node browser/run.mjs              all of them
//     node browser/run.mjs access page  those
//
// Files that only look, or put back what they change, share one site and one
// account; starting those anew for each costs more than the tests themselves.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { browser, found, setUp, sharedMachines, start, visit } from './site.mjs'

const here = import.meta.dirname
const wanted = process.argv.slice(2)
const all = readdirSync(here).filter((f) => f.endsWith('.test.mjs')).map((f) => f.replace('.test.mjs', ''))
const unknown = wanted.filter((n) => !all.includes(n))
if (unknown.length) {
  console.error(`no such browser tests: ${unknown.join(', ')}; there are ${all.join(', ')}`)
  process.exit(2)
}
const files = (wanted.length ? wanted : all).map((name) => ({ name, path: join(here, `${name}.test.mjs`) }))
for (const f of files) f.shares = /\bshared\(/.test(readFileSync(f.path, 'utf8'))

const seconds = (since) => ((Date.now() - since) / 1000).toFixed(0)
const children = new Set()

/** Runs one file; what it says is shown at once, or, of one that runs beside
 * another, at its end. */
async function run(f, env, beside = false) {
  const at = Date.now()
  if (!beside) console.log(`\n${f.name}`)
  const child = spawn(process.execPath, ['--test', '--test-reporter=spec', f.path], { stdio: ['ignore', beside ? 'pipe' : 'inherit', 'inherit'], env: { ...process.env, ...env } })
  children.add(child)
  let said = ''
  child.stdout?.on('data', (b) => (said += b))
  const code = await new Promise((done) => child.on('close', (code) => done(code ?? 1)))
  children.delete(child)
  if (beside) console.log(`\n${f.name}\n${said}`)
  if (code) again.push(f)
  sums.push(`${code ? 'failed' : 'passed'} ${f.name.padEnd(12)} ${seconds(at).padStart(4)} s`)
}

/** What a file needs to know of the site that it shares, if it does. */
async function stage(f) {
  if (!f.shares || files.filter((x) => x.shares).length < 2) return {}
  if (!site) {
    site = await start(['--simulate', String(sharedMachines)])
    const chrome = await browser()
    const page = await visit(chrome)
    await setUp(page, site.link)
    await found(page, sharedMachines)
    const state = await page.context().storageState()
    await chrome.close()
    writeFileSync(join(work, 'site.json'), JSON.stringify({ url: site.url, data: site.data, controlled: site.control(), state }), { mode: 0o600 })
  }
  return { BALLAST_SHARED_SITE: join(work, 'site.json') }
}

// Files that measure how fast a page is run alone. The others wait more than they
// work, and go two at a time.
const measured = new Set(['frame', 'stories'])

/** The longest last; a file that is not here is among the shortest. */
const longest = ['bulk', 'places', 'outlook', 'debt', 'access', 'alarms', 'power']

const begun = Date.now()
const sums = []
const work = mkdtempSync(join(tmpdir(), 'ballast-browser-run-'))
let site
let failed = 0
let again = [] // failed once
const end = async () => {
  await site?.stop()
  rmSync(work, { recursive: true, force: true })
}
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const c of children) c.kill(signal)
    void end().then(() => process.exit(130))
  })

try {
  for (const f of files.filter((f) => measured.has(f.name))) await run(f, await stage(f))
  // In one lane those that share a site: the reports of an untouched one, commands
  // and groups, and every page with all of that. In the other those with sites of
  // their own, the longest first. Whoever is done helps with what is left of these.
  const rest = files.filter((f) => !measured.has(f.name))
  const sharing = rest.filter((f) => f.shares).toSorted((a, b) => b.name.localeCompare(a.name))
  const own = rest.filter((f) => !f.shares).toSorted((a, b) => longest.indexOf(b.name) - longest.indexOf(a.name))
  const pair = sharing.length + own.length > 1
  const lane = async (mine) => {
    for (let f; (f = mine.shift() ?? own.shift()); ) await run(f, await stage(f), pair)
  }
  await Promise.all([lane(sharing), lane([])])
  // A browser, a simulator and a server on two cores with who knows what beside
  // them: a few files that failed get a second try, alone and on a fresh site, and
  // the sum says so. What fails twice has failed.
  const once = again
  again = []
  for (const f of once.length <= 3 ? once : []) {
    await site?.stop()
    site = undefined
    console.log(`\n${f.name}, a second time`)
    await run(f, await stage(f))
  }
  failed = once.length <= 3 ? again.length : once.length
} finally {
  await end()
}
console.log(`\n${sums.join('\n')}\nbrowser tests: ${files.length - failed} of ${files.length} files passed in ${seconds(begun)} s`)
process.exit(failed ? 1 : 0)

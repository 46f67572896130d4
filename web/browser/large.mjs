// The page against the running binary with as many machines as a large site has.
// Not part of `make test`: it wants a machine to itself for a few minutes.
//
//   node --test browser/large.mjs                            10,000 machines, polled every 10 s
//   BALLAST_BROWSER_MACHINES=2000 node --test browser/large.mjs
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findings, tooWide } from './axe.mjs'
import { browser, found, painted, setUp, shots, start, until, visit, watch } from './site.mjs'

const machines = Number(process.env.BALLAST_BROWSER_MACHINES ?? 10_000)
const words = machines.toLocaleString('en-US')
let site, chrome, page
const complaints = []

before(async () => {
  site = await start(['--simulate', String(machines), '--set', 'fleet.interval=10s'], { env: { BALLAST_SIM_NETWORK: '127.60.0.0/16' } })
  chrome = await browser()
  page = watch(await visit(chrome), complaints)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

/** How long something takes, told as it passes. */
async function timed(what, most, act) {
  const at = performance.now()
  await act()
  const took = Math.round(performance.now() - at)
  console.log(`  ${what}: ${took} ms`)
  assert.ok(took < most, `${what} took ${took} ms, ${most} at most`)
}
const rows = () => page.evaluate(async () => (await (await fetch('/api/v1/machines?limit=10000')).json()).machines)
const figure = async (name) => Number((await page.locator('.figure', { has: page.getByText(name, { exact: true }) }).locator('.value').innerText()).replaceAll(',', '').match(/[\d.]+/)?.[0])

test('every machine is found and polled, and the page says so while it goes on', async () => {
  await setUp(page, site.link)
  const at = Date.now()
  // Polls go before the scan, and a browser beside them: it walks.
  await found(page, machines, 420_000)
  console.log(`  ${words} machines after ${((Date.now() - at) / 1000).toFixed(0)} s`)
  await until('nine tenths hash', async () => (await rows()).filter((m) => m.hashrate_ths > 0).length > 0.9 * machines, { timeout: 300_000, every: 5000 })
  assert.ok((await figure('Power')) > 0)
  await page.getByText('● live').waitFor()
  await painted(page)
  await page.screenshot({ path: join(shots, 'large-now.png') })
})

test('the page stays live: figures move and no row is older than two polls', async () => {
  const before = await page.getByTestId('figures').innerText()
  await page.waitForFunction((b) => document.querySelector('[data-testid=figures]')?.innerText !== b, before)
  const late = await until('rows that are fresh', async () => {
    const all = await rows()
    assert.equal(all.length, machines)
    const old = all.filter((m) => m.last_poll && Date.now() - Date.parse(m.last_poll) > 25_000).length
    return old < machines / 100 ? { old } : undefined
  }, { timeout: 60_000, every: 5000 })
  console.log(`  ${late.old} rows older than 25 s`)
})

test('the table: open, sort, filter, scroll to the end', async () => {
  await timed('open the table', 15_000, async () => {
    await page.goto(`${site.url}/machines`)
    await page.waitForFunction((n) => document.querySelector('[data-testid=count]')?.textContent.includes(`of ${n}`), words)
  })
  await timed('filter', 5_000, async () => {
    await page.getByLabel('Filter machines').fill('whatsminer')
    await page.waitForFunction((n) => !document.querySelector('[data-testid=count]')?.textContent.startsWith(n), words)
  })
  await page.getByLabel('Filter machines').fill('')
  await page.waitForFunction((n) => document.querySelector('[data-testid=count]')?.textContent.startsWith(n), words)
  await page.goto(`${site.url}/machines?show=table`)
  const header = page.getByRole('columnheader').filter({ hasText: /TH\/s/ }).first()
  await header.waitFor()
  await timed('sort', 5_000, async () => {
    await header.getByRole('button').click()
    await page.locator('[role=columnheader][aria-sort]').filter({ hasText: /TH\/s/ }).waitFor()
  })
  await timed('scroll to the end', 5_000, async () => {
    await page.getByRole('grid').evaluate((grid) => grid.scrollTo(0, grid.scrollHeight))
    await page.locator(`[role=row][aria-rowindex="${machines + 1}"]`).waitFor()
  })
  await painted(page)
  await page.screenshot({ path: join(shots, 'large-machines.png') })
  assert.deepEqual(await findings(page), [])
})

test('the map, and one machine from search with its boards and history', async () => {
  await timed('open the map', 15_000, async () => {
    await page.goto(`${site.url}/machines?show=map`)
    await page.getByTestId('legend').getByText(/hashing/).waitFor()
  })
  await painted(page)
  await page.screenshot({ path: join(shots, 'large-map.png') })
  await page.keyboard.press('/')
  await timed('search', 5_000, async () => {
    await page.getByRole('combobox', { name: 'Search everything' }).fill('antminer s21')
    await page.locator('#hits [role=option]', { hasText: 'S21' }).first().waitFor()
  })
  await timed('one machine', 15_000, async () => {
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/machines\/\d+/)
    await page.getByTestId('boards').waitFor()
    await page.getByTestId('history').locator('canvas').first().waitFor()
  })
  await page.screenshot({ path: join(shots, 'large-machine.png') })
})

test('a fault is found within three clicks from Now', async () => {
  await page.goto(`${site.url}/`)
  await page.getByTestId('look').waitFor()
  const rig = Math.floor(machines / 3)
  const res = await fetch(site.control() + '/faults', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ rig, kind: 'power-off' }) })
  assert.ok(res.ok, await res.text())
  const { addr } = (await (await fetch(site.control() + '/rigs')).json())[rig]
  const sick = (await rows()).find((m) => m.addr === addr)
  const entry = page.getByTestId('look').getByRole('link', { name: new RegExp(sick.name.replaceAll('.', '\\.')) })
  await entry.waitFor()
  await entry.click()
  await page.waitForURL(new RegExp(`/machines/${sick.id}`))
  await page.getByText(/does not answer/i).first().waitFor()
})

test('dark, and on a phone', async () => {
  await page.goto(`${site.url}/`)
  await page.getByTestId('figures').waitFor()
  await page.emulateMedia({ colorScheme: 'dark' })
  await painted(page)
  await page.screenshot({ path: join(shots, 'large-now-dark.png') })
  await page.setViewportSize({ width: 390, height: 844 })
  await painted(page)
  assert.ok((await tooWide(page)) <= 0)
  await page.screenshot({ path: join(shots, 'large-now-phone.png') })
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

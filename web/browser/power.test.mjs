// What power costs, in a real browser against a running binary with a simulated
// market: prices, forecasts, contracts, statements.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { browser, setUp, shots, start } from './site.mjs'

let site, chrome, page
const problems = []

before(async () => {
  site = await start(['--simulate', '60'])
  chrome = await browser()
  const context = await chrome.newContext({ viewport: { width: 1360, height: 900 } })
  page = await context.newPage()
  page.on('console', (m) => m.type() === 'error' && problems.push(m.text()))
  page.on('pageerror', (e) => problems.push(String(e)))
  await setUp(page, site.link)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const go = async (path) => {
  await page.goto(site.url + path)
  await page.getByRole('heading', { level: 1 }).waitFor()
}

/** Light, dark, and phone. */
async function look(name) {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme })
    await page.evaluate((s) => localStorage.setItem('mantine-color-scheme-value', s), scheme)
    await page.reload()
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForTimeout(1500)
    await page.screenshot({ path: join(shots, `power-${name}-${scheme}.png`), fullPage: true })
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.evaluate(() => localStorage.setItem('mantine-color-scheme-value', 'light'))
  await page.setViewportSize({ width: 390, height: 844 })
  await page.reload()
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.waitForTimeout(1500)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 1, `${name} scrolls sideways by ${wide} px on a phone`)
  await page.screenshot({ path: join(shots, `power-${name}-phone.png`), fullPage: true })
  await page.setViewportSize({ width: 1360, height: 900 })
}

test('the price now, what it is made of, and what it will be', async () => {
  await go('/power')
  await page.getByTestId('simulated').waitFor({ timeout: 30_000 })
  await page.getByTestId('breakdown').getByText('Energy').first().waitFor({ timeout: 30_000 })
  const rows = await page.getByTestId('breakdown').locator('tbody tr').count()
  assert.ok(rows >= 4, `${rows} rows of the breakdown`)
  await page.getByText('The contract in plain words').click()
  await page.getByText(/Energy is metered energy plus/).waitFor()
  // The forecaster needs some seconds for its first fan.
  await page.getByTestId('fan').getByText(/Bands hold 50 and 90 %/).waitFor({ timeout: 180_000 })
  assert.ok((await page.getByTestId('next').locator('tbody tr').count()) >= 20)
  await look('price')
})

test('accuracy against naive forecasts', async () => {
  await go('/power/accuracy')
  const board = page.getByTestId('board-sim.dam-day')
  await board.getByText('naive-week@1').waitFor({ timeout: 180_000 })
  await board.getByText(/^lear@1/).first().waitFor({ timeout: 180_000 })
  // The first row has the least pinball loss: no naive one.
  const first = await board.locator('tbody tr').first().textContent()
  assert.doesNotMatch(first, /naive/)
  await page.getByTestId('cards').getByText('lasso on the prices').first().waitFor({ timeout: 60_000 })
  await page.getByLabel('Only made in advance').check({ force: true })
  await page.getByText(/made in advance is scored yet|next hour/).first().waitFor()
  await look('accuracy')
})

test('feeds tell how fresh they are', async () => {
  await go('/power/feeds')
  await page.getByTestId('feeds').getByText('simulated market: rtm').waitFor()
  assert.equal(await page.getByTestId('feeds').getByText('well', { exact: true }).count(), 5)
  await page.getByTestId('series').getByText('sim.rtm').waitFor()
  await look('feeds')
})

test('a contract is edited, checked by line, tried and saved', async () => {
  await go('/power/contracts')
  await page.getByText('Simulated PPA').first().click()
  await page.keyboard.press('Enter')
  await page.getByTestId('explained').waitFor()
  const text = page.getByTestId('text')
  const was = await text.inputValue()
  await text.fill(was.replace('price: $3.10/MWh', 'price: cheap'))
  await page.getByTestId('problems').getByText(/line \d+/).first().waitFor()
  assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled())
  await page.screenshot({ path: join(shots, 'power-contract-problem.png'), fullPage: true })
  await page.getByTestId('problems').getByText(/line \d+/).first().click()
  assert.match(await text.evaluate((el) => el.value.slice(el.selectionStart, el.selectionEnd)), /cheap/)
  await text.fill(was.replace('price: $3.10/MWh', 'price: $3.25/MWh'))
  await page.getByTestId('explained').getByText('Wires: $3.25/MWh.').waitFor()
  await page.getByLabel('Load, MW').fill('1')
  await page.getByTestId('tried').getByText(/One more MWh would cost/).waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Texts it had').waitFor()
  await look('contract')
})

test('a month is read line by line and issued', async () => {
  await go('/power/statements')
  await page.getByText('to be issued').first().waitFor()
  await look('statements')
  const month = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - 1, 15)).toISOString().slice(0, 7)
  await go(`/power/statements/${month}`)
  await page.getByTestId('draft').waitFor()
  await page.getByTestId('lines').getByRole('button').first().click()
  await page.getByTestId('how').getByText(/MWh x .* = /).waitFor()
  assert.ok((await page.getByTestId('how').locator('tbody tr').count()) >= 28, 'a day each')
  await page.getByRole('button', { name: 'Issue', exact: true }).click()
  await page.getByRole('dialog').getByText('It cannot be changed').waitFor()
  await page.screenshot({ path: join(shots, 'power-issue.png') })
  await page.getByRole('dialog').getByRole('button', { name: 'Issue', exact: true }).click()
  await page.getByTestId('figures').getByText(/by alice/).waitFor()
  await page.getByRole('button', { name: 'Issue', exact: true }).waitFor({ state: 'detached' })
  const pdf = await page.request.get(`${site.url}/api/v1/statements/${month}/statement.pdf`)
  assert.equal((await pdf.body()).subarray(0, 5).toString(), '%PDF-')
  await page.getByTestId('how').waitFor()
  await look('statement')
})

test('a preview tells dollars', async () => {
  const r = await page.request.get(`${site.url}/api/v1/machines?limit=20`)
  const machines = (await r.json()).machines ?? (await r.json())
  const ids = machines.map((m) => m.id ?? m.machine?.id).filter(Boolean).slice(0, 10)
  const preview = await page.request.post(`${site.url}/api/v1/commands`, { data: { machines: ids, setting: { kind: 'sleep' }, preview: true }, headers: { Origin: site.url } })
  const body = await preview.json()
  const effect = body.effect ?? body
  assert.ok(!(effect.missing ?? []).includes('the power price'), JSON.stringify(effect))
})

test('nothing went wrong in the console', () => assert.deepEqual(problems, []))

// The utility's meter data and day-ahead awards, in a real browser against a
// running binary: look, mend, import, revise, withdraw, and the bill that follows.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { browser, setUp, shots, slow, start } from './site.mjs'

let site, chrome, page
const problems = []
const zone = 'America/Chicago'
const now = new Date()
const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 15)).toISOString().slice(0, 7)

before(async () => {
  site = await start(['--simulate', '60'])
  chrome = await browser()
  const context = await chrome.newContext({ viewport: { width: 1360, height: 900 } })
  context.setDefaultTimeout(slow)
  page = await context.newPage()
  page.on('console', (m) => m.type() === 'error' && !/422|412/.test(m.text()) && problems.push(m.text()))
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

/** A picture as it stands: light, dark, and phone, without loading anew. */
async function look(name) {
  for (const scheme of ['light', 'dark']) {
    await page.evaluate((s) => document.documentElement.setAttribute('data-mantine-color-scheme', s), scheme)
    await page.waitForTimeout(400)
    await page.screenshot({ path: join(shots, `meterdata-${name}-${scheme}.png`), fullPage: true })
  }
  await page.evaluate(() => document.documentElement.setAttribute('data-mantine-color-scheme', 'light'))
  await page.setViewportSize({ width: 390, height: 844 })
  await page.waitForTimeout(600)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 1, `${name} scrolls sideways by ${wide} px on a phone`)
  await page.screenshot({ path: join(shots, `meterdata-${name}-phone.png`), fullPage: true })
  await page.setViewportSize({ width: 1360, height: 900 })
  await page.waitForTimeout(300)
}

/** The quarters of the month on the contract's clock as the statement has them,
 * with the contract's losses of 1.8 %: the utility's file, which is 3.1 % above
 * the site's own meter with 1.3 % more. */
async function utilityFile(factor) {
  const r = await page.request.get(`${site.url}/api/v1/statements/${month}/intervals.csv`)
  const rows = (await r.text()).trim().split('\n').slice(1).map((l) => l.split(','))
  const at = new Map()
  for (const row of rows) {
    const cells = row
    const start = cells.find((c) => /^\d{4}-\d\d-\d\dT/.test(c))
    const mwh = Number(cells[cells.indexOf(start) + 1])
    if (start && cells[0] === rows[0][0]) at.set(start, (at.get(start) ?? 0) + mwh)
  }
  const local = (t) => new Date(t).toLocaleString('sv-SE', { timeZone: zone }).slice(0, 16)
  return [...at].map(([t, mwh]) => ({ t, line: `${local(t)},${(1000 * mwh * factor).toFixed(3)},A` }))
}

const file = (name, text) => {
  const path = join(site.data, name)
  writeFileSync(path, text)
  return path
}

test('a file that can be read in two ways asks, and shows what it understood', async () => {
  await go('/power/statements')
  await page.locator('#main').getByRole('link', { name: 'Utility meter' }).click()
  await page.getByRole('heading', { level: 1, name: 'Utility meter' }).waitFor()
  await page.getByText('Nothing was imported yet.').waitFor()
  const rows = await utilityFile(1.013)
  assert.ok(rows.length > 2600, `${rows.length} quarters`)
  // Without its first row nothing tells whether times are starts or ends.
  await page.setInputFiles('input[type=file]', file('ambiguous.csv', ['Reading Time,Usage (kWh),Quality', ...rows.slice(1).map((r) => r.line)].join('\n')))
  await page.getByTestId('problems').getByText(/begin or end/).waitFor()
  assert.ok((await page.getByTestId('preview').count()) === 0)
  await look('asks')
  await page.getByLabel('Times are when intervals').selectOption('start')
  await page.getByTestId('preview').getByText('CSV, a row an interval').waitFor()
  await page.getByTestId('months').first().getByText(/\+3\.1\d? %/).waitFor()
  await look('preview')
})

test('a wrong line is told, and nothing is imported', async () => {
  await page.setInputFiles('input[type=file]', file('wrong.csv', `Start,kWh\n${month}-03 00:00,12\n${month}-03 00:15,a lot\n`))
  await page.getByTestId('problems').getByText('Line 3:').waitFor()
  await page.getByTestId('problems').getByText(/"a lot" is no number/).waitFor()
  assert.equal(await page.getByRole('button', { name: /^Import \d/ }).count(), 0)
})

test('the month is settled on the utility, and the page says so', async () => {
  await page.reload()
  await page.getByRole('heading', { level: 1 }).waitFor()
  const rows = await utilityFile(1.013)
  const cut = Math.floor(rows.length / 2)
  await page.setInputFiles('input[type=file]', file('october.csv', ['Start,kWh,Flag', ...rows.slice(0, cut).map((r) => r.line)].join('\n')))
  await page.getByRole('button', { name: /^Import \d/ }).click()
  await page.getByTestId('imported').waitFor()
  await page.getByTestId('imports').getByText('october.csv').waitFor()
  await page.getByRole('heading', { name: 'Beside the site' }).waitFor()
  await look('page')
  await go(`/power/statements/${month}`)
  await page.getByTestId('whose').getByText(/quarters of an hour are the utility's/).waitFor()
  await page.getByTestId('whose').getByText(/\+3\.1\d? %/).waitFor()
  await look('statement')
})

test('a revision is counted, and an import can be withdrawn', async () => {
  await go('/power/meter')
  const rows = await utilityFile(1)
  await page.setInputFiles('input[type=file]', file('october-2.csv', ['Start,kWh,Flag', ...rows.slice(0, 200).map((r) => r.line.replace(',A', ',E'))].join('\n')))
  await page.getByTestId('effect').getByText('0 new, 200 revised').waitFor()
  await page.getByRole('button', { name: /^Import 200/ }).click()
  await page.getByTestId('imports').getByText('october-2.csv').waitFor()
  await page.getByRole('button', { name: 'Withdraw import 2' }).click()
  await page.getByRole('dialog').getByText('It stays in the record').waitFor()
  await page.screenshot({ path: join(shots, 'meterdata-withdraw.png') })
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click()
  await page.getByText(/withdrawn by alice/).waitFor()
})

test('awards are brought and shown', async () => {
  await go('/power/awards')
  await page.getByText('No contract of this site has a part of the kind two-settlement').waitFor()
  let text = 'Delivery Date,Hour Ending,Settlement Point,Awarded MW\n'
  for (let d = 1; d <= 20; d++) for (let h = 1; h <= 24; h++) text += `${month.slice(5)}/${String(d).padStart(2, '0')}/${month.slice(0, 4)},${String(h).padStart(2, '0')}:00,HB_WEST,${(0.1 + (h % 5) / 50).toFixed(2)}\n`
  await page.setInputFiles('input[type=file]', file('awards.csv', text))
  await page.getByTestId('effect').getByText('480 new').waitFor()
  await page.getByRole('button', { name: /^Import 480/ }).click()
  await page.getByTestId('imported').waitFor()
  await page.getByLabel('Month').fill(month)
  await page.getByTestId('awards').getByText(`${month}-20`).waitFor()
  await look('awards')
})

test('the browser has nothing to complain of', () => assert.deepEqual(problems, []))

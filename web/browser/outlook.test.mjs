// The market, the outlook, stress, peers and the claims, as a CFO uses them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { browser, password, setUp, shots, start } from './site.mjs'

const machines = 60
let site, chrome, page
const complaints = []

const watch = (p) => {
  p.on('pageerror', (e) => complaints.push(String(e)))
  p.on('console', (m) => m.type() === 'error' && !/401|403|409|422|ERR_CONNECTION|Failed to load resource/.test(m.text()) && complaints.push(m.text()))
  return p
}

before(async () => {
  site = await start(['--simulate', String(machines)])
  chrome = await browser()
  page = watch(await chrome.newPage({ viewport: { width: 1400, height: 900 } }))
  await setUp(page, site.link)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const number = (text) => Number(text.replaceAll(',', '').replace('−', '-').match(/-?[\d.]+/)?.[0] ?? Number.NaN)
const figure = async (name) => (await page.locator('.figure', { has: page.getByText(name, { exact: true }) }).locator('.value').innerText()).trim()
const inAll = async (name) => {
  await page.screenshot({ path: join(shots, `${name}-light.png`), fullPage: true })
  await page.getByRole('button', { name: 'Dark colours' }).click()
  await page.screenshot({ path: join(shots, `${name}-dark.png`), fullPage: true })
  await page.getByRole('button', { name: 'Light colours' }).click()
  await page.setViewportSize({ width: 390, height: 844 })
  await page.screenshot({ path: join(shots, `${name}-phone.png`), fullPage: true })
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 0, `${name} is ${wide} px wider than a phone`)
  await page.setViewportSize({ width: 1400, height: 900 })
}

test('the market now is said to be simulated, and opens where a number is from', async () => {
  await page.goto(site.url + '/money/market')
  await page.getByTestId('simulated').waitFor()
  await page.waitForFunction(() => [...document.querySelectorAll('.figure')].some((f) => /Hashprice/.test(f.textContent) && /\d/.test(f.querySelector('.value').textContent)), undefined, { timeout: 60_000 })
  const [hash, sat, price] = [number(await figure('Hashprice')), number(await figure('1 PH/s earns')), number(await figure('Price of a bitcoin'))]
  assert.ok(Math.abs((sat / 1e8) * price - hash) < 0.05, `hashprice ${hash}, of its parts ${(sat / 1e8) * price}`)
  await page.getByRole('button', { name: 'Hashprice: where it comes from' }).click()
  await page.getByText('satoshi per PH/s and day / 100,000,000 x price').waitFor()
  await page.keyboard.press('Escape')
  await page.getByTestId('sources').getByText('answers').waitFor()
  await page.locator('.chart canvas').first().waitFor({ timeout: 60_000 })
  await inAll('market')
})

test('a number entered by hand counts, says so, and is withdrawn', async () => {
  await page.goto(site.url + '/money/market')
  await page.getByLabel('Value now').fill('12345')
  await page.getByLabel('Where you have it from').fill('the morning paper')
  await page.getByRole('button', { name: 'Enter', exact: true }).click()
  await page.getByTestId('entries').getByText('the morning paper').waitFor()
  await page.getByTestId('entries').getByRole('button', { name: /Withdraw/ }).first().click()
  await page.getByTestId('entries').getByText('withdrawn by alice').waitFor()
})

test('machine prices: a wrong line enters nothing and is named', async () => {
  const box = page.getByLabel('Enter prices, a line each')
  await box.fill('2026-06-30,15-20,16.20,index,a list\n2026-13-01,15-20,16,index,a list')
  await page.getByRole('button', { name: 'Enter prices' }).click()
  await page.getByText('Nothing was entered:').waitFor()
  await page.getByText(/line 3/).waitFor()
  await box.fill('2026-06-30,15-20,16.20,index,a list')
  await page.getByRole('button', { name: 'Enter prices' }).click()
  await page.getByRole('region', { name: 'Machine prices' }).getByText('a list').waitFor()
})

test('an outlook is played, and shows the company and the network apart', async () => {
  await page.goto(site.url + '/')
  await page.waitForFunction((n) => Number([...document.querySelectorAll('.conditions button')].find((e) => / hashing$/.test(e.textContent))?.textContent.match(/\d+/)?.[0]) > n / 2, machines, { timeout: 180_000 })
  await page.goto(site.url + '/money/outlook')
  await page.getByText('Nothing was played yet').waitFor()
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await page.getByTestId('outcome').waitFor({ timeout: 120_000 })
  const now = number(await figure('Ratio today'))
  assert.ok(now > 0.5 && now < 4, `ratio ${now}`)
  await page.getByTestId('sides').getByText('Another event.', { exact: false }).waitFor()
  await page.getByTestId('fan').locator('canvas').first().waitFor()
  await page.getByTestId('idle-levers').waitFor()
  await page.getByTestId('assumptions').getByText('lag of switching off', { exact: true }).waitFor()
})

test('a lever that is entered by hand is marked as assumed, and moves the ratio', async () => {
  await page.getByLabel(/Failures foreseen.*More time hashing/).fill('5')
  await page.getByLabel(/Power bought by forecast.*Power costs/).fill('-20')
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await page.getByTestId('idle-levers').waitFor({ state: 'detached', timeout: 120_000 })
  const row = page.getByTestId('lever-outcomes').locator('tbody tr').last()
  await row.getByText('assumed').waitFor()
  const [before, after] = (await row.locator('td').nth(3).innerText()).split('→').map(number)
  assert.ok(after < before, `default ${before} without, ${after} with the levers`)
  await page.getByRole('button', { name: 'Keep these effects' }).click()
  await page.getByText('Kept: every new outlook').waitFor()
  await inAll('outlook')
})

test('scenarios are saved with their assumptions and stand side by side', async () => {
  await page.getByLabel('Save what is set above as').fill('as it is')
  await page.getByRole('button', { name: 'Save and play' }).click()
  await page.getByTestId('compare').getByText('as it is', { exact: true }).waitFor()
  await page.waitForFunction(() => /%/.test(document.querySelector('[data-testid=compare] tbody tr')?.textContent ?? ''), undefined, { timeout: 120_000 })
  await page.getByLabel('Save what is set above as').fill('as it is')
  await page.getByRole('button', { name: 'Save and play' }).click()
  await page.getByText('It was not done').waitFor()
})

test('a shock is worse than none, and the cascade is told step by step', async () => {
  await page.goto(site.url + '/money/stress')
  const price = page.getByLabel('Price of a bitcoin')
  await price.focus()
  for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowLeft')
  await page.getByText('−40 %').first().waitFor()
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await page.getByTestId('stress-table').waitFor({ timeout: 120_000 })
  const cells = page.getByTestId('stress-table').locator('tr', { hasText: 'Default' }).first().locator('td')
  assert.ok(number(await cells.nth(1).innerText()) >= number(await cells.nth(0).innerText()))
  await page.getByTestId('cascade').getByText('5. Its machines are sold', { exact: false }).waitFor()
  await page.getByRole('button', { name: 'Weigh' }).click()
  await page.getByTestId('hardware').locator('tr.best, td.num').first().waitFor()
  await page.getByText(/net value = sum over the days/).waitFor()
  await inAll('stress')
})

test('peers: an import with wrong lines enters nothing; a right one makes the table', async () => {
  await page.goto(site.url + '/money/peers')
  await page.getByText('No production reports yet').waitFor()
  const box = page.getByLabel('CSV')
  await box.fill('firm,month,btc_mined,installed_ehs,source\nAlpha,2026-13,700,50,x\nBeta,2026-09,no,,x')
  await page.getByRole('button', { name: 'Check' }).click()
  const errors = page.getByTestId('import-errors')
  await errors.getByText(/line 2, month/).waitFor()
  await errors.getByText(/line 3, btc_mined/).waitFor()
  await box.fill('firm,month,btc_mined,installed_ehs,source\nAlpha,2026-09,700,60,a report\nBeta,2026-09,150,12,a report\nAlpha,2026-08,690,58,a report\nBeta,2026-08,120,12,a report')
  await page.getByRole('button', { name: 'Enter', exact: true }).click()
  await page.getByText('4 reports were entered.').waitFor()
  await page.getByTestId('league').getByText('Alpha').waitFor()
  assert.match(await page.getByTestId('league').innerText(), /1\s+Alpha/)
  await inAll('peers')
})

test('the claims: each figure with its arithmetic and verdict', async () => {
  await page.goto(site.url + '/money/claims')
  const first = page.getByTestId('claims').locator('tbody tr').first()
  await first.getByText('$25 bn of debt at a ratio of 1.8', { exact: false }).waitFor()
  assert.match(await first.innerText(), /25e9 \/ 1\.8 \/ 848 EH\/s.*= 16\.4 USD\/TH/s)
  await page.getByTestId('verdicts').getByText(/not sourced/).waitFor()
  await inAll('claims')
})

test('who may not see money sees that, and the market all the same', async () => {
  const res = await page.evaluate(async (pw) => {
    const post = (path, body) => fetch('/api/v1' + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
    const r = await post('/invites', { grants: [{ role: 'viewer' }], name: 'vera' })
    return { status: r.status, body: await r.json(), pw }
  }, password)
  assert.ok(res.status < 300, JSON.stringify(res.body))
  const link = Object.values(res.body).find((v) => typeof v === 'string' && v.includes('#')) ?? res.body.link
  const other = await chrome.newContext({ viewport: { width: 1400, height: 900 } })
  const p = watch(await other.newPage())
  await p.goto(link)
  await p.getByLabel('Name to sign in with').fill('vera')
  await p.getByLabel('Password', { exact: false }).first().fill(password)
  await p.getByRole('button', { name: /Set up|Sign in|account/ }).first().click()
  await p.locator('[data-testid=figures], [data-testid=empty]').first().waitFor({ timeout: 20_000 })
  for (const path of ['outlook', 'stress', 'peers', 'claims']) {
    await p.goto(`${site.url}/money/${path}`)
    await p.getByTestId('forbidden').waitFor()
  }
  await p.goto(site.url + '/money/market')
  await p.getByTestId('market-now').waitFor()
  assert.equal(await p.getByLabel('Value now').count(), 0)
  await other.close()
})

test('nothing complained', () => assert.deepEqual(complaints, []))

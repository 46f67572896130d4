// Money: position, register, one facility, import, covenants, cash, hashcost,
// terms, the board pack, and a company that has entered nothing.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findings, tooWide } from './axe.mjs'
import { browser, password, setUp, shots, start } from './site.mjs'

let site, chrome, page
const complaints = []

const watch = (p) => {
  p.on('pageerror', (e) => complaints.push(`${p.url()}: ${e}`))
  p.on('console', (m) => m.type() === 'error' && !/401|403|412|422|Failed to load resource/.test(m.text()) && complaints.push(`${p.url()}: ${m.text()}`))
  return p
}

before(async () => {
  site = await start(['--simulate', '60'])
  chrome = await browser()
  page = watch(await chrome.newPage({ viewport: { width: 1400, height: 900 }, acceptDownloads: true }))
  await setUp(page, site.link)
  // Enough machines are found for the figures to stand; on a busy computer that takes a while.
  await page.waitForFunction(() => Number(document.querySelector('[data-testid=count]')?.textContent?.match(/of ([\d,]+)/)?.[1] ?? 0) >= 30, null, { timeout: 180_000 })
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const settled = async () => {
  await page.locator('main h1').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('main .mantine-Loader-root'))
  await page.waitForTimeout(300)
}
const inAll = async (name) => {
  await page.screenshot({ path: join(shots, `debt-${name}-light.png`), fullPage: true })
  assert.deepEqual(await findings(page), [], `${name}, light`)
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.waitForTimeout(250)
  await page.screenshot({ path: join(shots, `debt-${name}-dark.png`), fullPage: true })
  assert.deepEqual(await findings(page), [], `${name}, dark`)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 390, height: 844 })
  await page.waitForTimeout(250)
  await page.screenshot({ path: join(shots, `debt-${name}-phone.png`), fullPage: true })
  const over = await tooWide(page)
  await page.setViewportSize({ width: 1400, height: 900 })
  assert.ok(over <= 0, `${name} is ${over} px wider than a phone`)
}
const figure = (name) => page.locator('.figure', { has: page.getByRole('button', { name: `${name}: where it comes from` }) })

test('the position: the ratio on four bases, each with its formula and sources, and the example is labelled', async () => {
  await page.goto(site.url + '/money')
  await page.getByTestId('example').getByText(/made up/).waitFor({ timeout: 30_000 })
  await page.waitForFunction(() => /\d/.test([...document.querySelectorAll('.figure')].find((f) => /Debt service cover/.test(f.textContent))?.querySelector('.value')?.textContent ?? ''), null, { timeout: 60_000 })
  await settled()
  assert.match(await page.getByTestId('scale').innerText(), /market index[\s\S]*replacement[\s\S]*liquidation[\s\S]*option value/)
  assert.match(await page.getByTestId('scale').innerText(), /the claim's line/)
  // A number opens: formula, with the numbers, inputs with source and age.
  await page.getByRole('button', { name: 'Debt service cover (DSCR): where it comes from' }).click()
  const tip = page.locator('.provenance').last()
  await tip.getByText(/cash for debt service \/ debt service/).waitFor()
  assert.match(await tip.innerText(), /modelled/)
  await page.keyboard.press('Escape')
  // The same for keys alone, in a table.
  const now = page.getByTestId('covenants').locator('.opens').first()
  await now.focus()
  await page.keyboard.press('Enter')
  await page.locator('.provenance').last().waitFor()
  await page.keyboard.press('Escape')
  // The scope says what it counts, and changes the ratio.
  // Both at one instant: machines go on starting, and the ratio falls with that.
  const [mining, all] = await page.evaluate(() => Promise.all(['mining', 'all'].map(async (scope) => (await (await fetch(`/api/v1/debt/position?scope=${scope}`)).json()).figures.find((f) => f.key === 'ratio-index').value)))
  assert.ok(all > mining * 1.02, `the ratio of all debt is ${all}, without that of the AI hall ${mining}`)
  await page.getByText('All debt', { exact: true }).click()
  await page.getByTestId('scope').getByText('all debt').or(page.getByTestId('scope').getByText('without prepayments')).first().waitFor()
  await page.getByText('Mining', { exact: true }).click()
  await page.getByTestId('wall').getByRole('button', { name: 'as a table' }).click()
  await page.getByTestId('wall').getByText('Principal').waitFor()
  await page.getByTestId('wall').getByRole('button', { name: 'as a chart' }).click()
  await page.getByTestId('changes').getByText('Ratio at market index').waitFor()
  await inAll('position')
})

test('the board pack is a PDF and a CSV', async () => {
  await page.goto(site.url + '/money')
  const [pdf] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Board pack' }).click()])
  const file = readFileSync(await pdf.path())
  assert.equal(file.subarray(0, 5).toString(), '%PDF-')
  writeFileSync(join(shots, 'board-pack.pdf'), file)
  await page.getByRole('button', { name: 'CSV' }).click()
  const [csv] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: /figures and tables/ }).click()])
  assert.match(readFileSync(await csv.path(), 'utf8'), /Debt service cover/)
})

test('the register by key, one facility with its schedule, changed in the editor', async () => {
  await page.goto(site.url + '/money/register')
  await page.getByTestId('facilities').locator('.line').first().waitFor()
  await settled()
  await inAll('register')
  await page.getByTestId('facilities').focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.waitForURL(/money\/register\/.+/)
  await page.goto(site.url + '/money/register/transformers')
  await page.getByTestId('schedule').locator('tbody tr').nth(3).waitFor()
  assert.match(await page.getByTestId('schedule').locator('tbody tr').last().innerText(), /\$0\.00/)
  await settled()
  await inAll('facility')
  await page.getByRole('button', { name: 'Change', exact: true }).click()
  await page.getByLabel('Fixed rate').fill('often')
  await page.getByRole('button', { name: 'Show the schedule' }).click()
  await page.getByRole('alert').getByText(/cannot be read/).waitFor()
  await page.getByLabel('Fixed rate').fill('7.75%')
  await page.getByRole('button', { name: 'Show the schedule' }).click()
  await page.getByTestId('schedule-preview').getByText(/payments, the first/).waitFor()
  await inAll('editor')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByTestId('facility-facts').getByText('7.75%').waitFor()
  await page.getByTestId('versions').getByText(/2: changed by alice/).waitFor()
})

test('import: wrong lines are told and change nothing; a good file shows what changes before it is written', async () => {
  await page.goto(site.url + '/money/import?kind=balances')
  const give = (name, text) => page.locator('input[type=file]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })
  await give('bad.csv', 'date,account,currency,amount\n2026-11-20,bank two,USD,5000\n20 Nov,bank two,USD,many\n')
  const errors = page.getByTestId('line-errors')
  await errors.getByText('many').waitFor()
  assert.match(await errors.innerText(), /2 lines are wrong/)
  assert.equal(await page.getByRole('button', { name: /Write/ }).count(), 0)
  await inAll('import-errors')
  await give('good.csv', 'date,account,currency,amount,source\n2026-11-20,bank two,USD,5000.25,statement\n')
  await page.getByTestId('preview').getByText('1 added, 0 changed').waitFor()
  await page.getByTestId('effects').getByText('Liquidity').waitFor()
  await inAll('import')
  await page.getByRole('button', { name: 'Write 1 line to the book' }).click()
  await page.getByTestId('written').waitFor()
  const [t] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: '.xlsx' }).click()])
  assert.equal(readFileSync(await t.path()).subarray(0, 2).toString(), 'PK')
})

test('covenants, cash, hashcost and terms', async () => {
  await page.goto(site.url + '/money/covenants')
  await page.getByTestId('covenants').locator('tbody tr').nth(4).waitFor()
  await settled()
  await inAll('covenants')
  await page.goto(site.url + '/money/cash')
  await page.getByTestId('weeks').locator('tbody tr').nth(8).waitFor()
  await page.getByText('bank two').first().waitFor()
  await settled()
  await inAll('cash')
  await page.getByRole('button', { name: 'Plan a flow' }).click()
  await page.getByLabel('What', { exact: true }).fill('site rent')
  await page.getByLabel('Amount').fill('1200.5')
  await page.getByLabel('Comes again').selectOption('month')
  await page.getByRole('button', { name: 'Write', exact: true }).click()
  await page.getByText('site rent').waitFor()
  await page.goto(site.url + '/money/hashcost')
  await page.getByTestId('waterfall').waitFor()
  await page.getByTestId('heat').locator('td.today').waitFor()
  await page.getByText('Bitcoin × power price').click()
  await page.getByTestId('heat').getByText(/power price/).first().waitFor()
  await settled()
  await inAll('hashcost')
  await page.goto(site.url + '/money/terms')
  await page.getByLabel('Uptime').waitFor()
  await settled()
  await inAll('terms')
  await page.getByLabel('Uptime').fill('2')
  await page.getByRole('button', { name: 'Save the terms' }).click()
  await page.getByRole('alert').getByText(/uptime is over 0/).waitFor()
})

test('a company that has entered nothing is told what to do, and who has no right is told so', async () => {
  const bare = await start([])
  const p = watch(await chrome.newPage({ viewport: { width: 1400, height: 900 } }))
  try {
    await setUp(p, bare.link)
    const was = page
    page = p
    await p.goto(bare.url + '/money')
    await p.getByTestId('empty').getByText('No debt is entered yet').waitFor()
    assert.equal(await p.getByTestId('example').count(), 0, 'a real company is no example')
    await inAll('empty')
    await p.goto(bare.url + '/money/cash')
    await p.getByText('There is no plan yet').waitFor()
    await inAll('cash-empty')
    await p.goto(bare.url + '/money/register')
    await p.getByText('No facility is entered yet').waitFor()
    // A technician has no business here.
    const made = await p.evaluate(async () => (await fetch('/api/v1/invites', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ grants: [{ role: 'technician' }] }) })).json())
    const link = JSON.stringify(made).match(/http[^"]*\/setup#[^"]+/)?.[0]
    assert.ok(link, JSON.stringify(made))
    const other = await chrome.newContext({ viewport: { width: 1400, height: 900 } })
    const q = watch(await other.newPage())
    await q.goto(link)
    await q.getByLabel('Name to sign in with').fill('tess')
    await q.getByLabel('Password', { exact: false }).first().fill(password)
    await q.getByRole('button', { name: /Set up|sign in/i }).last().click()
    await q.locator('[data-testid=figures], [data-testid=empty]').first().waitFor({ timeout: 20_000 })
    await q.goto(bare.url + '/money')
    await q.getByTestId('forbidden').waitFor()
    await q.screenshot({ path: join(shots, 'debt-forbidden.png') })
    await other.close()
    page = was
  } finally {
    await p.close()
    await bare.stop()
  }
})

test('nothing complained', () => assert.deepEqual(complaints, []))

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { browser, password, setUp, shots, start } from './site.mjs'

const machines = Number(process.env.BALLAST_BROWSER_MACHINES ?? 120)
let site, chrome, page
const complaints = []

before(async () => {
  site = await start(['--simulate', String(machines)])
  chrome = await browser()
  page = await chrome.newPage({ viewport: { width: 1400, height: 900 } })
  page.on('pageerror', (e) => complaints.push(String(e)))
  page.on('console', (m) => m.type() === 'error' && !/401|ERR_CONNECTION|Failed to load resource/.test(m.text()) && complaints.push(m.text()))
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const number = (text) => Number(text.replaceAll(',', '').match(/[\d.]+/)?.[0] ?? Number.NaN)
const figure = async (name) => (await page.locator('.figure', { has: page.getByText(name, { exact: true }) }).locator('.value').innerText()).trim()

test('the set-up link makes an account once, and leads to live numbers', async () => {
  await setUp(page, site.link)
  await page.waitForFunction((n) => Number(document.querySelector('[data-testid=count]')?.textContent?.match(/of ([\d,]+)/)?.[1].replaceAll(',', '')) >= n, machines, { timeout: 60_000 })
  await page.waitForFunction(() => Number([...document.querySelectorAll('.figure')].find((f) => f.textContent.includes('Hashrate'))?.querySelector('.value')?.textContent.match(/[\d.]+/)?.[0]) > 0, null, { timeout: 30_000 })
  await page.getByText('● live').waitFor()
  assert.ok(number(await figure('Power')) > 0)
  assert.match(await page.locator('.simulated').innerText(), /none of these machines exists/i)

  const again = await (await chrome.newContext()).newPage()
  await again.goto(site.link)
  await again.getByLabel('Name to sign in with').fill('mallory')
  await again.getByLabel('Password', { exact: false }).first().fill('another password')
  await again.getByRole('button', { name: 'Set up and sign in' }).click()
  await again.getByRole('alert').getByText(/used already or has expired/).waitFor()
  await again.context().close()
})

test('numbers are live: the page changes by itself', async () => {
  const before = await page.getByTestId('figures').innerText()
  await page.waitForFunction((b) => document.querySelector('[data-testid=figures]')?.innerText !== b, before, { timeout: 15_000 })
})

test('search, conditions and order are in the address', async () => {
  await page.getByLabel('Search machines').fill('whatsminer')
  await page.waitForURL(/search=whatsminer/)
  const shown = number(await page.getByTestId('count').innerText())
  assert.ok(shown > 0 && shown < machines, `${shown} machines fit`)
  await page.getByRole('columnheader', { name: 'TH/s' }).getByRole('button').click()
  await page.waitForURL(/sort=hashrate/)
  const values = (await page.locator('.table .line .cell:nth-child(7)').allInnerTexts()).map(number).filter((n) => !Number.isNaN(n))
  assert.deepEqual(values, values.toSorted((a, b) => b - a))
  await page.screenshot({ path: join(shots, 'now-search.png') })
  await page.getByLabel('Search machines').fill('no such machine anywhere')
  await page.getByRole('button', { name: 'Show all' }).click()
})

test('one machine: boards, history, and back, by keyboard', async () => {
  // A machine whose firmware tells of its boards.
  await page.getByLabel('Search machines').fill('antminer s21')
  await page.locator('.table').focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/machines\/\d+/)
  await page.getByTestId('boards').waitFor()
  assert.ok((await page.locator('.board').count()) >= 1)
  await page.getByTestId('history').locator('canvas').first().waitFor({ timeout: 20_000 })
  assert.ok((await page.getByTestId('history').locator('canvas').count()) >= 3)
  await page.screenshot({ path: join(shots, 'machine.png'), fullPage: true })
  await page.getByLabel('Time range').selectOption('6h')
  await page.waitForURL(/range=6h/)
  await page.goBack()
})

test('a fault injected in the simulator shows', async () => {
  await page.goto(site.url + '/')
  await page.getByTestId('count').waitFor()
  const before = number(await page.getByRole('button', { name: / silent$/ }).innerText())
  const res = await fetch(site.control() + '/faults', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ rig: 3, kind: 'power-off' }) })
  assert.ok(res.ok, await res.text())
  await page.waitForFunction((b) => Number([...document.querySelectorAll('.conditions button')].find((e) => / silent$/.test(e.textContent))?.textContent.match(/\d+/)?.[0]) > b, before, { timeout: 40_000 })
  await page.getByRole('button', { name: / silent$/ }).click()
  await page.waitForURL(/condition=silent/)
  await page.locator('.table .line').first().click()
  await page.getByText('It does not answer').waitFor()
  await page.screenshot({ path: join(shots, 'machine-silent.png') })
})

test('dark, and phone width', async () => {
  await page.goto(site.url + '/')
  await page.getByTestId('count').waitFor()
  await page.screenshot({ path: join(shots, 'now-light.png') })
  await page.getByRole('button', { name: 'Dark colours' }).click()
  await page.screenshot({ path: join(shots, 'now-dark.png') })
  await page.setViewportSize({ width: 390, height: 844 })
  await page.screenshot({ path: join(shots, 'now-phone.png') })
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 0, `the page is ${wide} px wider than a phone`)
  await page.setViewportSize({ width: 1400, height: 900 })
  await page.getByRole('button', { name: 'Light colours' }).click()
})

test('unknown paths and machines say so', async () => {
  await page.goto(site.url + '/no/such/page')
  await page.getByText('There is no such page').waitFor()
  await page.goto(site.url + '/machines/999999')
  await page.getByText('there is no machine 999999').waitFor()
})

test('the server goes away and comes back; sessions last', async () => {
  await page.goto(site.url + '/')
  await page.getByText('● live').waitFor()
  const { port } = new URL(site.url)
  await site.kill('SIGKILL')
  await page.getByText(/no connection/).waitFor({ timeout: 15_000 })
  await page.screenshot({ path: join(shots, 'now-lost.png') })
  site = await start(['--simulate', String(machines), '--set', `listen=127.0.0.1:${port}`], { data: site.data, link: false })
  await page.getByText('● live').waitFor({ timeout: 30_000 })
  await page.waitForFunction((n) => Number(document.querySelector('[data-testid=count]')?.textContent?.match(/of ([\d,]+)/)?.[1].replaceAll(',', '')) >= n, machines, { timeout: 60_000 })
})

test('sign out, wrong password, sign in, back to where one was', async () => {
  await page.goto(site.url + '/machines/1')
  await page.getByRole('button', { name: 'Account of alice' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(/sign-in/)
  await page.goto(site.url + '/machines/1')
  await page.waitForURL(/sign-in/)
  await page.getByLabel('Name').fill('alice')
  await page.getByLabel('Password').first().fill('wrong')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('alert').getByText('name or password is wrong').waitFor()
  await page.getByLabel('Password').first().fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(/machines\/1/)
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

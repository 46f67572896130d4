// Two hundred machines are put to sleep from the page: preview, one question,
// and confirmations as telemetry brings them, held against what the simulator
// knows to be true.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findings } from './axe.mjs'
import { browser, found, setUp, shots, slow, start, until, visit, watch } from './site.mjs'

// Firmwares that are asleep seconds after they were told to be.
const machines = 260
const many = 200
const mix = `groups:
  - {share: 10, firmware: luxos, model: "Antminer S19k Pro (120T)", age: 2y}
  - {share: 3, firmware: avalon, model: "Avalon 1566 (185T)", age: 1y}
`
let site, chrome, page
const complaints = []

before(async () => {
  const file = join(shots, 'bulk-mix.yaml')
  writeFileSync(file, mix)
  site = await start(['--simulate', String(machines), '--mix', file])
  chrome = await browser()
  page = watch(await visit(chrome), complaints)
  await setUp(page, site.link)
  await found(page, machines)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const truth = async () => (await (await fetch(`${site.control()}/rigs`)).json()).filter((r) => r.phase === 'sleeping').length
const states = () => page.getByTestId('states').innerText()
const confirmed = async () => Number((await states()).match(/(\d+) confirmed/)?.[1] ?? 0)
const watts = (text) => {
  const [, n, unit] = text.replaceAll(',', '').match(/([\d.]+) ([kM]?W)/)
  return Number(n) * { W: 1, kW: 1e3, MW: 1e6 }[unit]
}

test('200 of 260 are chosen by a filter, and the preview says what would change', async () => {
  // All of them hash, so that the preview has watts and terahashes to speak of.
  await page.waitForFunction((n) => Number([...document.querySelectorAll('.conditions a')].find((e) => / hashing$/.test(e.textContent))?.textContent.match(/\d+/)?.[0]) >= n, machines - 10, { timeout: 2 * slow })
  await page.goto(`${site.url}/machines?show=table`)
  // And the market is known, so that it has money to speak of.
  await page.waitForFunction(async () => (await (await fetch('/api/v1/market')).json()).hashprice, undefined, { timeout: 2 * slow, polling: 1000 })
  await page.getByLabel('Filter machines').fill('luxos')
  await page.waitForFunction((n) => document.querySelector('[data-testid=count]')?.textContent.startsWith(`${n} of`), many)
  await page.getByLabel('Choose all that are shown').click()
  await page.getByTestId('chosen').getByText(`${many} chosen`).waitFor()
  await page.getByRole('button', { name: 'Sleep…' }).click()
  const effects = page.getByTestId('effects')
  await effects.waitFor()
  const text = await effects.innerText()
  assert.match(text, new RegExp(`Take it\\s+${many} of ${many} machines`))
  const [from, to] = text.match(/Power\s+(.+) → ([^;\n]+)/).slice(1).map(watts)
  assert.ok(from > 300e3, `${from} W now`)
  assert.ok(to < from / 10, `${from} W → ${to} W`)
  assert.match(text, /Hashrate\s+\S+ PH\/s → 0/)
  assert.match(text, /Money\s+[+-]\$[\d,.]+ a day/) // at the prices of the simulated market
  assert.equal(await truth(), 0, 'a preview put machines to sleep')
  assert.deepEqual(await findings(page), [])
  await page.screenshot({ path: join(shots, 'bulk-preview.png') })
})

test('confirmations arrive on the page as machines fall asleep, and never before', async () => {
  await page.getByLabel('Reason').fill('The price is above the strike price until 17:00')
  await page.getByRole('button', { name: `Put to sleep: ${many} machines` }).click()
  await page.getByTestId('progress').waitFor()
  const seen = []
  await until(`${many} confirmed`, async () => {
    const n = await confirmed()
    const asleep = await truth() // asked after the page was read: it may only be further
    assert.ok(n <= asleep, `${n} confirmed on the page, ${asleep} asleep in truth`)
    assert.ok(n >= (seen.at(-1) ?? 0), `confirmations went from ${seen.at(-1)} to ${n}`)
    if (n !== seen.at(-1)) {
      seen.push(n)
      if (n > 0 && n < many) await page.screenshot({ path: join(shots, 'bulk-progress.png') })
    }
    return n === many
  }, { timeout: 2 * slow, every: 50 })
  console.log(`  confirmed: ${seen.join(', ')}`)
  assert.ok(seen.filter((n) => n > 0 && n < many).length >= 1, `they came all at once: ${seen}`)
  assert.equal((await states()).trim().replace(/\s+/g, ' '), `${many} confirmed`)
  await page.getByTestId('progress').getByText(/half of those confirmed within/).waitFor()
  await page.screenshot({ path: join(shots, 'bulk-done.png') })
})

test('the live page agrees, and says who did it and why', async () => {
  await page.getByRole('button', { name: 'Close', exact: true }).last().click()
  await page.getByRole('link', { name: 'Now', exact: true }).first().click()
  await page.waitForFunction((n) => Number([...document.querySelectorAll('.conditions a')].find((e) => / sleeping$/.test(e.textContent))?.textContent.match(/\d+/)?.[0]) === n, many)
  const one = page.getByTestId('feed').locator('.decision', { hasText: `Put ${many} machines to sleep` })
  await one.getByText('The price is above the strike price until 17:00').waitFor()
  await one.getByText(`confirmed by telemetry ${many} of ${many}`).waitFor()
  // Off on purpose is calm: nobody is alarmed.
  assert.equal((await page.evaluate(async () => (await (await fetch('/api/v1/alarms')).json()).alarms ?? [])).filter((a) => /answer|not hash|stopped/i.test(a.title)).length, 0)
  await page.screenshot({ path: join(shots, 'bulk-now.png') })
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

// Daily reports, reports by e-mail, the health of Ballast itself, its settings.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { browser, invite, painted, shared, sharedMachines as machines, shots, until, watch } from './site.mjs'

let site, chrome, page
const complaints = []

before(async () => {
  chrome = await browser()
  ;({ site, page } = await shared(chrome, { acceptDownloads: true }))
  watch(page, complaints)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const number = (text) => Number(text.replaceAll(',', '').match(/[\d.]+/)?.[0] ?? Number.NaN)
const ths = (text) => number(text) * { T: 1, P: 1e3, E: 1e6 }[text.match(/([TPE])H\/s/)[1]]
const figure = async (name) => (await page.locator('.figure', { has: page.getByText(name, { exact: true }) }).locator('.value').innerText()).trim()
const noWider = async (what) => {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 0, `${what} is ${wide} px wider than a phone`)
}
const inAll = async (name) => {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme })
    await painted(page)
    await page.screenshot({ path: join(shots, `${name}-${scheme}.png`), fullPage: true })
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 390, height: 844 })
  await painted(page)
  await page.screenshot({ path: join(shots, `${name}-phone.png`), fullPage: true })
  await noWider(name)
  await page.setViewportSize({ width: 1400, height: 900 })
}

test('a day that nothing is known of says so, and a day to come is refused', async () => {
  await page.goto(site.url + '/reports/daily/2020-02-02')
  await page.getByText('Nothing is known of this day').waitFor()
  await page.goto(site.url + '/reports/daily/2099-01-01')
  await page.getByRole('alert').getByText(/has not begun/).waitFor()
  await page.goto(site.url + '/reports/daily/yesteryear')
  await page.getByRole('alert').getByText(/is no day/).waitFor()
})

test('the report of today: what it says agrees with the live site', async () => {
  // Machines hash and are polled for a while; one is switched off.
  await page.goto(site.url + '/')
  await page.waitForFunction((n) => Number([...document.querySelectorAll('.conditions a')].find((e) => / hashing$/.test(e.textContent))?.textContent.match(/\d+/)?.[0]) > n / 2, machines)
  const res = await fetch(site.control() + '/faults', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ rig: 3, kind: 'power-off' }) })
  assert.ok(res.ok, await res.text())
  // Until the report of today counts it among its losses.
  await until('a report that knows of the loss', () =>
    page.evaluate(async () => {
      const get = async (path) => (await fetch('/api/v1' + path)).json()
      const report = await get(`/reports/daily/${(await get('/reports?from=today')).today}`)
      return report.hashrate_ths > 0 && report.losses.some((l) => l.reason === 'silent')
    }), { every: 1000 })
  const live = ths(await figure('Hashrate'))
  await page.getByRole('link', { name: 'Daily reports' }).click()
  await page.getByTestId('days').locator('.line').first().waitFor()
  await page.getByTestId('days').focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.waitForURL(/reports\/daily\/\d{4}-\d\d-\d\d/)
  await page.getByTestId('remarks').getByText(/The day is not over/).waitFor()
  const hash = ths(await figure('Hashrate'))
  assert.ok(hash > 0.5 * live && hash < 1.1 * live, `the report says ${hash}, live it is ${live}`)
  assert.match(await figure('Machines'), new RegExp(`^${machines}$`))
  assert.ok(number(await figure('Uptime')) > 20)
  await page.locator('.chart canvas').first().waitFor()
  assert.ok((await page.getByTestId('losses').locator('tbody tr').count()) >= 1)
  await page.getByTestId('losses').getByText('no reading').waitFor()
  assert.ok((await page.getByTestId('worst').locator('tbody tr').count()) >= 1)
  await inAll('report')
})

test('PDF and CSV come as files', async () => {
  const fetched = async (click) => {
    const [d] = await Promise.all([page.waitForEvent('download'), click()])
    return [d.suggestedFilename(), readFileSync(await d.path())]
  }
  const [pdfName, pdf] = await fetched(() => page.getByRole('link', { name: 'PDF' }).click())
  assert.match(pdfName, /^simulated-site-\d{4}-\d\d-\d\d\.pdf$/)
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-')
  await page.getByRole('button', { name: 'CSV', exact: true }).click()
  const [csvName, csv] = await fetched(() => page.getByRole('menuitem', { name: 'A line for each machine' }).click())
  assert.match(csvName, /-machines\.csv$/)
  const lines = csv.toString().trim().split('\n')
  assert.equal(lines.length, machines + 1)
  assert.match(lines[0], /^day,site,machine,name,model,/)
})

test('on paper there is the report and no frame', async () => {
  await page.emulateMedia({ media: 'print' })
  assert.equal(await page.locator('.top').isVisible(), false)
  assert.equal(await page.getByRole('button', { name: 'Print' }).isVisible(), false)
  assert.equal(await page.getByTestId('figures').isVisible(), true)
  await page.screenshot({ path: join(shots, 'report-print.png'), fullPage: true })
  await page.emulateMedia({ media: null })
})

test('the days, and what they come to', async () => {
  await page.goto(site.url + '/reports')
  await page.getByTestId('days').locator('.line').first().waitFor()
  assert.ok(number(await page.getByTestId('sum').innerText()) > 0)
  await page.getByText('Week', { exact: true }).click()
  await page.getByTestId('days').locator('.line').first().waitFor()
  await inAll('reports')
})

test('a schedule: made, refused, changed, deleted', async () => {
  await page.goto(site.url + '/reports/mail')
  await page.getByText('No report goes out yet').waitFor()
  await page.screenshot({ path: join(shots, 'report-mail-empty.png') })
  await page.getByRole('button', { name: 'New schedule' }).click()
  await page.getByLabel('Recipients').first().fill('not an address')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').getByText(/is no e-mail address/).waitFor()
  await page.getByLabel('Recipients').first().press('Backspace')
  await page.getByLabel('Recipients').first().press('Backspace')
  await page.getByLabel('Recipients').first().press('Backspace')
  await page.getByLabel('Recipients').first().fill('ops@example.com')
  await page.keyboard.press('Enter')
  await page.getByLabel('Time of day').fill('06:30')
  await page.getByRole('button', { name: 'Save' }).click()
  const row = page.getByTestId('schedules').locator('tbody tr')
  await row.getByText('ops@example.com').waitFor()
  await row.getByText('06:30').waitFor()
  await page.getByRole('button', { name: 'Change the schedule' }).click()
  await page.getByLabel('Switched on').uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await row.getByText('switched off').waitFor()
  await inAll('report-mail')
  await page.getByRole('button', { name: 'Delete the schedule' }).click()
  await page.getByTestId('effects').getByText('ops@example.com').waitFor()
  await page.getByRole('button', { name: 'Delete it' }).click()
  await page.getByText('No report goes out yet').waitFor()
})

test('system health: figures, and a support bundle', async () => {
  await page.goto(site.url + '/settings/system')
  await page.getByTestId('worries').waitFor()
  const share = number(await figure('Answers in time')) // as good as the machine that tests is busy
  assert.ok(share > 0 && share <= 100, `${share} %`)
  await page.getByText('Goroutines').waitFor()
  await until('a share of the processor', async () => number(await figure('Processor')) > 0)
  const [d] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Support bundle' }).click()])
  assert.match(d.suggestedFilename(), /^ballast-support-.*\.zip$/)
  assert.equal(readFileSync(await d.path()).subarray(0, 2).toString(), 'PK')
  await inAll('system')
})

test('settings: what is in force and who said so, without a secret', async () => {
  await page.goto(site.url + '/settings')
  await page.getByText('fleet.interval', { exact: true }).waitFor()
  await page.locator('[id="fleet.interval"]').getByText(/^--set fleet\.interval ·/).waitFor()
  await page.getByLabel('Search settings').fill('password')
  await page.getByText('set; not shown').first().waitFor()
  await page.getByLabel('Search settings').fill('')
  await page.getByText('Only those that somebody said').click()
  assert.equal(await page.getByText('telemetry.memory', { exact: true }).count(), 0)
  await inAll('settings')
})

test('who may not, is told so', async () => {
  const anybody = await Promise.all(['/system', '/settings', '/reports/schedules'].map(async (path) => (await fetch(`${site.url}/api/v1${path}`)).status))
  assert.deepEqual(anybody, [401, 401, 401])
  await page.goto(site.url)
  const looks = watch(await invite(page, chrome, 'viewer', 'rita'), complaints)
  const viewer = await looks.evaluate(() => Promise.all(['/system', '/settings', '/reports/schedules'].map(async (path) => (await fetch('/api/v1' + path)).status)))
  assert.deepEqual(viewer, [403, 403, 403])
  for (const [path, right] of [['/settings/system', 'administer'], ['/settings', 'administer'], ['/reports/mail', 'configure']]) {
    await looks.goto(site.url + path)
    await looks.getByTestId('forbidden').getByText(`It takes the right to ${right}`).waitFor()
  }
  assert.equal(await looks.getByRole('link', { name: 'System health' }).count(), 0)
  await looks.goto(site.url + '/reports')
  await looks.getByTestId('days').locator('.line').first().waitFor()
  assert.equal(await looks.getByRole('link', { name: 'By e-mail' }).count(), 0)
  await looks.context().close()
})

test('the site is left as it was', async () => {
  assert.ok((await fetch(site.control() + '/faults', { method: 'DELETE' })).ok)
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

// Alarms from end to end: a real binary, a simulated site, a real receiver.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { browser, found, painted, setUp, shots, slow, start, until, visit, watch } from './site.mjs'

// Machines that are up again seconds after their power is: what is waited for is
// Ballast, not a firmware that boots.
const machines = 80
const mix = 'groups:\n  - {share: 1, firmware: bitaxe, model: "Bitaxe Gamma", age: 1y}\n'

let site, chrome, page, hook
const got = []
const complaints = []

before(async () => {
  hook = createServer((req, res) => {
    let body = ''
    req.on('data', (b) => (body += b))
    req.on('end', () => {
      got.push({ body, signature: req.headers['x-ballast-signature'] })
      res.end('taken')
    })
  })
  await new Promise((done) => hook.listen(0, '127.0.0.1', done))
  const file = join(shots, 'alarms-mix.yaml')
  writeFileSync(file, mix)
  site = await start(['--simulate', String(machines), '--mix', file, '--set', 'fleet.slowest=5s'])
  chrome = await browser()
  page = watch(await visit(chrome), complaints)
  await setUp(page, site.link)
  await found(page, machines)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
  hook?.close()
})

const inject = (fault) => fetch(`${site.control()}/faults`, { method: 'POST', body: JSON.stringify(fault) }).then((r) => assert.ok(r.ok))

async function shot(name) {
  for (const [look, scheme] of [['-dark', 'dark'], ['', 'light']]) {
    await page.emulateMedia({ colorScheme: scheme })
    await painted(page)
    await page.screenshot({ path: join(shots, `${name}${look}.png`), fullPage: true })
  }
  await page.setViewportSize({ width: 390, height: 844 })
  await painted(page)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  await page.screenshot({ path: join(shots, `${name}-phone.png`), fullPage: true })
  await page.setViewportSize({ width: 1400, height: 900 })
  assert.ok(wide <= 0, `${name} scrolls sideways by ${wide} px on a phone`)
}

test('a healthy site needs nobody', async () => {
  await page.goto(site.url + '/alarms')
  await page.getByText('Nothing needs you').waitFor()
  await shot('alarms-none')
})

test('a receiver is set up, tested, and shows its own answer; its secret never comes back', async () => {
  await page.goto(site.url + '/settings/notifications')
  await page.getByText('Nobody can be told yet').waitFor()
  await page.getByRole('button', { name: 'Add a receiver' }).click()
  await page.getByLabel('Title').fill('Control room')
  await page.getByRole('combobox', { name: 'Kind' }).or(page.getByLabel('Kind')).first().click()
  await page.getByRole('option', { name: 'webhook' }).click()
  await page.getByLabel('Address').fill(`http://127.0.0.1:${hook.address().port}/in`)
  await page.getByLabel('Signing key').first().fill('very-secret-key')
  await page.screenshot({ path: join(shots, 'alarms-receiver-form.png') })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByTestId('receiver').waitFor()
  await page.getByRole('button', { name: 'Send a test to Control room' }).click()
  await page.getByText('200 OK: taken').waitFor()
  const m = JSON.parse(got[0].body)
  assert.match(m.subject, /^\[TEST\]/)
  const [, t, v1] = got[0].signature.match(/^t=(\d+),v1=([0-9a-f]{64})$/)
  assert.equal(createHmac('sha256', 'very-secret-key').update(`${t}.${got[0].body}`).digest('hex'), v1)
  const told = await page.evaluate(() => fetch('/api/v1/receivers').then((r) => r.text()))
  assert.ok(!told.includes('very-secret-key') && !told.includes('box1:'), told)
})

test('an escalation says who is told', async () => {
  await page.getByRole('button', { name: 'Add an escalation' }).click()
  await page.getByLabel('Title').fill('Night shift')
  await page.locator('input[aria-label="Step 1: receivers"]').last().click({ force: true })
  await page.getByRole('option', { name: 'Control room' }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByTestId('escalation').getByText('at once: Control room').waitFor()
  await shot('alarms-notifications')
})

test('a rule is tried before it is changed', async () => {
  await page.goto(site.url + '/settings/alarm-rules')
  await page.getByTestId('rules').getByText('Machine does not answer').waitFor()
  await page.getByText(new RegExp(`${machines} judged`)).first().waitFor()
  await shot('alarms-rules')
  await page.getByRole('button', { name: 'Change Machine does not answer' }).click()
  await page.getByLabel('Raised at (s)').fill('12')
  await page.getByLabel('Over at most (s)').fill('5')
  await page.getByLabel('Over after (s)').fill('2')
  await page.getByRole('button', { name: 'What would it raise now?' }).click()
  await page.getByTestId('preview').getByText(`Right now: 0 of ${machines}`).waitFor()
  await page.screenshot({ path: join(shots, 'alarms-rule-form.png') })
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByText('At 12 s').waitFor()
})

test('a breaker trips: one alarm with the cause, told once, taken on', async () => {
  const state = await (await fetch(`${site.control()}/state`)).json()
  const container = state.containers[0]
  await inject({ kind: 'container-trip', container: container.name })
  await page.goto(site.url + '/alarms')
  const card = page.getByTestId('alarm-card').filter({ hasText: 'Machine does not answer' })
  await card.first().waitFor()
  await page.waitForFunction((n) => new RegExp(`\\b${n} (of \\d+ )?machines`).test(document.querySelector('[data-testid=alarm-card]')?.innerText ?? ''), container.rigs)
  assert.equal(await page.getByTestId('alarm-card').count(), 1, await page.locator('main').innerText())
  await card.getByText('Is it safe?').waitFor()
  await page.getByTestId('alarm-count').getByText('1').waitFor()
  await shot('alarms-open')
  const triggers = () => got.map((g) => JSON.parse(g.body)).filter((m) => m.state === 'trigger' && !/TEST/.test(m.subject))
  await until('a message at the receiver', () => triggers().length > 0)
  assert.equal(triggers().length, 1)
  assert.match(triggers()[0].subject, /^\[CRITICAL\] Machine does not answer/)

  await card.getByRole('button', { name: /^Acknowledge/ }).click()
  await page.getByLabel('Note').fill('On my way to the panel')
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
  await page.getByText('taken on by alice: On my way to the panel').waitFor()
  await page.getByRole('link', { name: /Machine does not answer/ }).first().click()
  await page.getByTestId('members').waitFor()
  await page.getByText('taken on by alice: On my way to the panel').first().waitFor()
  await page.getByText(/Control room told/).first().waitFor()
  await shot('alarm-one')
})

test('silences and windows: added, seen, ended', async () => {
  await page.goto(site.url + '/alarms/quiet')
  await page.getByText('Nothing is silenced').waitFor()
  await page.getByRole('button', { name: 'Add a silence' }).click()
  await page.getByLabel('Why').fill('spare machines')
  await page.getByRole('dialog').getByRole('button', { name: 'Silence' }).click()
  await page.getByRole('alert').getByText(/silence everything/).waitFor()
  await page.getByLabel('Racks').first().fill('R99')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByRole('button', { name: 'Silence' }).click()
  await page.getByTestId('silence').getByText('rack R99').waitFor()
  await page.getByRole('button', { name: 'Add a window' }).click()
  await page.getByLabel('What is done').fill('Filter change')
  await page.getByLabel('Containers').first().fill('C01')
  await page.keyboard.press('Enter')
  await page.getByText('Every week', { exact: true }).click({ force: true })
  await page.getByText('Wed', { exact: true }).click({ force: true })
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByTestId('window').getByText('Wed at 02:00 for 120 min').waitFor()
  await shot('alarms-quiet')
  await page.getByRole('button', { name: /End the silence/ }).click()
  await page.getByText('Nothing is silenced').waitFor()
})

test('power is back: the alarm ends by itself and stands in the history', async () => {
  await fetch(`${site.control()}/faults`, { method: 'DELETE' })
  await page.goto(site.url + '/alarms')
  await page.getByText('Nothing needs you').waitFor()
  await page.waitForFunction(() => !document.body.innerText.includes('taken on by alice'), null, { timeout: 2 * slow })
  await page.getByRole('tab', { name: 'History' }).click()
  await page.getByTestId('alarm-history').getByText('Machine does not answer').waitFor()
  await shot('alarms-history')
  const over = () => got.map((g) => JSON.parse(g.body)).filter((m) => m.state === 'resolve')
  await until('the message that it is over', () => over().length > 0)
  assert.equal(over().length, 1)
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

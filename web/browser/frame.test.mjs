// What the frame does when things go wrong, and how fast it is when they go
// well: the server lost and back, a session that ended, a role that may not, a
// site without machines, a fault found from Now.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findings } from './axe.mjs'
import { browser, password, setUp, shots, start } from './site.mjs'

const machines = 80
let site, chrome, page

before(async () => {
  site = await start(['--simulate', String(machines)])
  chrome = await browser()
  page = await chrome.newPage({ viewport: { width: 1400, height: 900 } })
  await setUp(page, site.link)
  await page.waitForFunction((n) => Number(document.querySelector('[data-testid=count]')?.textContent?.match(/of ([\d,]+)/)?.[1].replaceAll(',', '')) >= n, machines, { timeout: 60_000 })
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

test('first useful paint within a second on loopback', async () => {
  const times = []
  for (let i = 0; i < 5; i++) {
    // Nothing cached; measured from the navigation to the first figures.
    const context = await chrome.newContext({ storageState: await page.context().storageState() })
    const p = await context.newPage()
    await p.addInitScript(() => {
      new MutationObserver(() => {
        if (!window.firstFigures && document.querySelector('[data-testid=figures]')) window.firstFigures = performance.now()
      }).observe(document, { childList: true, subtree: true, attributes: true })
    })
    await p.goto(site.url + '/', { waitUntil: 'commit' })
    await p.getByTestId('figures').waitFor()
    times.push(Math.round(await p.evaluate(() => window.firstFigures)))
    await context.close()
  }
  console.log(`  first figures after ${times.join(', ')} ms`)
  // The best of five: what else the machine does meanwhile is not the page's.
  assert.ok(Math.min(...times) < 1000, `${times} ms`)
})

test('a fault injected in the simulator is found within three clicks from Now', async () => {
  await page.goto(site.url + '/')
  await page.getByTestId('look').waitFor()
  const res = await fetch(site.control() + '/faults', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ rig: 5, kind: 'power-off' }) })
  assert.ok(res.ok, await res.text())
  const { addr } = (await (await fetch(site.control() + '/rigs')).json())[5]
  const all = await page.evaluate(async () => (await (await fetch('/api/v1/machines')).json()).machines)
  const sick = all.find((m) => m.addr === addr)
  let clicks = 0
  const entry = page.getByTestId('look').getByRole('link', { name: new RegExp(sick.name.replaceAll('.', '\\.')) })
  await entry.waitFor({ timeout: 40_000 })
  await entry.click()
  clicks++
  await page.waitForURL(new RegExp(`/machines/${sick.id}`))
  await page.getByText(/does not answer/i).first().waitFor()
  assert.ok(clicks <= 3)
  await page.goBack()
  await page.getByTestId('feed').getByText(/^Lost \d+ machine/).first().waitFor({ timeout: 20_000 })
})

test('a decision shows its reason, and confirmation as telemetry tells it', async () => {
  await page.evaluate(() => fetch('/api/v1/commands', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ machines: [20, 21, 22], setting: { kind: 'sleep' }, reason: 'The price is above the strike price until 17:00' }) }))
  const one = page.getByTestId('feed').locator('.decision', { hasText: 'Put 3 machines to sleep' })
  await one.getByText('The price is above the strike price until 17:00').waitFor({ timeout: 20_000 })
  await one.getByText(/confirmed by telemetry [1-3] of 3/).waitFor({ timeout: 60_000 })
  await page.getByTestId('trends').locator('canvas').first().waitFor()
  await page.screenshot({ path: join(shots, 'now-decision.png'), fullPage: true })
})

test('zooming into a chart sets the time of the whole view, and the switch takes it back', async () => {
  const over = page.getByTestId('trends').locator('.u-over').first()
  await over.scrollIntoViewIfNeeded()
  const box = await over.boundingBox()
  await page.mouse.move(box.x + box.width * 0.6, box.y + 20)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.9, box.y + 30, { steps: 4 })
  await page.mouse.up()
  await page.waitForURL(/from=\d+&to=\d+/)
  await page.getByRole('heading', { name: 'In the time chosen' }).waitFor()
  const { searchParams } = new URL(page.url())
  assert.ok(Math.abs(searchParams.get('to') - searchParams.get('from') - 0.3 * 3600) < 120)
  await page.getByLabel('Time range').selectOption('6h')
  await page.waitForURL((u) => u.searchParams.get('range') === '6h' && !u.searchParams.has('from'))
})

test('the server is lost: what was seen stays with its age; it comes back by itself', async () => {
  await page.goto(site.url + '/?range=6h')
  await page.getByText('● live').waitFor()
  const { port } = new URL(site.url)
  await site.kill('SIGKILL')
  await page.getByTestId('lost').waitFor({ timeout: 20_000 })
  const shown = await page.getByTestId('figures').innerText()
  assert.match(shown, /since \d/)
  assert.match(await page.getByTestId('lost').innerText(), /not reached, since .* You see the site as it was then/s)
  // Search goes on with what is known.
  await page.keyboard.press('/')
  await page.getByRole('combobox', { name: 'Search everything' }).fill('antminer')
  assert.ok((await page.locator('#hits [role=option]').count()) > 0)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme })
    assert.deepEqual(await findings(page), [], scheme)
    await page.screenshot({ path: join(shots, `frame-lost-${scheme}.png`) })
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 390, height: 844 })
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0)
  await page.screenshot({ path: join(shots, 'frame-lost-phone.png') })
  await page.setViewportSize({ width: 1400, height: 900 })
  site = await start(['--simulate', String(machines), '--set', `listen=127.0.0.1:${port}`], { data: site.data, link: false })
  await page.getByText('● live').waitFor({ timeout: 30_000 })
  await page.getByTestId('lost').waitFor({ state: 'hidden' })
  assert.match(page.url(), /range=6h/)
  assert.equal(await page.getByTestId('newer').count(), 0, 'the same dashboard came back')
})

test('another dashboard on the server: it offers to load it', async () => {
  await page.goto(site.url + '/')
  await page.getByText('● live').waitFor()
  // The server would answer with another index after an update.
  await page.route(site.url + '/', async (route) => {
    const res = await route.fetch()
    await route.fulfill({ response: res, body: (await res.text()).replace(/\/assets\/index-[^"]+\.js/, '/assets/index-NEWER.js') })
  })
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await page.getByTestId('newer').waitFor({ timeout: 15_000 })
  assert.deepEqual(await findings(page), [])
  await page.screenshot({ path: join(shots, 'frame-newer.png') })
  await page.getByTestId('newer').getByRole('button', { name: 'Later' }).click()
  await page.getByTestId('newer').waitFor({ state: 'hidden' })
  await page.unroute(site.url + '/')
})

test('the session ends: sign in again, and be on the same page with the same view', async () => {
  await page.goto(site.url + '/machines/3?range=24h')
  await page.getByText('● live').waitFor()
  await page.context().clearCookies()
  await page.waitForURL(/\/sign-in/, { timeout: 30_000 })
  await page.getByText('Your session has ended').waitFor()
  assert.deepEqual(await findings(page), [])
  await page.screenshot({ path: join(shots, 'frame-expired.png') })
  await page.getByLabel('Name').fill('alice')
  await page.getByLabel('Password').first().fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(/\/machines\/3\?range=24h/)
  await page.getByText('● live').waitFor()
})

test('a viewer sees no dangerous button, and a direct address says what it takes', async () => {
  await page.goto(site.url + '/')
  await page.getByTestId('figures').waitFor()
  const viewer = await asViewer()
  try {
    await viewer.goto(site.url + '/')
    await viewer.getByTestId('figures').waitFor()
    const buttons = await viewer.getByRole('button').allInnerTexts()
    assert.ok(!buttons.some((b) => /sleep|wake|reboot|retire|scan|save|delete|find machines/i.test(b)), buttons.join(', '))
    const links = (p) => p.locator('nav.rail.wide a[data-page]').evaluateAll((all) => all.map((a) => new URL(a.href).pathname))
    const open = await links(viewer)
    const closed = (await links(page)).filter((to) => !open.includes(to))
    for (const to of closed) {
      await viewer.goto(site.url + to)
      await viewer.getByTestId('forbidden').getByText(/It takes the right to/).waitFor()
      assert.deepEqual(await findings(viewer), [], to)
      await viewer.screenshot({ path: join(shots, 'frame-forbidden.png') })
    }
    console.log(`  ${open.length} pages open to a viewer, ${closed.length} closed`)
  } finally {
    await viewer.context().close()
  }
})

/** A page of somebody who may only look: invited by the real API. A server that
 * cannot invite yet has no second account to offer; then the page is told that
 * its own account may only look, which tries the page and not the server (that
 * is what the matrix of roles does). */
async function asViewer() {
  const invited = await page.evaluate(async () => {
    const res = await fetch('/api/v1/invites', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ grants: [{ role: 'viewer' }] }) })
    return { status: res.status, text: await res.text() }
  })
  if (invited.status === 404) {
    const context = await chrome.newContext({ viewport: { width: 1400, height: 900 }, storageState: await page.context().storageState() })
    const p = await context.newPage()
    await p.route('**/api/v1/session', async (route) => {
      const res = await route.fetch()
      await route.fulfill({ response: res, json: { ...(await res.json()), rights: ['look'] } })
    })
    return p
  }
  assert.equal(invited.status, 201, invited.text)
  const link = invited.text.match(/\/setup#[\w.~-]+/)?.[0]
  assert.ok(link, invited.text)
  const p = await (await chrome.newContext({ viewport: { width: 1400, height: 900 } })).newPage()
  await p.goto(site.url + link)
  await p.getByLabel('Name to sign in with').fill('vera')
  await p.getByLabel('Password', { exact: false }).first().fill(password)
  await p.getByRole('button', { name: 'Set up and sign in' }).click()
  await p.getByTestId('figures').waitFor({ timeout: 20_000 })
  const refused = await p.evaluate(async () => (await fetch('/api/v1/commands', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"machines":[1],"setting":{"kind":"sleep"}}' })).status)
  assert.equal(refused, 403)
  return p
}

test('an empty site teaches the next step', async () => {
  const empty = await start([])
  const p = await (await chrome.newContext({ viewport: { width: 1400, height: 900 } })).newPage()
  try {
    await p.goto(empty.link)
    await p.getByLabel('Name to sign in with').fill('bob')
    await p.getByLabel('Password', { exact: false }).first().fill(password)
    await p.getByRole('button', { name: 'Set up and sign in' }).click()
    const find = p.getByTestId('empty').getByRole('link', { name: 'Find machines' })
    await find.waitFor({ timeout: 20_000 })
    assert.equal(new URL(await find.evaluate((a) => a.href)).pathname, '/places/discovery')
    assert.deepEqual(await findings(p), [])
    await p.screenshot({ path: join(shots, 'now-empty.png') })
    await p.setViewportSize({ width: 390, height: 844 })
    await p.screenshot({ path: join(shots, 'now-empty-phone.png') })
  } finally {
    await p.context().close()
    await empty.stop()
  }
})

// Every page of the product, as the running navigation lists them: what axe
// finds, the keyboard, titles, width, and pictures in light, dark and on a phone.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findings, focused, tooWide } from './axe.mjs'
import { browser, painted, shared, shots, slow, visit, watch } from './site.mjs'

let site, chrome, page
let pages = []
const complaints = []

before(async () => {
  chrome = await browser()
  ;({ site, page } = await shared(chrome))
  watch(page, complaints, /^$/)
  // What the navigation shows, and the pages below it.
  pages = await page.locator('nav.rail.wide a[data-page]').evaluateAll((all) => all.map((a) => ({ title: a.textContent.trim(), to: new URL(a.href).pathname })))
  const below = await page.evaluate(async () => {
    const get = async (path) => (await fetch('/api/v1' + path)).json()
    const post = async (path, body) => (await fetch('/api/v1' + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })).json()
    const [site] = await get('/sites')
    const { batch } = await post('/commands', { machines: [1], setting: { kind: 'locate', on: false }, reason: 'a command to look at' })
    const [command] = await get('/commands?limit=1')
    const { alarms } = await get('/alarms')
    return ['/machines/1', `/places/sites/${encodeURIComponent(site.name)}`, `/reports/daily/${new Date().toISOString().slice(0, 10)}`, batch && `/commands/${batch}`, command && `/commands/one/${command.id}`, alarms?.[0] && `/alarms/${alarms[0].id}`]
  })
  pages.push(...below.filter(Boolean).map((to) => ({ title: '', to })))
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const slug = (to) => (to === '/' ? 'now' : to.slice(1).replaceAll('/', '-'))

/** Opens a page and waits until it stands still: no loader, nothing under way. */
async function open(to) {
  await page.goto(site.url + to)
  await page.locator('main h1').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('main .mantine-Loader-root, main .mantine-Skeleton-root[data-visible]'), null, { timeout: slow })
  await page.waitForLoadState('load')
  await painted(page)
}

test('the navigation lists pages, and each can be opened', () => {
  assert.ok(pages.length >= 2, JSON.stringify(pages))
  assert.equal(new Set(pages.map((p) => p.to)).size, pages.length, 'two entries lead to one page')
})

test('axe finds nothing serious on any page, light and dark; none is wider than a phone; titles are set', async (t) => {
  for (const p of pages) {
    await t.test(p.to, async () => {
      await open(p.to)
      assert.match(await page.title(), /^\S.* · Ballast$/, 'the title of the tab')
      assert.equal(await page.locator('main h1').count(), 1, 'one heading of the first level')
      for (const [look, scheme, width, height] of [['light', 'light', 1400, 900], ['dark', 'dark', 1400, 900], ['phone', 'light', 390, 844]]) {
        await page.emulateMedia({ colorScheme: scheme })
        await page.setViewportSize({ width, height })
        await painted(page)
        await page.screenshot({ path: join(shots, `page-${slug(p.to)}-${look}.png`) })
        assert.deepEqual(await findings(page), [], look)
        const over = await tooWide(page)
        assert.ok(over <= 0, `${over} px wider than ${width}`)
      }
    })
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 1400, height: 900 })
  }
})

test('every page can be walked with Tab: each stop is named and seen, and the walk comes to an end', async (t) => {
  for (const p of pages) {
    await t.test(p.to, async () => {
      await open(p.to)
      await page.evaluate(() => document.activeElement?.blur())
      const seen = []
      let last = ''
      let stays = 0
      for (let i = 0; i < 150; i++) {
        await page.keyboard.press('Tab')
        const f = await focused(page)
        if (!f) break // out at the end, into the browser's own
        assert.ok(f.name, `a stop without a name: ${f.html}`)
        assert.ok(f.shown, `a stop that is not to be seen: ${f.html}`)
        assert.ok(f.ring, `a stop without a ring: ${f.html}`)
        const key = `${f.html}@${f.at.map(Math.round)}`
        stays = key === last ? stays + 1 : 1
        assert.ok(stays <= f.parts, `Tab does not lead on from ${f.html}`)
        if (stays > 1) continue
        last = key
        seen.push(f)
      }
      assert.ok(seen.length >= 8, `${seen.length} stops`)
      assert.match(seen[0].name, /Skip to the page/)
    })
  }
})

test('the first stop skips to the page', async () => {
  await open('/')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main')
})

test('what opens is closed by Escape, and the focus goes back', async () => {
  await open('/')
  for (const [role, name, opened] of [
    ['button', /^Search/, () => page.getByRole('dialog')],
    ['button', /^Account of/, () => page.getByRole('menu')],
    ['button', /^Hashrate: where/, () => page.getByText('Measured: sum of what')],
  ]) {
    const target = page.getByRole(role, { name }).first()
    await target.focus()
    await page.keyboard.press('Enter')
    await opened().first().waitFor()
    await painted(page)
    assert.deepEqual(await findings(page), [], String(name))
    await page.keyboard.press('Escape')
    await opened().first().waitFor({ state: 'hidden' })
    await page.waitForFunction((el) => document.activeElement === el, await target.elementHandle())
  }
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('search everything').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
})

test('g and a letter lead to each section', async () => {
  await open('/')
  await page.keyboard.press('?')
  await page.getByRole('dialog').locator('kbd', { hasText: /^g$/ }).first().waitFor()
  const lines = await page.getByRole('dialog').locator('tr').evaluateAll((rows) => rows.map((r) => [...r.querySelectorAll('kbd')].map((k) => k.textContent)))
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  const letters = lines.filter((k) => k[0] === 'g').map((k) => k[1])
  assert.ok(letters.length >= 1)
  for (const letter of letters) {
    await page.keyboard.press('g')
    await page.keyboard.press(letter)
    await page.locator('main h1').first().waitFor()
  }
})

test('the rail folds, stays folded, and its icons have names', async () => {
  await open('/')
  await page.getByRole('button', { name: 'Fold the navigation' }).click()
  await page.reload()
  const unfold = page.getByRole('button', { name: 'Unfold the navigation' })
  await unfold.waitFor()
  assert.deepEqual(await findings(page), [])
  await page.screenshot({ path: join(shots, 'frame-folded.png') })
  await unfold.click()
  await page.getByRole('button', { name: 'Fold the navigation' }).waitFor()
})

test('the drawer of a phone: opens, names where one is, Escape closes it', async () => {
  await page.setViewportSize({ width: 390, height: 844 })
  await open('/')
  const burger = page.getByRole('button', { name: 'Navigation' })
  await burger.focus()
  await page.keyboard.press('Enter')
  const drawer = page.getByRole('dialog')
  await drawer.getByRole('link', { name: 'Now', exact: true }).waitFor()
  assert.equal(await drawer.locator('[aria-current=page]').count(), 1)
  await painted(page)
  assert.deepEqual(await findings(page), [])
  await page.screenshot({ path: join(shots, 'frame-drawer.png') })
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'hidden' })
  await page.waitForFunction((el) => document.activeElement === el, await burger.elementHandle())
  await page.setViewportSize({ width: 1400, height: 900 })
})

test('sign-in: axe, light and dark, on a phone', async () => {
  const p = await visit(chrome)
  for (const [scheme, width] of [['light', 1400], ['dark', 1400], ['light', 390]]) {
    await p.emulateMedia({ colorScheme: scheme })
    await p.setViewportSize({ width, height: 844 })
    await p.goto(site.url + '/sign-in')
    await p.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    assert.deepEqual(await findings(p), [])
    assert.ok((await tooWide(p)) <= 0)
    assert.match(await p.title(), /Sign in · Ballast/)
    await p.screenshot({ path: join(shots, `page-sign-in-${width < 400 ? 'phone' : scheme}.png`) })
  }
  await p.context().close()
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

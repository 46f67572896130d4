// Every page of the product, as the running navigation lists them: what axe
// finds, the keyboard, titles, width, and pictures in light, dark and on a phone.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findings, focused, tooWide } from './axe.mjs'
import { browser, setUp, shots, start } from './site.mjs'

const machines = 80
let site, chrome, page
let pages = []
const complaints = []

before(async () => {
  site = await start(['--simulate', String(machines)])
  chrome = await browser()
  page = await chrome.newPage({ viewport: { width: 1400, height: 900 } })
  page.on('pageerror', (e) => complaints.push(`${page.url()}: ${e}`))
  page.on('console', (m) => m.type() === 'error' && complaints.push(`${page.url()}: ${m.text()}`))
  await setUp(page, site.link)
  await page.waitForFunction((n) => Number(document.querySelector('[data-testid=count]')?.textContent?.match(/of ([\d,]+)/)?.[1].replaceAll(',', '')) >= n, machines, { timeout: 60_000 })
  // What the navigation shows, and one page below it: a machine's.
  pages = await page.locator('nav.rail.wide a[data-page]').evaluateAll((all) => all.map((a) => ({ title: a.textContent.trim(), to: new URL(a.href).pathname })))
  pages.push({ title: '', to: '/machines/1' })
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const slug = (to) => (to === '/' ? 'now' : to.slice(1).replaceAll('/', '-'))

/** Opens a page and waits until it stands still: no loader, nothing under way. */
async function open(to) {
  await page.goto(site.url + to)
  await page.locator('main h1').first().waitFor({ timeout: 20_000 })
  await page.waitForFunction(() => !document.querySelector('main .mantine-Loader-root, main .mantine-Skeleton-root[data-visible]'), null, { timeout: 15_000 }).catch(() => undefined)
  await page.waitForTimeout(400)
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
      for (const [look, scheme, width, height] of [['light', 'light', 1400, 900], ['dark', 'dark', 1400, 900], ['phone', 'light', 390, 844], ['phone-dark', 'dark', 390, 844]]) {
        await page.emulateMedia({ colorScheme: scheme })
        await page.setViewportSize({ width, height })
        await page.waitForTimeout(350)
        if (look !== 'phone-dark') await page.screenshot({ path: join(shots, `page-${slug(p.to)}-${look}.png`) })
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
      for (let i = 0; i < 150; i++) {
        await page.keyboard.press('Tab')
        const f = await focused(page)
        if (!f) break // out at the end, into the browser's own
        assert.ok(f.name, `a stop without a name: ${f.html}`)
        assert.ok(f.shown, `a stop that is not to be seen: ${f.html}`)
        assert.ok(f.ring, `a stop without a ring: ${f.html}`)
        const key = `${f.html}@${f.at.map(Math.round)}`
        assert.notEqual(key, last, `Tab does not lead on from ${f.html}`)
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
    await page.waitForTimeout(300)
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
  await page.waitForTimeout(300)
  assert.deepEqual(await findings(page), [])
  await page.screenshot({ path: join(shots, 'frame-drawer.png') })
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'hidden' })
  await page.waitForFunction((el) => document.activeElement === el, await burger.elementHandle())
  await page.setViewportSize({ width: 1400, height: 900 })
})

test('sign-in: axe, light and dark, on a phone', async () => {
  const other = await chrome.newContext()
  const p = await other.newPage()
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
  await other.close()
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

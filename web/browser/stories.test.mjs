// Every part of the dashboard in each of its states, by itself: pictures in
// light, dark and at phone width, axe, and what parts do by mouse and by key.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { findings, tooWide } from './axe.mjs'
import { browser, painted, shots, visit, watch } from './site.mjs'

const web = resolve(import.meta.dirname, '..')
const built = join(web, 'test-results/stories')
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
let server, chrome, page, base
const complaints = []

before(async () => {
  execFileSync('npx', ['vite', 'build', '--config', 'stories/vite.config.ts', '--logLevel', 'warn'], { cwd: web, stdio: 'inherit' })
  server = createServer((req, res) => {
    const path = new URL(req.url, 'http://x').pathname
    try {
      const file = join(built, path === '/' ? 'index.html' : path)
      if (!file.startsWith(built)) throw new Error('outside')
      const body = readFileSync(file)
      // As strict as the server of the product is.
      res.setHeader('Content-Security-Policy', "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'")
      res.setHeader('Content-Type', types[extname(file)] ?? 'application/octet-stream')
      res.end(body)
    } catch {
      res.statusCode = 404
      res.end()
    }
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${server.address().port}/`
  chrome = await browser()
  page = watch(await visit(chrome, { width: 1200 }), complaints, /^$/)
})

after(async () => {
  await chrome?.close()
  server?.close()
})

const names = ['Figure', 'Chart', 'DataTable', 'Decision', 'Trouble', 'Empty', 'Confirm', 'Work', 'Condition', 'Age', 'Notices', 'Icons']

test('the list of stories is whole', async () => {
  await page.goto(base)
  await page.locator('[data-story]').first().waitFor()
  assert.deepEqual(await page.locator('[data-story]').evaluateAll((all) => all.map((e) => e.dataset.story)), names)
})

for (const name of names) {
  test(`${name}: nothing serious to axe in light, dark and at phone width, and no wider than a phone`, async () => {
    await page.goto(`${base}?story=${name}`)
    await page.locator(`[data-story=${name}]`).waitFor()
    for (const [look, scheme, width] of [['light', 'light', 1200], ['dark', 'dark', 1200], ['phone', 'light', 390]]) {
      await page.emulateMedia({ colorScheme: scheme })
      await page.setViewportSize({ width, height: 900 })
      await painted(page)
      await page.screenshot({ path: join(shots, `part-${name.toLowerCase()}-${look}.png`), fullPage: true })
      assert.deepEqual(await findings(page), [], `${name}, ${look}`)
      assert.ok((await tooWide(page)) <= 0, `${name} is wider than ${width} px by ${await tooWide(page)}`)
    }
    await page.setViewportSize({ width: 1200, height: 900 })
    await page.emulateMedia({ colorScheme: 'light' })
  })
}

test('Chart: values by key, zoom by mouse and by key, a table, CSV', async () => {
  await page.goto(`${base}?story=Chart`)
  const state = page.locator('[data-state="two lines, events, zoom"]')
  const plot = state.getByRole('img', { name: /^Power in MW/ })
  await plot.focus()
  await page.keyboard.press('End')
  const said = async () => (await state.locator('[aria-live]').innerText()).trim()
  assert.match(await said(), /measured [\d.]+ MW, cap [\d.]+ MW/)
  const last = await said()
  await page.keyboard.press('ArrowLeft')
  assert.notEqual(await said(), last)
  // To the first event: it is told too.
  await page.keyboard.press('Home')
  for (let i = 0; i < 6; i++) await page.keyboard.press('PageDown')
  assert.match(await said(), /Put 200 machines to sleep/)
  // The crosshair of the chart below moves along.
  assert.match(await page.locator('[data-state^="moves with"] .chart-when').innerText(), /sleep/)
  await page.keyboard.press('Shift+PageDown')
  await page.keyboard.press('Enter')
  const zoomed = (await page.locator('body').getAttribute('data-zoomed')).split(' ').map(Number)
  assert.equal(zoomed[1] - zoomed[0], 600)
  await page.keyboard.press('Escape')
  assert.equal(await said(), '')

  const over = await state.locator('.u-over').boundingBox()
  await page.mouse.move(over.x + over.width * 0.25, over.y + 30)
  await page.mouse.down()
  await page.mouse.move(over.x + over.width * 0.5, over.y + 40, { steps: 4 })
  await page.mouse.up()
  const dragged = (await page.locator('body').getAttribute('data-zoomed')).split(' ').map(Number)
  assert.ok(Math.abs(dragged[1] - dragged[0] - 0.25 * 239 * 60) < 200, `${dragged[1] - dragged[0]} s`)

  await state.getByRole('button', { name: 'Power as a table' }).click()
  assert.equal(await state.locator('tbody tr').count(), 240)
  assert.ok((await state.getByText('Lost 12 machines in C04').count()) >= 1)
  const [file] = await Promise.all([page.waitForEvent('download'), state.getByRole('button', { name: 'Download Power as CSV' }).click()])
  assert.equal(file.suggestedFilename(), 'power.csv')
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\r\n')
  assert.equal(lines[0], 'time,measured (MW),cap (MW)')
  assert.equal(lines.length, 241)
})

test('DataTable: 10,000 rows sort, filter and choose within 100 ms', async () => {
  await page.goto(`${base}?story=DataTable`)
  const table = page.getByTestId('table-10000')
  await table.locator('.line').first().waitFor()
  // From the input to the second frame after it: what the reader waits for.
  const takes = async (what, act) => {
    const ms = await page.evaluate(act)
    console.log(`  10,000 rows, ${what}: ${ms.toFixed(0)} ms`)
    return ms
  }
  const measure = `const settle = async (act) => { await new Promise((r) => setTimeout(r, 120)); const t = performance.now(); act(); await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))); return performance.now() - t };
    const best = async (act) => { const all = []; for (let i = 0; i < 5; i++) all.push(await settle(() => act(i))); return all.toSorted((a, b) => a - b)[2] };`
  const grid = `document.querySelector('[data-testid=table-10000]')`
  const sort = await takes('sort', `(async () => { ${measure} return best(() => ${grid}.querySelectorAll('[role=columnheader] button')[3].click()) })()`)
  const filter = await takes('filter', `(async () => { ${measure} const input = document.querySelector('[aria-label="Filter 10000"]'); const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
    return best((i) => { set.call(input, i % 2 ? '' : 'c1'); input.dispatchEvent(new Event('input', { bubbles: true })) }) })()`)
  const choose = await takes('choose all', `(async () => { ${measure} return best(() => ${grid}.querySelector('[role=columnheader] input').click()) })()`)
  for (const [what, ms] of Object.entries({ sort, filter, choose })) assert.ok(ms < 100, `${what} takes ${ms} ms`)
})

test('DataTable: columns can be chosen and the choice stays; rows by key; CSV', async () => {
  await page.goto(`${base}?story=DataTable`)
  const few = page.getByTestId('table-5')
  assert.equal(await few.getByRole('columnheader', { name: 'Number' }).count(), 0)
  await page.getByRole('button', { name: 'Columns of Machines, 5', exact: true }).click()
  await page.getByRole('checkbox', { name: 'Number' }).check()
  await page.getByRole('checkbox', { name: 'Place' }).uncheck()
  await page.keyboard.press('Escape')
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /Columns of Machines, 5/)
  await page.reload()
  await few.getByRole('columnheader', { name: 'Number' }).waitFor()
  assert.equal(await few.getByRole('columnheader', { name: 'Place' }).count(), 0)
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download Machines, 5 as CSV' }).click()])
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\r\n')
  assert.equal(lines[0], 'Machine,Condition,W,TH/s,Number')
  assert.equal(lines.length, 6)

  const many = page.getByTestId('table-10000')
  await many.focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press(' ')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Shift+ ')
  assert.equal(await many.locator('[aria-selected=true]').count(), 2)
  await page.keyboard.press('End')
  await many.locator('[aria-rowindex="10001"]').waitFor()
  await page.setViewportSize({ width: 390, height: 800 })
  await painted(page)
  await many.evaluate((el) => (el.scrollLeft = 300))
  const name = await many.locator('.line .cell').first().boundingBox()
  const box = await many.boundingBox()
  assert.ok(name.x - box.x < 60, `the name stands at ${name.x - box.x}`)
  await page.screenshot({ path: join(shots, 'part-datatable-phone-scrolled.png') })
  await page.setViewportSize({ width: 1200, height: 900 })
})

test('Confirm: Escape leaves it as it is, focus goes back, axe finds nothing inside', async () => {
  await page.goto(`${base}?story=Confirm`)
  for (const name of ['Ask', 'Ask for something dangerous', 'Ask while the preview loads', 'Ask and fail']) {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme })
      const opens = page.getByRole('button', { name, exact: true })
      await opens.click()
      await page.getByRole('dialog').waitFor()
      await painted(page)
      assert.deepEqual(await findings(page), [], `${name}, ${scheme}`)
      await page.screenshot({ path: join(shots, `part-confirm-${name.split(' ').at(-1).toLowerCase()}-${scheme}.png`) })
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
      await page.waitForFunction((n) => document.activeElement?.textContent === n, name)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
})

test('Notices: bad news stays, Escape closes it, axe finds nothing', async () => {
  await page.goto(`${base}?story=Notices`)
  await page.getByRole('button', { name: 'Good news' }).click()
  await page.getByRole('button', { name: 'Bad news' }).click()
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme })
    assert.deepEqual(await findings(page), [], scheme)
    await page.screenshot({ path: join(shots, `part-notices-open-${scheme}.png`) })
  }
  await page.mouse.move(0, 0)
  await page.getByText('200 machines were told to sleep').waitFor({ state: 'hidden' })
  assert.equal(await page.getByRole('alert').count(), 1)
  await page.getByRole('button', { name: /^Close: The layout/ }).focus()
  await page.keyboard.press('Escape')
  assert.equal(await page.getByRole('alert').count(), 0)
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

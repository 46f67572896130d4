import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { placeMachines } from './places.mjs'
import { browser, invite, painted, shared, sharedMachines as machines, shots, slow, until, watch } from './site.mjs'

let site, chrome, page
const complaints = []

before(async () => {
  chrome = await browser()
  ;({ site, page } = await shared(chrome))
  watch(page, complaints)
  assert.equal(await placeMachines(page, { containers: 3, perRack: 3, slots: 12, leave: 12 }), machines - 12)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

const shot = (name, more = {}) => page.screenshot({ path: join(shots, `${name}.png`), ...more })
const count = async () => Number((await page.getByTestId('count').innerText()).match(/^([\d,]+) of/)[1].replaceAll(',', ''))
const toMachines = async (query = '') => {
  await page.goto(`${site.url}/machines${query}`)
  await page.getByTestId('count').waitFor()
  await page.waitForFunction((n) => document.querySelector('[data-testid=count]')?.textContent.includes(`of ${n}`), machines)
}

/** Moves over the map until its tip says what is looked for; the mouse stays there. */
async function find(words) {
  await page.getByTestId('map').waitFor()
  const at = await until(`a cell of the map that says ${words}`, () =>
    page.getByTestId('map').evaluate(async (map, words) => {
      const turn = () =>
        new Promise((done) => {
          const c = new MessageChannel()
          c.port1.onmessage = () => setTimeout(done)
          c.port2.postMessage(0)
        })
      const box = map.getBoundingClientRect()
      for (let y = box.top + 8; y < box.bottom; y += 12) {
        for (let x = box.left + 8; x < box.right; x += 12) {
          map.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, pointerType: 'mouse', clientX: x, clientY: y }))
          await turn()
          if (document.querySelector('.map-tip')?.textContent.includes(words)) return [x, y]
        }
      }
      return undefined
    }, words))
  await page.mouse.move(at[0] + 1, at[1])
  await page.mouse.move(...at)
  await page.locator('.map-tip', { hasText: words }).waitFor()
}

test('a machine is found by its place on the map, and opens', async () => {
  await toMachines('?show=map')
  await page.getByTestId('legend').getByText(/hashing/).waitFor()
  await find('Hall A / C01 / R2 / 3')
  await shot('machines-map')
  await page.mouse.down()
  await page.mouse.up()
  await page.waitForURL(/\/machines\/\d+/)
  await page.getByText('Hall A / C01 / R2 / 3').waitFor()
})

test('any metric is a colour, and the legend states its range', async () => {
  await toMachines('?show=map')
  const pixels = () => page.getByTestId('map').evaluate((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((sum, v, i) => (sum + v * ((i % 97) + 1)) % 1e9, 0))
  let last = await pixels()
  for (const [metric, says] of [['temp', /30.*100 °C.*machines read \d+ to \d+ °C/s], ['hashrate', /0.*110 %/s], ['efficiency', /J\/TH/], ['power', /W/], ['faults', /0.*4/s], ['age', /120 s/], ['model', /Antminer/], ['firmware', /whatsminer/], ['group', /none \d+/], ['condition', /hashing \d+/]]) {
    await page.getByLabel('Colour by').selectOption(metric)
    await page.waitForFunction((re) => new RegExp(re.source, re.flags).test(document.querySelector('[data-testid=legend]')?.innerText ?? ''), { source: says.source, flags: says.flags })
    last = await until(`${metric} painted otherwise than what was before`, async () => {
      const now = await pixels()
      return now !== last && now
    })
    if (metric === 'temp') await shot('machines-map-temp')
  }
})

test('filters, and a filter that is saved', async () => {
  await toMachines()
  await page.getByLabel('Filter machines').fill('whatsminer temp>10')
  await page.waitForURL(/q=whatsminer/)
  const some = await count()
  assert.ok(some > 0 && some < machines, `${some} fit`)
  await page.getByLabel('Filter machines').fill('hotness>3')
  await page.getByText(/no such figure/).waitFor()
  await page.getByLabel('Filter machines').fill('')
  await page.getByLabel('Place', { exact: true }).selectOption('Hall A / C01')
  await page.waitForFunction(() => document.querySelector('[data-testid=count]').textContent.startsWith('36 of'))
  await page.getByRole('button', { name: /Saved filters/ }).click()
  await page.getByRole('menuitem', { name: /Save or remove/ }).click()
  await page.getByLabel('Save what is shown now as').fill('first container')
  await page.getByLabel('For everybody').check()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.waitForFunction((n) => document.querySelector('[data-testid=count]').textContent.startsWith(`${n} of`), machines)
  await page.getByRole('button', { name: /Saved filters/ }).click()
  await page.getByRole('menuitem', { name: /first container.*shared by alice/ }).click()
  await page.waitForFunction(() => document.querySelector('[data-testid=count]').textContent.startsWith('36 of'))
})

test('the table can be taken away as CSV, with units', async () => {
  await toMachines('?place=Hall+A+%2F+C01')
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV', exact: true }).click()])
  const text = readFileSync(await download.path(), 'utf8')
  const lines = text.trim().split('\r\n')
  assert.match(lines[0], /hashrate_ths,nominal_ths,power_w,efficiency_j_per_th,temp_c/)
  assert.equal(lines.length, 37)
})

test('machines in a box are put to sleep: preview, one question, confirmation by telemetry', async () => {
  await toMachines('?show=both')
  await find('Hall A / C01 / R1 / 1') // the map is there
  await page.getByRole('button', { name: 'Box' }).click()
  const box = await page.getByTestId('map').boundingBox()
  await page.mouse.move(box.x + 4, box.y + box.height * 0.6)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 3, box.y + box.height - 4, { steps: 8 })
  await shot('machines-box')
  await page.mouse.up()
  const chosen = Number((await page.getByTestId('chosen').innerText()).match(/\d+/)[0])
  assert.ok(chosen >= 12 && chosen < machines, `${chosen} chosen`)
  await page.getByRole('button', { name: 'Sleep…' }).click()
  await page.getByTestId('effects').waitFor()
  const effects = await page.getByTestId('effects').innerText()
  assert.match(effects, /Take it\s+\d+ of \d+ machines/)
  assert.match(effects, /Power\s+[\d.]+ [kM]W → /)
  // The simulated site buys from a simulated market; a price that is not known
  // there is named, and none is invented.
  assert.match(effects, /Money\s+(?:[+-]\$[\d,.]+ a day|not known: .*price)/)
  await shot('machines-preview')
  await page.getByLabel('Reason').fill('browser test')
  await page.getByRole('button', { name: /^Put to sleep: \d+ machines/ }).click()
  await page.getByTestId('progress').waitFor()
  await shot('machines-progress-early')
  await page.waitForFunction(() => Number(document.querySelector('[data-testid=states]')?.innerText.match(/(\d+) confirmed/)?.[1]) >= 8, null, { timeout: slow })
  await shot('machines-progress')
  await page.getByRole('link', { name: 'Its own page' }).click()
  await page.waitForURL(/\/commands\/[0-9a-f-]+/)
  await page.getByText('browser test').first().waitFor()
  await page.getByTestId('commands').locator('.line').first().waitFor()
  await shot('commands-batch', { fullPage: true })
  await page.getByTestId('commands').locator('.line', { hasText: 'confirmed' }).first().click()
  await page.getByTestId('life').getByText('acknowledged', { exact: true }).waitFor()
  await shot('commands-one')
})

test('all commands are listed, and filtered', async () => {
  await page.goto(`${site.url}/commands`)
  await page.getByTestId('batches').locator('.line').first().waitFor()
  await shot('commands')
  await page.getByText('Machine by machine').click()
  await page.getByLabel('State').selectOption('confirmed')
  await page.getByTestId('commands').locator('.line').first().waitFor()
  assert.ok((await page.getByTestId('commands').locator('.line .cond').allInnerTexts()).every((t) => t.trim() === 'confirmed'))
})

test('groups and tags, in bulk', async () => {
  await toMachines('?show=table&place=Hall+A+%2F+C01+%2F+R1')
  await page.getByLabel('Choose all that are shown').click()
  await page.getByRole('button', { name: 'More…' }).click()
  await page.getByRole('menuitem', { name: 'Group…' }).click()
  await page.getByRole('combobox', { name: 'Group' }).or(page.getByRole('textbox', { name: 'Group' })).first().fill('east')
  await page.getByRole('button', { name: 'Put into east' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.goto(`${site.url}/groups`)
  await page.getByTestId('groups').getByText('east').waitFor()
  await shot('groups')
  await page.getByTestId('groups').locator('.line').first().click()
  await page.waitForURL(/group=east/)
  await page.waitForFunction(() => document.querySelector('[data-testid=count]')?.textContent.startsWith('12 of'))
})

test('one machine: limit with preview, note, edit, siblings, the next one', async () => {
  await toMachines('?show=table&q=antminer+is:hashing&sort=name')
  await page.getByTestId('machines').locator('.line').first().click()
  await page.waitForURL(/\/machines\/\d+/)
  const first = page.url()
  await page.getByTestId('boards').waitFor()
  await page.getByTestId('history').locator('canvas').first().waitFor()
  await page.getByTestId('compare').waitFor()
  await page.getByLabel('A note').fill('fan 2 rattles')
  await page.getByRole('button', { name: 'Write down' }).click()
  await page.getByTestId('notes').getByText('fan 2 rattles').waitFor()
  await page.getByRole('button', { name: 'Edit…' }).click()
  await page.getByLabel('Name', { exact: true }).fill('the rattling one')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('heading', { name: 'the rattling one' }).waitFor()
  await page.getByRole('button', { name: 'Restart mining…' }).or(page.getByRole('button', { name: 'Reboot…' })).first().click()
  await page.getByTestId('effects').waitFor()
  await shot('machine-preview')
  await page.getByRole('button', { name: /^Re(start|boot)$/ }).click()
  await page.getByTestId('progress').waitFor()
  await page.getByRole('button', { name: /^Close/ }).last().click()
  await page.getByTestId('machine-commands').getByText(/Re(start|boot)/).waitFor()
  await page.getByTestId('events').or(page.getByText(/events? in this time/)).first().waitFor()
  await shot('machine-light', { fullPage: true })
  await page.keyboard.press('j')
  await page.waitForFunction((was) => location.href !== was && /\/machines\/\d+/.test(location.pathname), first)
  await page.getByText(/^2 of \d+$/).waitFor()
})

test('search finds groups, serials and MACs', async () => {
  const m = await page.evaluate(async () => (await (await fetch('/api/v1/machines/5')).json()).record)
  await page.goto(site.url + '/groups')
  await page.getByTestId('groups').getByText('east').waitFor()
  await page.keyboard.press('/')
  await page.getByRole('combobox', { name: 'Search everything' }).fill(m.mac.replaceAll(':', '').slice(-6))
  await page.locator('.hit', { hasText: `MAC ${m.mac}` }).waitFor()
  await page.getByRole('combobox', { name: 'Search everything' }).fill('east')
  await page.locator('.hit', { hasText: '12 machines' }).click()
  await page.waitForURL(/machines.*group=east/)
})

test('who only looks is offered nothing to press', async () => {
  const mine = page
  page = await invite(mine, chrome, 'viewer', 'mona')
  try {
    await toMachines('?show=table')
    await page.getByTestId('machines').locator('.line input').first().click()
    await page.getByText('Your role looks and does not command.').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Sleep…' }).count(), 0)
    await page.goto(`${site.url}/machines/1`)
    await page.getByTestId('boards').or(page.getByText('This firmware tells nothing')).first().waitFor()
    assert.equal(await page.getByRole('toolbar').count(), 0)
    assert.equal(await page.getByLabel('A note').count(), 0)
  } finally {
    await page.context().close()
    page = mine
  }
})

test('by keyboard: choose in the table, and the map follows', async () => {
  await toMachines('?show=both')
  await page.locator('.table').focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Shift+Space')
  assert.match(await page.getByTestId('chosen').innerText(), /^3 chosen/)
})

test('a page that nobody looks at asks for fewer beats, and goes on from where it was', async () => {
  await toMachines('?show=table')
  const look = (hidden) =>
    page.evaluate((h) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => h })
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)
  const [hidden] = await Promise.all([page.waitForRequest(/\/api\/v1\/live\?.*every=10/, { timeout: slow }), look(true)])
  assert.match(hidden.url(), /since=\w+\.\d+/)
  const [again] = await Promise.all([page.waitForRequest((r) => r.url().includes('/api/v1/live') && !r.url().includes('every='), { timeout: slow }), look(false)])
  assert.match(again.url(), /since=\w+\.\d+/)
  await page.getByText('● live').waitFor()
  assert.equal(await count(), machines)
})

test('dark, and phone width', async () => {
  // At rest: the map painted, charts drawn, no skeleton left.
  const still = async () => {
    await page.waitForFunction(() => !document.querySelector('main .mantine-Loader-root, main .mantine-Skeleton-root[data-visible]'))
    await painted(page)
  }
  await toMachines('?show=both&metric=temp')
  await find('Hall A / C01 / R1 / 1')
  await shot('machines-light')
  await page.emulateMedia({ colorScheme: 'dark' })
  await painted(page)
  await shot('machines-dark')
  await page.goto(`${site.url}/machines/7`)
  await page.getByTestId('history').locator('canvas').first().waitFor()
  await shot('machine-dark', { fullPage: true })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 390, height: 844 })
  for (const [name, path, there] of [
    ['machines-phone', '/machines', '[data-testid=machines] .line'],
    ['machines-phone-map', '/machines?show=map', '[data-testid=map]'],
    ['machine-phone', '/machines/7', '[data-testid=history] canvas'],
    ['groups-phone', '/groups', '[data-testid=groups] .line'],
    ['commands-phone', '/commands', '[data-testid=batches] .line'],
  ]) {
    await page.goto(site.url + path)
    await page.locator(there).first().waitFor()
    await still()
    await shot(name)
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wide <= 0, `${path} is ${wide} px wider than a phone`)
  }
  await page.setViewportSize({ width: 1400, height: 900 })
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test as each } from 'node:test'
import { browser, invite, painted, setUp, shots, simulator, slow, start, visit, watch } from './site.mjs'

// An empty site, and machines beside it that nobody told Ballast about: half an
// hour of a new owner's morning.

const network = '127.33.4.0/24'
const machines = 60
let sim, site, chrome, page
const complaints = []

// Each step stands on the one before: after a failure the rest says so at once.
let broken = ''
const test = (name, run) =>
  each(name, async (t) => {
    if (broken) return t.skip('after the failure of: ' + broken)
    try {
      await run(t)
    } catch (e) {
      broken = name
      await page?.screenshot({ path: join(shots, 'places-failed.png') }).catch(() => undefined)
      throw e
    }
  })

before(async () => {
  sim = await simulator(['--machines', String(machines), '--network', network, '--password', 'sesame', '--seed', '3'])
  const file = join(tmpdir(), `ballast-places-${process.pid}.yaml`)
  const ports = Object.entries(sim.ready.ports ?? {}).map(([a, b]) => `    ${a}: ${b}\n`)
  writeFileSync(file, `site:\n  name: ranch\n  zone: America/Chicago\nfleet:\n  interval: 2s\n${ports.length ? `  ports:\n${ports.join('')}` : ''}`)
  site = await start(['--config', file])
  chrome = await browser()
  page = watch(await visit(chrome), complaints)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
  await sim?.stop()
})

/** Screenshots in light, dark and phone width; the page must not scroll sideways there. */
async function looks(name) {
  await page.evaluate(() => scrollTo(0, 0))
  for (const scheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme: scheme })
    await painted(page)
    await page.screenshot({ path: join(shots, `${name}-${scheme}.png`) })
  }
  await page.setViewportSize({ width: 390, height: 844 })
  await page.screenshot({ path: join(shots, `${name}-phone.png`) })
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  await page.setViewportSize({ width: 1400, height: 900 })
  assert.ok(wide <= 0, `${name} is ${wide} px wider than a phone`)
}
const api = (method, path, body) => page.evaluate(async ([method, path, body]) => {
  const r = await fetch('/api/v1' + path, { method, headers: body ? { 'Content-Type': 'application/json' } : {}, body: body ? JSON.stringify(body) : undefined })
  return { status: r.status, body: r.status === 204 ? null : await r.json() }
}, [method, path, body])

test('from sign-up to the first machines, on an empty site', async () => {
  await setUp(page, site.link)
  await page.getByRole('link', { name: 'Find machines' }).click()
  await page.waitForURL(/places\/discovery/)
  await page.getByText('No scan yet').waitFor()
  assert.equal((await api('GET', '/scans')).body.length, 0, 'something was scanned without being asked for')
  await page.getByLabel('Address ranges').fill('127.33.4.0/33')
  await page.getByRole('button', { name: 'Look for machines' }).click()
  await page.getByText(/no address range/).waitFor()
  await looks('discovery-start')
  await page.getByLabel('Address ranges').fill(network)
  await page.getByRole('button', { name: 'Look for machines' }).click()
  await page.getByTestId('scan-end').waitFor()
  assert.match(await page.getByTestId('scan-end').innerText(), /^Done/)
  await page.getByTestId('kinds').waitFor()
  await looks('discovery-done')
  await page.getByRole('tab', { name: /One by one/ }).click()
  await page.getByTestId('found').getByText('127.33.4.1', { exact: true }).waitFor()
  await page.getByRole('tab', { name: 'Not found, and why' }).click()
  assert.match(await page.getByTestId('not-found').innerText(), /refused/)
  await page.screenshot({ path: join(shots, 'discovery-not.png') })
  const s = (await api('GET', '/sites')).body.find((x) => x.name === 'ranch')
  assert.deepEqual(s.ranges, [network], 'the ranges belong to the site now')
})

test('machines that are locked are unlocked by a password, which is never told', async () => {
  await page.getByTestId('unlock').getByText(/want a password/).waitFor() // as soon as they are read
  await looks('discovery-unlock')
  const before = (await api('GET', '/machine-passwords')).body.locked_total
  assert.ok(before > 0, `${before} locked`)
  await page.goto(site.url + '/settings/passwords')
  await page.getByTestId('locked').waitFor()
  // A wrong one, tried on one machine, and the right one.
  const row = page.getByTestId('locked').locator('tr.line').filter({ hasText: 'braiins' }).first()
  await row.getByRole('button', { name: 'Try one' }).click()
  await page.getByRole('textbox', { name: 'User' }).fill('root')
  await page.getByLabel('Password to try').fill('wrong')
  await page.getByRole('button', { name: 'Try it' }).click()
  await page.getByTestId('verdict').getByText(/does not fit/).waitFor()
  await page.getByLabel('Password to try').fill('sesame')
  await page.getByRole('button', { name: 'Try it' }).click()
  await page.getByTestId('verdict').getByText('It fits.').waitFor()
  await page.screenshot({ path: join(shots, 'password-try.png') })
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Enter a password' }).first().click()
  await page.getByLabel('User').fill('root')
  await page.getByLabel('Machine password').fill('sesame')
  await page.getByRole('button', { name: 'Save and use it' }).click()
  await page.getByTestId('passwords').waitFor()
  await page.waitForFunction((n) => {
    const m = document.body.innerText.match(/(\d+) machines? still locked/)
    return m && Number(m[1]) < n
  }, before, { timeout: slow })
  await looks('passwords')
  const told = await api('GET', '/machine-passwords')
  assert.ok(!JSON.stringify(told).includes('sesame'), 'the password was told')
  const audit = readFileSync(join(site.data, 'ledger.db')).toString('latin1')
  assert.ok(!audit.includes('sesame'), 'the password lies open in the record')
  assert.ok(!site.log().includes('sesame'), 'the password is in the log')
})

test('a layout by pattern places the machines', async () => {
  await page.goto(site.url + '/places/sites')
  await page.getByRole('link', { name: 'ranch' }).click()
  await page.getByText('Nothing contradicts').or(page.getByText(/No buildings, containers or racks yet/)).first().waitFor()
  await looks('site-empty')
  await page.getByRole('button', { name: 'Add racks by pattern' }).click()
  await page.getByRole('textbox', { name: 'Containers' }).fill('C{1..2}')
  await page.getByLabel('Racks in each').fill('R{1..2}')
  await page.getByLabel('Slots in a rack').fill('12')
  await page.getByLabel('Addresses from').fill('127.33.4.1')
  assert.match(await page.getByTestId('pattern-preview').innerText(), /2 containers, 4 racks and 48 slots.*127\.33\.4\.48/)
  await page.screenshot({ path: join(shots, 'pattern.png') })
  await page.getByRole('button', { name: 'Add them' }).click()
  await page.getByTestId('effect').getByText(/Saving moves 48 machines/).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText(/No buildings, containers or racks yet/).waitFor()
  await page.getByRole('button', { name: 'Redo' }).click()
  await page.getByTestId('plan').waitFor()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('version 3').or(page.getByText(/version \d+/)).first().waitFor()
  await page.waitForFunction(() => !document.querySelector('[data-testid=effect]'))
  const placed = (await api('GET', '/sites/ranch/placement')).body
  assert.equal(placed.machines.filter((m) => m.place).length, 48)
  assert.equal(placed.machines.find((m) => m.addr === '127.33.4.14').place, 'C1/R2/2')
  await looks('site-plan')
})

test('a machine by drag, and another by keyboard alone', async () => {
  await page.getByTestId('tree').getByRole('button', { name: /^C2/ }).click()
  await page.getByRole('button', { name: '+ rack' }).click()
  await page.getByRole('button', { name: /^R3/ }).waitFor()
  const loose = page.getByTestId('loose').locator('.loose button')
  const name = await loose.first().locator('span').first().innerText()
  await loose.first().dragTo(page.getByRole('button', { name: /Slot 5 of C2\/R3: empty/ }))
  await page.getByRole('button', { name: new RegExp(`Slot 5 of C2/R3: ${name}`) }).waitFor()
  // By keyboard: choose the machine, then the form that moves it.
  const second = await loose.first().locator('span').first().innerText()
  await loose.first().focus()
  await page.keyboard.press('Enter')
  await page.getByLabel('To rack').selectOption({ label: 'C2/R3' })
  await page.getByLabel('Slot', { exact: true }).fill('6')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: new RegExp(`Slot 6 of C2/R3: ${second}`) }).waitFor()
  // A rack into the other container, whose name is free there.
  await page.getByRole('button', { name: /^R3/ }).dragTo(page.getByTestId('tree').getByRole('button', { name: /^C1/ }))
  await page.getByTestId('tree').getByRole('button', { name: /^C1/ }).click()
  await page.getByRole('button', { name: new RegExp(`Slot 5 of C1/R3: ${name}`) }).waitFor()
  await page.screenshot({ path: join(shots, 'site-drag.png') })
  // Leaving asks.
  await page.getByRole('link', { name: 'Discovery' }).first().click()
  await page.getByText('Leave without saving?').waitFor()
  await page.getByRole('button', { name: 'Stay' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.waitForFunction(() => !document.querySelector('[data-testid=effect]'))
  const placed = (await api('GET', '/sites/ranch/placement')).body.machines
  assert.equal(placed.find((m) => m.name === name).place, 'C1/R3/5')
  assert.equal(placed.find((m) => m.name === second).place, 'C1/R3/6')
})

test('what is not valid stands beside its field, and is not saved', async () => {
  await page.getByRole('button', { name: /^R3/ }).click()
  await page.getByTestId('inspector').getByLabel('Name').fill('R1')
  await page.getByTestId('problems').getByText(/rack "R1" is already/).waitFor()
  assert.match(await page.getByTestId('inspector').innerText(), /is already/)
  assert.ok(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled())
  await page.screenshot({ path: join(shots, 'site-invalid.png') })
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.waitForFunction(() => !document.querySelector('[data-testid=problems]'))
})

test('two editors do not overwrite each other', async () => {
  const mine = (await api('GET', '/sites/ranch')).body
  const put = await page.evaluate(async (s) => (await fetch('/api/v1/sites/ranch', { method: 'PUT', headers: { 'Content-Type': 'application/json', 'If-Match': `"${s.version}"` }, body: JSON.stringify({ title: 'The ranch', ranges: s.ranges, layout: s.layout }) })).status, mine)
  assert.equal(put, 200)
  await page.getByRole('tab', { name: 'Site', exact: true }).click()
  await page.getByLabel('Jurisdiction').fill('US-TX')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByTestId('clash').waitFor()
  await page.screenshot({ path: join(shots, 'site-clash.png') })
  await page.getByRole('button', { name: 'Look at theirs, drop mine' }).click()
  await page.getByRole('heading', { name: 'The ranch' }).waitFor()
  assert.equal(await page.getByLabel('Jurisdiction').inputValue(), '')
})

test('a table with errors changes nothing, and a good one does', async () => {
  await page.getByRole('tab', { name: 'Plan' }).click()
  const before = (await api('GET', '/sites/ranch')).body
  await page.getByRole('button', { name: 'Import a table' }).click()
  await page.getByLabel('Or paste it here').fill('ip,container,rack,slot\n127.33.4.49,C9,R1,1\n127.33.4.300,C9,R1,2\n127.33.4.51,C9,R1,x\n')
  await page.getByRole('button', { name: 'Preview' }).click()
  const problems = page.getByTestId('import-problems')
  await problems.waitFor()
  assert.match(await problems.innerText(), /Line 3: ip: "127\.33\.4\.300" is no address/)
  assert.match(await problems.innerText(), /Line 4: slot/)
  await page.screenshot({ path: join(shots, 'import-errors.png') })
  assert.ok(!(await page.getByRole('button', { name: 'Take it into the layout' }).isVisible()))
  await page.getByLabel('Or paste it here').fill('ip,container,rack,slot\n127.33.4.49,C9,R1,1\n127.33.4.50,C9,R1,2\n127.33.4.1,C9,R1,3\n')
  await page.getByRole('button', { name: 'Preview' }).click()
  assert.match(await page.getByTestId('import-preview').innerText(), /2 get a slot, 1 move/)
  await page.screenshot({ path: join(shots, 'import-preview.png') })
  await page.getByRole('button', { name: 'Take it into the layout' }).click()
  await page.getByTestId('tree').getByRole('button', { name: /^C9/ }).waitFor()
  assert.equal((await api('GET', '/sites/ranch')).body.version, before.version, 'an import is not a save')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.waitForFunction(() => !document.querySelector('[data-testid=effect]'))
  const placed = (await api('GET', '/sites/ranch/placement')).body.machines
  assert.equal(placed.find((m) => m.addr === '127.33.4.1').place, 'C9/R1/3')
})

test("Foreman's export, which counts rows from the top and from 0", async () => {
  const known = (await api('GET', '/sites/ranch/placement')).body.machines.filter((m) => m.mac).slice(0, 4)
  const table = 'miner_id,miner_name,miner_type,miner_ip,miner_mac,miner_rack_group,miner_rack,miner_row,miner_index\n' + known.map((m, i) => `${i},x${i},S21,${m.addr},${m.mac.toUpperCase()},F001,R05,${Math.floor(i / 2)},${i % 2}`).join('\n')
  await page.getByRole('button', { name: 'Import a table' }).click()
  await page.getByLabel('What it is').selectOption('foreman')
  await page.getByLabel('Or paste it here').fill(table)
  await page.getByRole('button', { name: 'Preview' }).click()
  assert.match(await page.getByTestId('import-preview').innerText(), /count from 0/)
  await page.screenshot({ path: join(shots, 'import-foreman.png') })
  await page.getByRole('button', { name: 'Take it into the layout' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.waitForFunction(() => !document.querySelector('[data-testid=effect]'))
  const placed = (await api('GET', '/sites/ranch/placement')).body.machines
  assert.deepEqual(known.map((m) => placed.find((x) => x.id === m.id).place), ['F001/R05/3', 'F001/R05/4', 'F001/R05/1', 'F001/R05/2'])
})

test('power and cooling', async () => {
  await page.getByRole('tab', { name: 'Power and cooling' }).click()
  await page.getByRole('button', { name: 'Add a feeder' }).click()
  await page.getByLabel('Cap, kW of F1').fill('2500')
  await page.getByRole('button', { name: 'Add a PDU' }).click()
  await page.getByRole('button', { name: 'Add a loop' }).click()
  await page.getByTestId('effect').waitFor()
  await looks('site-power')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.waitForFunction(() => !document.querySelector('[data-testid=effect]'))
  assert.equal((await api('GET', '/sites/ranch')).body.layout.feeders[0].cap_w, 2.5e6)
})

test('a place set by hand wins, and shows as a contradiction until it is cleared', async () => {
  const all = (await api('GET', '/sites/ranch/placement')).body
  const m = all.machines.find((x) => x.place === 'C1/R1/5')
  const set = await api('PUT', `/machines/${m.id}/place`, { place: { container: 'C9', rack: 'R1', slot: '1' } })
  assert.equal(set.body.placed, 'hand')
  await page.reload()
  await page.getByRole('tab', { name: /Contradictions/ }).click()
  await page.getByTestId('conflicts').getByText('Placed by hand elsewhere').waitFor()
  await looks('site-conflicts')
  await page.getByRole('button', { name: 'Follow the layout' }).click()
  await page.waitForFunction(() => !document.querySelector('[data-testid=conflicts]')?.innerText.includes('Placed by hand'))
  assert.equal((await api('GET', '/sites/ranch/placement')).body.machines.find((x) => x.id === m.id).place, 'C1/R1/5')
})

test('pools, a profile, and machines sent to it', async () => {
  await page.goto(site.url + '/pools')
  await page.getByTestId('pools').locator('.line').first().waitFor()
  await page.getByRole('button', { name: 'New profile' }).click()
  await page.getByLabel('Name').fill('Main')
  await page.getByLabel('Address of pool 1').fill('not a pool')
  await page.getByLabel('Worker of pool 1').fill('ballast.{ip4}')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText(/want an address such as/).waitFor()
  await page.getByLabel('Address of pool 1').fill('stratum+tcp://pool.example.net:3333')
  await page.getByLabel('Password of pool 1').fill('pool-secret')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByTestId('profiles').getByText('Main').waitFor()
  await page.getByTestId('stray').waitFor()
  await looks('pools')
  await page.getByRole('button', { name: /^Send machines/ }).click()
  await page.getByRole('radio', { name: 'model' }).click()
  await page.getByRole('combobox', { name: 'Machines of' }).click()
  await page.getByRole('option', { name: /Whatsminer/i }).first().click()
  await page.keyboard.press('Escape')
  await page.getByTestId('effects').getByText('pool.example.net').waitFor()
  await page.screenshot({ path: join(shots, 'pools-send.png') })
  await page.getByRole('button', { name: /^Send \d+ machine/ }).last().click()
  await page.getByTestId('sent').waitFor()
  assert.ok(!JSON.stringify((await api('GET', '/commands?limit=100')).body).includes('pool-secret'))
})

test('who may only look sees and cannot change', async () => {
  const other = await invite(page, chrome, 'viewer', 'victor')
  await other.goto(site.url + '/places/sites/ranch')
  await other.getByText(/Changing it takes the right to configure/).waitFor()
  assert.equal(await other.getByRole('button', { name: 'Save', exact: true }).count(), 0)
  await other.screenshot({ path: join(shots, 'site-viewer.png') })
  await other.goto(site.url + '/settings/passwords')
  await other.getByTestId('forbidden').getByText(/It takes the right to configure/).waitFor()
  await other.goto(site.url + '/places/discovery')
  await other.getByText(/Starting one takes the right to configure/).waitFor()
  await other.context().close()
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

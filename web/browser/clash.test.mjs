import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { browser, painted, shared, shots, watch } from './site.mjs'

// Somebody else saves while a form is open: nothing of theirs is overwritten,
// and nothing that was typed is lost.

let site, chrome, page
const complaints = []

before(async () => {
  chrome = await browser()
  ;({ page, site } = await shared(chrome))
  watch(page, complaints)
})

after(async () => {
  await chrome?.close()
  await site?.stop()
})

/** Somebody else, who asks the API. */
const api = (method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const res = await fetch('/api/v1' + path, { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) })
      return { status: res.status, body: res.status === 204 ? undefined : await res.json() }
    },
    [method, path, body],
  )

const dialog = () => page.getByRole('dialog')
const save = () => dialog().getByRole('button', { name: 'Save', exact: true }).click()

async function looks(name) {
  for (const scheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme: scheme })
    await painted(page)
    await page.screenshot({ path: join(shots, `${name}-${scheme}.png`) })
  }
  await page.setViewportSize({ width: 390, height: 844 })
  await painted(page)
  await page.screenshot({ path: join(shots, `${name}-phone.png`) })
  await page.setViewportSize({ width: 1400, height: 900 })
}

test('a pool profile that somebody else saved first', async () => {
  const pools = [{ url: 'stratum+tcp://a.example:3333', user: 'acct.{ip4}' }]
  const { id } = (await api('POST', '/pool-profiles', { name: 'First', pools })).body
  await page.goto(site.url + '/pools')
  await page.getByRole('row', { name: /First/ }).getByRole('button', { name: 'Change' }).click()
  await dialog().getByLabel(/^Name/).fill('Mine')
  await dialog().getByLabel('Worker of pool 1').fill('mine.{ip4}')
  assert.equal((await api('PUT', `/pool-profiles/${id}`, { name: 'Theirs', group: 'east', pools })).status, 200)
  await save()
  await page.getByTestId('clash').waitFor()
  assert.equal(await dialog().getByLabel(/^Name/).inputValue(), 'Mine')
  await looks('clash')
  await page.getByRole('button', { name: 'Load the newest' }).click()
  const newest = page.getByTestId('newest')
  await newest.getByText('As they have it now: Group').waitFor()
  assert.equal(await dialog().getByLabel('in group').inputValue(), 'east') // theirs
  assert.equal(await dialog().getByLabel('Worker of pool 1').inputValue(), 'mine.{ip4}') // typed here
  await newest.getByText('They have Theirs').waitFor()
  await looks('clash-newest')
  await page.getByRole('button', { name: 'Take theirs: Name' }).click()
  assert.equal(await dialog().getByLabel(/^Name/).inputValue(), 'Theirs')
  await save()
  await dialog().waitFor({ state: 'detached' })
  const now = (await api('GET', '/pool-profiles')).body.find((p) => p.id === id)
  assert.deepEqual([now.name, now.group, now.pools[0].user], ['Theirs', 'east', 'mine.{ip4}'])
  await api('DELETE', `/pool-profiles/${id}`)
})

test('a machine, and one that is only looked at again keeps its place by the layout', async () => {
  const m = (await api('GET', '/machines?limit=1')).body.machines[0]
  const was = (await api('GET', `/machines/${m.id}`)).body.record
  await page.goto(`${site.url}/machines/${m.id}`)
  await page.getByRole('button', { name: 'Edit…' }).click()
  await dialog().getByLabel('Name', { exact: true }).fill('typed here')
  assert.equal((await api('PATCH', `/machines/${m.id}`, { add_tags: ['theirs'] })).status, 200)
  await save()
  await page.getByTestId('clash').waitFor()
  await page.getByRole('button', { name: 'Load the newest' }).click()
  await page.getByTestId('newest').getByText('As they have it now: Tags').waitFor()
  await save()
  await dialog().waitFor({ state: 'detached' })
  const now = (await api('GET', `/machines/${m.id}`)).body.record
  assert.equal(now.name, 'typed here')
  assert.ok(now.tags.includes('theirs'))
  assert.equal(now.placed, was.placed)
  await api('PATCH', `/machines/${m.id}`, { name: was.name ?? '', remove_tags: ['theirs'] })
})

test('an alarm rule that was removed meanwhile says so', async () => {
  const rule = { id: 0, title: 'Short lived', watch: 'chip-hot', raise: 100, clear: 90, raise_after_s: 60, clear_after_s: 60, severity: 'minor', means: '', safe: '', press: '' }
  const made = await api('POST', '/alarm-rules', rule)
  assert.equal(made.status, 201)
  await page.goto(site.url + '/settings/alarm-rules')
  await page.getByRole('button', { name: 'Change Short lived' }).click()
  await dialog().getByLabel('Title').fill('Typed here')
  assert.equal((await api('PUT', `/alarm-rules/${made.body.id}`, { ...rule, severity: 'major' })).status, 200)
  await save()
  await page.getByTestId('clash').waitFor()
  await api('DELETE', `/alarm-rules/${made.body.id}`)
  await page.getByRole('button', { name: 'Load the newest' }).click()
  await page.getByTestId('clash').getByText('It was removed meanwhile').waitFor()
  assert.equal(await dialog().getByLabel('Title').inputValue(), 'Typed here')
})

test('the browser has nothing to complain of', () => assert.deepEqual(complaints, []))

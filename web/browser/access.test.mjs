import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { browser, painted, password, setUp, shots, signIn, start, visit as open, watch as listen } from './site.mjs'
import { provider } from './oidc.mjs'

let site, chrome, page, idp
const complaints = []
const freePort = () =>
  new Promise((done) => {
    const s = createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address()
      s.close(() => done(port))
    })
  })

// Passkeys are bound to a name: the site is reached as localhost.
before(async () => {
  const port = await freePort()
  idp = await provider({ client: 'ballast', secret: 'hush', redirect: `http://localhost:${port}/api/v1/session/oidc/callback` })
  const file = join(shots, 'access.yaml')
  writeFileSync(
    file,
    `sign_in:\n  oidc:\n    name: Example Login\n    issuer: ${idp.issuer}\n    client_id: ballast\n    client_secret: hush\n    claim: groups\n    domains: [example.com]\n    grants:\n      - {value: mining-ops, role: operator}\n`,
  )
  site = await start(['--config', file, '--simulate', '60', '--set', `listen=127.0.0.1:${port}`, '--set', `url=http://localhost:${port}`])
  chrome = await browser()
  page = await visit()
})

after(async () => {
  await page?.screenshot({ path: join(shots, 'access-last.png') }).catch(() => undefined)
  await chrome?.close()
  await site?.stop()
  await idp?.close()
})

const visit = async () => listen(await open(chrome), complaints)

const part = (p, name) => p.getByRole('region', { name, exact: true })

test('an invitation makes a technician, once, who sees no people and no audit', async () => {
  await setUp(page, site.link)
  await page.keyboard.press('g')
  await page.keyboard.press('s') // by keyboard to Settings
  await page.waitForURL(/settings\/account/)
  await page.getByRole('link', { name: 'People' }).click()
  await page.getByRole('button', { name: 'Invite somebody' }).click()
  const form = page.getByRole('dialog')
  await form.getByLabel('Role 1', { exact: true }).selectOption('technician')
  await form.getByText(/work at the racks/).waitFor()
  await form.getByLabel('For whom').fill('Maria, night shift')
  await page.screenshot({ path: join(shots, 'access-invite.png') })
  await form.getByRole('button', { name: 'Make the link' }).click()
  const link = (await form.getByTestId('secret').innerText()).trim()
  assert.match(link, /^http:\/\/localhost:\d+\/setup#[\w-]{43}$/)
  await form.getByRole('button', { name: 'Done' }).click()
  await page.getByTestId('links').getByText('Maria, night shift').waitFor()

  const maria = await visit()
  await maria.goto(link)
  // An invitation cannot take over an account that is there.
  await maria.getByLabel('Name to sign in with').fill('ALICE')
  await maria.getByLabel('Password').first().fill('another password')
  await maria.getByRole('button', { name: 'Set up and sign in' }).click()
  await maria.getByRole('alert').getByText(/this name is taken/).waitFor()
  await maria.getByLabel('Name to sign in with').fill('maria')
  await maria.getByRole('button', { name: 'Set up and sign in' }).click()
  await maria.getByTestId('figures').waitFor()
  assert.equal(await maria.getByRole('navigation').getByRole('link', { name: 'People' }).count(), 0)
  for (const path of ['people', 'audit']) {
    await maria.goto(`${site.url}/settings/${path}`)
    await maria.getByText('You may not see this page').waitFor()
  }
  await maria.screenshot({ path: join(shots, 'access-no-right.png') })
  await maria.goto(`${site.url}/settings/account`)
  await maria.getByTestId('grants').getByText('Technician everywhere').waitFor()
  await maria.goto(link)
  await maria.getByRole('alert').getByText(/used already or has expired/).waitFor()

  // Disabled while the page is open: the live stream ends, and with it the page.
  await maria.goto(site.url + '/')
  await maria.getByText('● live').waitFor()
  await page.reload()
  await page.getByTestId('people').getByText('maria', { exact: true }).click()
  const person = page.getByRole('dialog', { name: 'maria' })
  await person.getByRole('button', { name: 'Disable' }).click()
  await page.getByRole('dialog', { name: 'Disable maria' }).getByRole('button', { name: 'Disable maria' }).click()
  await page.getByTestId('people').getByText('disabled').waitFor()
  await maria.waitForURL(/sign-in/)
  await maria.getByLabel('Name').fill('maria')
  await maria.getByLabel('Password').first().fill('another password')
  await maria.getByRole('button', { name: 'Sign in', exact: true }).click()
  await maria.getByRole('alert').getByText('name or password is wrong').waitFor()
  await maria.context().close()
})

test('a reset link lets a person in again, and the last admin stays', async () => {
  await page.getByTestId('people').getByText('maria', { exact: true }).click()
  const maria = page.getByRole('dialog', { name: 'maria' })
  await maria.getByRole('button', { name: 'Enable' }).click()
  await maria.getByRole('button', { name: 'Disable' }).waitFor()
  await maria.getByRole('button', { name: 'One more role' }).click()
  await maria.getByLabel('Role 2', { exact: true }).selectOption('finance')
  await page.screenshot({ path: join(shots, 'access-person.png') })
  await maria.getByRole('button', { name: 'Save' }).click()
  await page.getByTestId('people').getByText('Technician everywhere, Finance everywhere').waitFor()
  await page.getByTestId('people').getByText('maria', { exact: true }).click()
  await maria.getByRole('button', { name: 'Make a reset link' }).click()
  const link = (await page.getByTestId('secret').innerText()).trim()
  await page.getByRole('button', { name: 'Done' }).click()
  const p = await visit()
  await p.goto(link)
  await p.getByText('For the account maria').waitFor()
  await p.screenshot({ path: join(shots, 'access-reset.png') })
  await p.getByLabel('Password').first().fill('a third password')
  await p.getByRole('button', { name: 'Set the password and sign in' }).click()
  await p.getByTestId('figures').waitFor()
  await p.context().close()

  await page.getByTestId('people').getByText('alice', { exact: true }).click()
  const alice = page.getByRole('dialog', { name: 'alice' })
  await alice.getByLabel('Role 1', { exact: true }).selectOption('viewer')
  await alice.getByRole('button', { name: 'Save' }).click()
  await alice.getByRole('alert').getByText(/nobody who is admin at all sites/).waitFor()
  await page.keyboard.press('Escape')
  await page.getByTestId('people').getByText('Admin everywhere').first().waitFor()
})

test('a passkey is registered, signs in, is renamed and removed', async () => {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
  await page.goto(site.url + '/settings/account')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  const form = page.getByRole('dialog', { name: 'Add a passkey' })
  await form.getByLabel('Name of the passkey').fill('work laptop')
  await form.getByLabel('Your password').fill('wrong password')
  await form.getByRole('button', { name: 'Go on' }).click()
  await form.getByRole('alert').getByText('the password is wrong').waitFor()
  await form.getByLabel('Your password').fill(password)
  await form.getByRole('button', { name: 'Go on' }).click()
  await page.getByTestId('passkeys').getByText('work laptop').waitFor()
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
  assert.equal(credentials.length, 1)
  assert.ok(credentials[0].isResidentCredential)
  assert.ok(!Buffer.from(credentials[0].userHandle, 'base64').toString('latin1').includes('alice'), 'the user handle tells who it is')

  // A second one on the same device is refused by the device itself.
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await form.getByLabel('Name of the passkey').fill('again')
  await form.getByLabel('Your password').fill(password)
  await form.getByRole('button', { name: 'Go on' }).click()
  await form.getByRole('alert').getByText('holds a passkey for your account already').waitFor()
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Account of alice' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(/sign-in/)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor()
  await page.screenshot({ path: join(shots, 'access-sign-in.png') })
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByTestId('figures').waitFor()
  await page.goto(site.url + '/settings/account')
  await part(page, 'Where you are signed in').getByText(/by passkey/).waitFor()

  await page.getByRole('button', { name: 'Rename work laptop' }).click()
  await page.getByLabel('Name of the passkey').fill('old laptop')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByTestId('passkeys').getByText('old laptop').waitFor()
  await page.screenshot({ path: join(shots, 'access-account.png'), fullPage: true })
  await page.getByRole('button', { name: 'Remove old laptop' }).click()
  await page.getByRole('button', { name: 'Remove it' }).click()
  await page.getByText('None yet.').waitFor()

  // Removed here and still on the device: it opens nothing.
  const other = await page.context().newPage()
  const cdp2 = await other.context().newCDPSession(other)
  await cdp2.send('WebAuthn.enable')
  const second = await cdp2.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
  const [held] = (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials
  await cdp2.send('WebAuthn.addCredential', { authenticatorId: second.authenticatorId, credential: held })
  await other.goto(site.url + '/sign-in')
  await other.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await other.getByRole('alert').getByText('this passkey opens no account here').waitFor()
  await other.close()
})

test('sessions are listed and ended; a new password ends the others', async () => {
  const elsewhere = await visit()
  await signIn(elsewhere, site.url)
  await page.goto(site.url + '/settings/account')
  const sessions = page.getByTestId('sessions')
  await sessions.locator('li').nth(1).waitFor()
  assert.equal(await sessions.locator('li').count(), 2)
  await sessions.getByText('Chrome on Linux').first().waitFor()
  await sessions.getByRole('button', { name: /End the session/ }).click()
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=sessions] li').length === 1)
  await elsewhere.waitForURL(/sign-in/)

  await signIn(elsewhere, site.url)
  await page.getByLabel('Password now').fill('wrong password')
  await page.getByLabel('New password').fill('a brand new password')
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByRole('alert').getByText('the old password is wrong').waitFor()
  await page.getByLabel('Password now').fill(password)
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('The password is changed').waitFor()
  await elsewhere.waitForURL(/sign-in/)
  await page.reload() // this browser goes on, under a new token
  await page.getByTestId('sessions').waitFor()
  await signIn(elsewhere, site.url, 'alice', 'a brand new password')
  await elsewhere.context().close()
})

test('a key is made, shown once, works within its scope, and is revoked', async () => {
  await page.goto(site.url + '/settings/keys')
  await page.getByText('No keys yet').waitFor()
  await page.getByRole('button', { name: 'Make a key' }).click()
  const form = page.getByRole('dialog', { name: 'Make an API key' })
  await form.getByLabel('What it is for').fill('grafana')
  await page.screenshot({ path: join(shots, 'access-key-form.png') })
  await form.getByRole('button', { name: 'Make the key' }).click()
  const key = (await form.getByTestId('secret').innerText()).trim()
  await page.screenshot({ path: join(shots, 'access-key.png') })
  await form.getByRole('button', { name: 'Done' }).click()
  await page.getByTestId('keys').getByText('grafana').waitFor()
  await form.waitFor({ state: 'detached' })
  assert.equal((await page.content()).includes(key), false, 'the key is still on the page')
  const call = (path, method = 'GET') => fetch(`${site.url}/api/v1${path}`, { method, headers: { Authorization: `Bearer ${key}` } })
  assert.equal((await call('/site')).status, 200)
  assert.equal((await call('/people')).status, 403)
  assert.equal((await call('/account')).status, 403)
  await page.getByText("Everybody's").click()
  await page.getByTestId('keys').getByText('console').first().waitFor()
  await page.screenshot({ path: join(shots, 'access-keys.png') })
  await page.getByRole('button', { name: 'Revoke grafana' }).click()
  await page.getByRole('button', { name: 'Revoke it' }).click()
  await page.getByLabel(/Those that ended/).check()
  await page.getByTestId('keys').getByText('revoked').first().waitFor()
  assert.equal((await call('/site')).status, 401)
})

test('the audit log is filtered, exported, anchored and checked', async () => {
  await page.goto(site.url + '/settings/audit')
  await page.getByTestId('audit').getByText('api_key.revoke').first().waitFor()
  await page.getByLabel('What', { exact: true }).fill('user.')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page.waitForURL(/action=user/)
  await page.waitForFunction(() => [...document.querySelectorAll('[data-testid=audit] .line .cell:nth-child(4)')].every((c) => c.textContent.startsWith('user.')))
  await page.getByRole('button', { name: 'Show all' }).click()
  await page.getByTestId('audit').locator('.line').first().click()
  await page.getByRole('dialog').getByText('Fingerprint').waitFor()
  await page.screenshot({ path: join(shots, 'access-audit-row.png') })
  await page.keyboard.press('Escape')

  const [anchorFile] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download an anchor' }).click()])
  const anchor = JSON.parse(readFileSync(await anchorFile.path(), 'utf8'))
  assert.ok(anchor.seq > 10 && /^[0-9a-f]{64}$/.test(anchor.hash), JSON.stringify(anchor))
  const [csv] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as CSV' }).click()])
  assert.match(readFileSync(await csv.path(), 'utf8'), /^seq,at,actor,action,subject,detail,prev,hash\n\d+,/)

  await page.getByRole('button', { name: 'Check the log' }).click()
  await page.getByTestId('verdict').getByText('The log is whole').waitFor()
  await page.locator('input[type=file]').setInputFiles(await anchorFile.path())
  await page.getByRole('button', { name: 'Check against 1 anchor' }).click()
  await page.getByTestId('verdict').getByText('1 anchor is passed').waitFor()
  await page.screenshot({ path: join(shots, 'access-audit.png') })
  await page.locator('input[type=file]').setInputFiles({ name: 'forged.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify({ seq: 3, hash: 'f'.repeat(64) })) })
  await page.getByRole('button', { name: 'Check against 1 anchor' }).click()
  await page.getByTestId('verdict').getByText(/Row 3 is not the one that was anchored/).waitFor()
  await page.screenshot({ path: join(shots, 'access-audit-broken.png') })
  await page.locator('input[type=file]').setInputFiles({ name: 'photo.json', mimeType: 'application/json', buffer: Buffer.from('not JSON') })
  await page.getByRole('alert').getByText('photo.json is no anchor').waitFor()
})

test('the provider signs people in, with the role that it gives', async () => {
  const bob = await visit()
  idp.person = { sub: 'u-7', email: 'bob@example.com', email_verified: true, preferred_username: 'bob', name: 'Bob Builder', groups: ['mining-ops', 'choir'] }
  await bob.goto(site.url + '/sign-in?to=/settings/account')
  await bob.getByRole('link', { name: 'Sign in with Example Login' }).click()
  await bob.waitForURL(/settings\/account/)
  await bob.getByTestId('grants').getByText('Operator everywhere').waitFor()
  await bob.getByText('Your account has none').waitFor()
  await bob.screenshot({ path: join(shots, 'access-account-oidc.png'), fullPage: true })
  await bob.context().close()

  const eve = await visit()
  idp.person = { sub: 'u-8', email: 'eve@evil.com', email_verified: true, preferred_username: 'eve', groups: ['mining-ops'] }
  await eve.goto(site.url + '/sign-in')
  await eve.getByRole('link', { name: 'Sign in with Example Login' }).click()
  await eve.getByRole('alert').getByText('Ballast takes only addresses of example.com').waitFor()
  await eve.context().close()

  // An account that is there is joined by its owner, never taken for its name.
  idp.person = { sub: 'u-9', email: 'alice@example.com', email_verified: true, preferred_username: 'alice', groups: ['mining-ops'] }
  const mallory = await visit()
  await mallory.goto(site.url + '/sign-in')
  await mallory.getByRole('link', { name: 'Sign in with Example Login' }).click()
  await mallory.getByRole('alert').getByText(/the name alice is taken/).waitFor()
  await mallory.context().close()
  await page.goto(site.url + '/settings/account')
  await page.getByRole('button', { name: 'Connect an account' }).click()
  await page.getByTestId('identities').getByText('alice@example.com').waitFor()
  const alice = await visit()
  await alice.goto(site.url + '/sign-in')
  await alice.getByRole('link', { name: 'Sign in with Example Login' }).click()
  await alice.getByRole('button', { name: 'Account of alice' }).waitFor()
  await alice.context().close()
})

test('dark, and phone width', async () => {
  const pages = { account: '/settings/account', people: '/settings/people', keys: '/settings/keys', audit: '/settings/audit' }
  const ready = { account: 'sessions', people: 'people', keys: 'keys', audit: 'audit' }
  for (const [name, path] of Object.entries(pages)) {
    await page.setViewportSize({ width: 1400, height: 900 })
    await page.goto(site.url + path)
    await page.locator(`[data-testid=${ready[name]}], [data-testid=empty]`).first().waitFor()
    for (const scheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme: scheme })
      await painted(page)
      await page.screenshot({ path: join(shots, `access-${name}-${scheme}.png`), fullPage: true })
    }
    await page.setViewportSize({ width: 390, height: 844 })
    await page.screenshot({ path: join(shots, `access-${name}-phone.png`), fullPage: true })
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wide <= 0, `${name} is ${wide} px wider than a phone`)
  }
  const fresh = await visit()
  await fresh.emulateMedia({ colorScheme: 'dark' })
  await fresh.setViewportSize({ width: 390, height: 844 })
  await fresh.goto(site.url + '/sign-in')
  await fresh.getByRole('button', { name: 'Sign in with a passkey' }).waitFor()
  await fresh.screenshot({ path: join(shots, 'access-sign-in-phone-dark.png') })
  await fresh.context().close()
})

test('the browser had nothing to complain of', () => assert.deepEqual(complaints, []))

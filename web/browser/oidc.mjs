// An OpenID Connect provider on loopback: discovery, keys, an authorization page
// that says yes at once, tokens for a code with PKCE.
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'

const b64 = (x) => Buffer.from(x).toString('base64url')

export async function provider({ client, secret, redirect }) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const codes = new Map()
  const self = { person: undefined, issuer: '' }
  const server = createServer(async (req, res) => {
    const url = new URL(req.url, self.issuer)
    const json = (value, status = 200) => {
      res.writeHead(status, { 'Content-Type': 'application/json' })
      res.end(JSON.stringify(value))
    }
    if (url.pathname === '/.well-known/openid-configuration') {
      const at = (p) => self.issuer + p
      return json({ issuer: self.issuer, authorization_endpoint: at('/authorize'), token_endpoint: at('/token'), jwks_uri: at('/keys'), id_token_signing_alg_values_supported: ['RS256'], response_types_supported: ['code'], subject_types_supported: ['public'] })
    }
    if (url.pathname === '/keys') return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }] })
    if (url.pathname === '/authorize') {
      const q = url.searchParams
      if (q.get('client_id') !== client || q.get('redirect_uri') !== redirect || q.get('code_challenge_method') !== 'S256' || !q.get('nonce') || !q.get('state')) return json({ error: 'invalid_request' }, 400)
      const code = randomBytes(16).toString('hex')
      codes.set(code, { challenge: q.get('code_challenge'), nonce: q.get('nonce'), person: self.person })
      res.writeHead(302, { Location: `${redirect}?code=${code}&state=${encodeURIComponent(q.get('state'))}` })
      return res.end()
    }
    if (url.pathname === '/token') {
      let body = ''
      for await (const chunk of req) body += chunk
      const q = new URLSearchParams(body)
      const basic = Buffer.from((req.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString()
      const found = codes.get(q.get('code'))
      codes.delete(q.get('code'))
      if (!found || (basic !== `${client}:${secret}` && q.get('client_secret') !== secret)) return json({ error: 'invalid_grant' }, 400)
      if (createHash('sha256').update(q.get('code_verifier') ?? '').digest('base64url') !== found.challenge) return json({ error: 'invalid_grant' }, 400)
      const now = Math.floor(Date.now() / 1000)
      const payload = { iss: self.issuer, aud: client, iat: now, exp: now + 300, nonce: found.nonce, ...found.person }
      const signed = `${b64(JSON.stringify({ alg: 'RS256', kid: '1', typ: 'JWT' }))}.${b64(JSON.stringify(payload))}`
      const token = `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey).toString('base64url')}`
      return json({ access_token: 'x', token_type: 'Bearer', expires_in: 300, id_token: token })
    }
    json({ error: 'not found' }, 404)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  self.issuer = `http://127.0.0.1:${server.address().port}`
  self.close = () => new Promise((done) => server.close(done))
  return self
}

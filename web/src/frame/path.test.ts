import { expect, test } from 'vitest'
import { ownPath } from './path'

const origin = 'https://ballast.example.com'

test('paths of our own pass as they are', () => {
  for (const p of ['/', '/machines/1', '/?condition=silent&site=a', '/settings/audit?actor=a%20b#x']) expect(ownPath(p, origin)).toBe(p)
})

test('nothing that leads elsewhere passes', () => {
  for (const p of ['//evil.com', '/\\evil.com', '\\/evil.com', '/\t/evil.com', '/\n//evil.com', '/\r/evil.com', 'https://evil.com', 'evil.com', '', 'javascript:alert(1)', '/..//evil.com', '/.//evil.com', undefined, null, 7, ['/']])
    expect(ownPath(p, origin), JSON.stringify(p)).toBeUndefined()
})

import { expect, test } from 'vitest'
import { dismiss, notices, notify } from './Notices'

test('at most four notices stand, the oldest goes first; each can be closed', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'].map((title) => notify({ kind: 'good', title }))
  expect(notices().map((n) => n.title)).toEqual(['b', 'c', 'd', 'e'])
  dismiss(ids[2]!)
  dismiss(ids[0]!)
  expect(notices().map((n) => n.title)).toEqual(['b', 'd', 'e'])
})

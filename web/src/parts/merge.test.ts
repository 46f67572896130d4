import { expect, test } from 'vitest'
import { merge } from './merge'

type D = { name: string; site: string; tags: string[]; note?: string }
const base: D = { name: 'a', site: 's', tags: ['x'] }

test.each<[string, Partial<D>, Partial<D>, Partial<D>, string[], string[]]>([
  ['nobody changed a field', {}, {}, {}, [], []],
  ['they changed what was not touched here', {}, { name: 'b', tags: [] }, { name: 'b', tags: [] }, ['name', 'tags'], []],
  ['what was typed stays', { name: 'mine', note: 'n' }, {}, { name: 'mine', note: 'n' }, [], []],
  ['each another field', { name: 'mine' }, { site: 't' }, { name: 'mine', site: 't' }, ['site'], []],
  ['both the same field', { tags: ['x', 'mine'] }, { tags: ['x', 'theirs'], site: 't' }, { tags: ['x', 'mine'], site: 't' }, ['site'], ['tags']],
  ['both to the same value', { name: 'b' }, { name: 'b' }, { name: 'b' }, [], []],
  ['a field that they took away', {}, { note: undefined }, {}, [], []],
  ['emptied here, changed there', { name: '' }, { name: 'b' }, { name: '' }, [], ['name']],
])('%s', (_, mine, theirs, want, taken, both) => {
  const got = merge<D>(base, { ...base, ...mine }, { ...base, ...theirs })
  expect(got.draft).toEqual({ ...base, ...want })
  expect([got.taken, got.both]).toEqual([taken, both])
})

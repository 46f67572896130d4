import { expect, test } from 'vitest'
import { type Column, sortBy, tableCsv } from './DataTable'

interface R { id: number; v: number | null; s: string }
const columns: Column<R>[] = [
  { key: 'id', title: 'Id', width: '50px', show: (r) => r.id },
  { key: 'v', title: 'Value', width: '50px', show: (r) => r.v, by: (r) => r.v },
  { key: 's', title: 'Words, many', width: '50px', show: (r) => r.s, csv: (r) => r.s.toUpperCase() },
]

test('equal rows keep their order, missing ones come last either way', () => {
  const rows: R[] = [{ id: 1, v: null, s: '' }, { id: 2, v: 2, s: '' }, { id: 3, v: 1, s: '' }, { id: 4, v: 2, s: '' }, { id: 5, v: null, s: '' }]
  expect(sortBy(rows, columns[1], false).map((r) => r.id)).toEqual([3, 2, 4, 1, 5])
  expect(sortBy(rows, columns[1], true).map((r) => r.id)).toEqual([2, 4, 3, 1, 5])
  expect(sortBy(rows, columns[0], true)).toBe(rows)
})

test('CSV says what is shown, or what the column says for it', () => {
  expect(tableCsv([{ id: 7, v: null, s: 'a,b' }], columns)).toBe('Id,Value,"Words, many"\r\n7,,"A,B"\r\n')
})

import { expect, test } from 'vitest'
import type { Row } from '../api/client'
import { sortRows } from './MachineTable'

const row = (id: number, more: Partial<Row>): Row => ({
  id, name: `m${id}`, addr: `10.0.0.${id}`, make: '', model: '', firmware: '', site: '', group: '', place: '', condition: 'hashing', since: 0,
  hashrate_ths: null, nominal_ths: null, power_w: null, efficiency_j_per_th: null, temp_c: null, faults: 0, warnings: 0, seen: 0, ...more,
})

test('missing values come last in both directions', () => {
  const rows = [row(1, {}), row(2, { power_w: 10 }), row(3, { power_w: 30 }), row(4, { power_w: 0 })]
  expect(sortRows(rows, 'power', false).map((r) => r.id)).toEqual([4, 2, 3, 1])
  expect(sortRows(rows, 'power', true).map((r) => r.id)).toEqual([3, 2, 4, 1])
})

test('addresses sort as numbers, trouble comes first', () => {
  expect(sortRows([row(10, {}), row(9, {})], 'addr', false).map((r) => r.id)).toEqual([9, 10])
  const rows = [row(1, {}), row(2, { condition: 'down' }), row(3, { condition: 'sleeping' }), row(4, { condition: 'degraded' })]
  expect(sortRows(rows, 'condition', false).map((r) => r.id)).toEqual([2, 4, 3, 1])
})

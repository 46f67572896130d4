import { expect, test } from 'vitest'
import type { History } from '../api/client'
import { axisTimes, csv, csvCell, type Fan, nearMark, newest, sheet, summary, told } from './chartdata'

const data = { times: [100, 160, 220], bucket_s: 60, series: [{ metric: 'power', values: [1, null, 3] }, { metric: 'limit', values: [null, null, null] }, { metric: 'board', board: 1, values: [7, 8, 9] }] } as unknown as History
const fan: Fan = { label: 'forecast', times: [220, 280], quantiles: [{ q: 0.1, values: [2, 1] }, { q: 0.5, values: [3, 3] }, { q: 0.9, values: [4, 6] }] }

test('only what is told is drawn', () => {
  expect(told([{ metric: 'power', label: 'a' }, { metric: 'limit', label: 'b' }, { metric: 'none', label: 'c' }, { metric: 'board', board: 0, label: 'd' }], data).map((l) => l.label)).toEqual(['a'])
})

test('a forecast shares the row of times; gaps of measurement stay, times of the other are gone through', () => {
  const s = sheet([{ metric: 'power', label: 'measured' }], data, fan)
  expect(s.times).toEqual([100, 160, 220, 280])
  expect(s.columns[0]!.values).toEqual([1, null, 3, undefined])
  expect(s.columns.map((c) => c.label)).toEqual(['measured', 'forecast, 10 % below', 'forecast, median', 'forecast, 90 % below'])
  expect(s.columns[3]!.values).toEqual([undefined, undefined, 4, 6])
  expect(newest(s.columns[0]!)).toBe(3)
})

test('in words: last, least, most, and that there are events', () => {
  const s = sheet([{ metric: 'power', label: 'measured' }], data)
  expect(summary('Power', 'MW', s, [{ at: 150, text: 'x' }, { at: 999, text: 'outside' }])).toBe('Power in MW. measured: last 3, between 1 and 3. 1 event is marked. Arrow keys read the values.')
  expect(summary('Power', 'MW', { times: [], columns: [] })).toContain('nothing was recorded')
})

test('CSV: quoted where it must be, formulas made harmless, numbers whole', () => {
  expect(csvCell('a "b", c')).toBe('"a ""b"", c"')
  expect(csvCell('=HYPERLINK("x")')).toBe('"\'=HYPERLINK(""x"")"')
  expect(csvCell('-12.5')).toBe('-12.5')
  expect(csvCell('-cmd')).toBe("'-cmd")
  expect(csvCell(null)).toBe('')
  expect(csvCell(1e-9)).toBe('1e-9')
  expect(csv('MW', sheet([{ metric: 'power', label: 'measured' }], data)).split('\r\n')).toEqual(['time,measured (MW)', '1970-01-01T00:01:40.000Z,1', '1970-01-01T00:02:40.000Z,', '1970-01-01T00:03:40.000Z,3', ''])
})

test('the day stands where it begins', () => {
  const h = 3600
  expect(axisTimes([22 * h, 23 * h, 24 * h, 25 * h], h, 'UTC')).toEqual(['22:00', '23:00', '00:00\n2 Jan', '01:00'])
  expect(axisTimes([0, 86400], 86400, 'UTC')).toEqual(['1 Jan', '2 Jan'])
  expect(axisTimes([0, 10], 10, 'UTC')).toEqual(['00:00:00', '00:00:10'])
})

test('the nearest event within reach', () => {
  const marks = [{ at: 100, text: 'a' }, { at: 110, text: 'b' }]
  expect(nearMark(marks, 107, 10)?.text).toBe('b')
  expect(nearMark(marks, 200, 10)).toBeUndefined()
})

import { expect, test } from 'vitest'
import { fixed, hashrate, power, span, spanNs } from './format'

test('missing is a dash, never a zero', () => {
  expect(fixed(null, 1)).toBe('–')
  expect(fixed(undefined, 1)).toBe('–')
  expect(fixed(Number.NaN, 1)).toBe('–')
  expect(fixed(0, 1)).toBe('0.0')
  expect(hashrate(null)).toEqual(['–', 'TH/s'])
  expect(spanNs(undefined)).toBe('–')
})

test('quantities take the prefix that reads best', () => {
  expect(hashrate(110)).toEqual(['110.00', 'TH/s'])
  expect(hashrate(123_456)).toEqual(['123.46', 'PH/s'])
  expect(hashrate(1.2)).toEqual(['1.20', 'TH/s'])
  expect(hashrate(0.5)).toEqual(['0.50', 'TH/s'])
  expect(power(3_250_000)).toEqual(['3.25', 'MW'])
  expect(power(0)).toEqual(['0', 'W'])
  expect(power(658.3)).toEqual(['658', 'W'])
  expect(power(999.9)).toEqual(['1,000', 'W'])
})

test('spans', () => {
  expect(span(5)).toBe('5 s')
  expect(span(3600 * 3 + 600)).toBe('3 h 10 min')
  expect(span(86400 * 2 + 3600 * 4)).toBe('2 d 4 h')
  expect(span(-3)).toBe('0 s')
})

import { expect, test } from 'vitest'
import { amount, rate } from './words'

test('exact amounts get thousands, and lose nothing', () => {
  for (const [is, want] of [['$6778.80', '$6,778.80'], ['-$20.16', '−$20.16'], ['$1234567.5', '$1,234,567.5'], ['12345678.901 CHF', '12,345,678.901 CHF'], ['$0.00', '$0.00'], ['', '–'], [undefined, '–']])
    expect(amount(is)).toBe(want)
})

test('rates say what they are for', () => {
  expect(rate('29.5', 'MWh', 'USD')).toBe('29.5 USD/MWh')
  expect(rate('5.9466670', 'kW', 'EUR')).toBe('5.946667 EUR/kW')
  expect(rate('0.02', 'USD', 'USD')).toBe('2 %')
})

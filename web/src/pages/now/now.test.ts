import { expect, test } from 'vitest'
import type { Activity, History, PowerLine, Row } from '../../api/client'
import { judged } from './PowerPanel'
import { trends } from './trends'
import { confirmed, marksOf, rest, what, why } from './words'
import { look, worst } from './worst'

const row = (id: number, more: Partial<Row>): Row => ({
  id, name: `m${id}`, addr: '', make: '', model: '', firmware: '', site: '', group: '', place: '', condition: 'hashing', since: 0,
  hashrate_ths: 100, nominal_ths: 100, power_w: 3000, efficiency_j_per_th: 30, temp_c: 70, faults: 0, warnings: 0, seen: 0, ...more,
})

test('what is well or off on purpose needs no look; the rest comes worst first, with why', () => {
  expect(look(row(1, {}))).toBeUndefined()
  expect(look(row(1, { condition: 'sleeping', faults: 3, temp_c: 99 }))).toBeUndefined()
  expect(look(row(1, { condition: 'starting' }))).toBeUndefined()
  const rows = [row(1, {}), row(2, { condition: 'degraded', hashrate_ths: 62 }), row(3, { condition: 'down', hashrate_ths: 0 }), row(4, { condition: 'silent', trouble: 'no answer', hashrate_ths: null, nominal_ths: null }), row(5, { temp_c: 93 }), row(6, { faults: 2 }), row(7, { condition: 'locked' })]
  const { list, total } = worst(rows, 4)
  expect(total).toBe(6)
  expect(list.map((l) => l.row.id)).toEqual([3, 4, 7, 2])
  expect(list[3]!.why).toBe('hashes 62 % of what it should')
  expect(worst(rows).list.map((l) => l.why)).toContain('93 °C')
  expect(worst(rows).list.find((l) => l.row.id === 4)!.why).toBe('no answer')
})

const a = (more: Partial<Activity>): Activity => ({ id: 'x', kind: 'command', at: '2026-03-01T03:00:00Z', until: '2026-03-01T03:00:10Z', machines: 1, ...more }) as Activity

test('what happened, in words', () => {
  expect(what(a({ wish: 'sleep', machines: 200, place: 'C01' }))).toBe('Put 200 machines to sleep in C01')
  expect(what(a({ wish: 'power', machines: 12, setting: { kind: 'power', power_w: 3000 } as never }))).toBe('Set 12 machines to 3.00 kW')
  expect(what(a({ wish: 'power', machines: 12, differ: true, setting: { power_w: 3000 } as never }))).toBe('Set 12 machines to values of their own')
  expect(what(a({ kind: 'lost', machines: 1234, place: 'C04' }))).toBe('Lost 1,234 machines in C04')
  expect(what(a({ wish: 'unheard-of' }))).toBe('unheard-of: 1 machine')
  expect(why(a({ reason: 'price' }))).toBe('price')
  expect(why(a({}))).toBe('No reason was given.')
  expect(why(a({ kind: 'scan' }))).toBe('It took 10 s.')
  const states = { confirmed: 180, pending: 2, dispatched: 3, refused: 3, superseded: 4 }
  expect(rest(states)).toBe('5 under way, 3 refused, 4 replaced by a newer command')
  expect(confirmed(states)).toEqual({ done: 180, of: 188 })
  expect(marksOf([a({ kind: 'lost', machines: 2 })])).toEqual([{ at: Date.parse('2026-03-01T03:00:00Z') / 1000, text: 'Lost 2 machines', kind: 'bad' }])
})

test('firmwares add up; efficiency takes those that tell both; the point under way is left out', () => {
  const h = { times: [0, 60, 120, 180], bucket_s: 60, series: [
    { metric: 'hashrate', label: 'a', values: [100, 100, null, 1] }, { metric: 'power', label: 'a', values: [2000, 2000, null, 1] },
    { metric: 'hashrate', label: 'b', values: [900, null, null, 1] },
  ] } as unknown as History
  const t = trends(h, 200)
  expect(t.hashrate.unit).toBe('PH/s')
  expect(t.hashrate.data.series![0]!.values).toEqual([1, 0.1, null])
  expect(t.power).toMatchObject({ unit: 'kW' })
  expect(t.efficiency.data.series![0]!.values).toEqual([20, 20, null])
  expect(trends({ ...h, times: [], series: null } as unknown as History, 0).hashrate.data.times).toEqual([])
})

test('the meter against the machines, and the cap', () => {
  const l = (more: Partial<PowerLine>): PowerLine => ({ site: 's', of: 'site', machines: 10, unmetered: 0, ...more }) as PowerLine
  expect(judged(l({ metered_w: 1100, told_w: 1000, cap_w: 1000 }))).toMatchObject({ drawn: 1100, by: 'meter', used: 1.1, gap: 'meter above the machines’ own sum by 100 W (10 %): cooling and losses' })
  expect(judged(l({ told_w: 500, cap_w: 1000 }))).toEqual({ drawn: 500, by: 'machines', used: 0.5, gap: undefined })
  expect(judged(l({ metered_w: 900, told_w: 1000 })).gap).toBe('meter below the machines’ own sum by 100 W (10 %)')
  // Nobody's fans and cables take half of what the machines do.
  expect(judged(l({ metered_w: 1600, told_w: 1000 })).gap).toBe('meter above the machines’ own sum by 600 W (60 %): more than cooling and losses explain')
  expect(judged(l({}))).toEqual({ drawn: undefined, by: '', used: undefined, gap: undefined })
})

import { expect, test } from 'vitest'
import type { Row } from '../../api/client'
import { type Choice, fitting, read, toQuery } from './filter'

const row = (id: number, more: Partial<Row>): Row => ({
  id, name: `m${id}`, addr: `10.0.0.${id}`, make: 'Bitmain', model: 'Antminer S21', firmware: 'antminer', site: 'odessa', group: '', place: '', condition: 'hashing', since: 0,
  hashrate_ths: null, nominal_ths: null, power_w: null, efficiency_j_per_th: null, temp_c: null, faults: 0, warnings: 0, seen: 0, ...more,
})

const rows = [
  row(1, { temp_c: 90, hashrate_ths: 180, nominal_ths: 200, power_w: 3500, efficiency_j_per_th: 19.4, group: 'east', tags: ['hot', 'rma'], place: 'Hall / C01 / R1 / 7', seen: 1000 }),
  row(2, { temp_c: 60, hashrate_ths: 100, nominal_ths: 200, power_w: 3600, efficiency_j_per_th: 36, condition: 'degraded', group: 'west', place: 'Hall / C01 / R10 / 1', seen: 400 }),
  row(3, { make: 'MicroBT', model: 'Whatsminer M60S', firmware: 'whatsminer', condition: 'silent', faults: 2, group: 'north east' }),
]
const ids = (c: Choice, now = 1000) => rows.filter((r) => fitting(c, read(c.q ?? ''))(r, now)).map((r) => r.id)

test.each<[Choice, number[]]>([
  [{}, [1, 2, 3]],
  [{ q: 'whatsminer' }, [3]],
  [{ q: 'bitmain s21' }, [1, 2]],
  [{ q: 'temp>85' }, [1]],
  [{ q: 'temp<=85' }, [2]],
  [{ q: 'temp!=85' }, [1, 2]],
  [{ q: 'j/th>30' }, [2]],
  [{ q: 'kw>3.5' }, [2]],
  [{ q: 'power>=3.6kW' }, [2]],
  [{ q: 'share<80%' }, [2]],
  [{ q: 'faults>0' }, [3]],
  [{ q: 'age>5min' }, [2]],
  [{ q: 'group:east' }, [1, 3]],
  [{ q: 'group=east' }, [1]],
  [{ q: 'group="north east"' }, [3]],
  [{ q: 'tag:rma' }, [1]],
  [{ q: 'is:silent' }, [3]],
  [{ q: 'model!="Antminer S21"' }, [3]],
  [{ q: '10.0.0.2' }, [2]],
  [{ q: '#3' }, [3]],
  [{ condition: 'degraded' }, [2]],
  [{ tag: 'hot', group: 'east' }, [1]],
  [{ place: 'Hall / C01' }, [1, 2]],
  [{ place: 'Hall / C01 / R1' }, [1]],
  [{ place: '-' }, [3]],
])('%j lets through %j', (c, want) => expect(ids(c)).toEqual(want))

test('what is not told is neither hot nor cold', () => {
  expect(ids({ q: 'temp>0' })).toEqual([1, 2])
  expect(ids({ q: 'temp<1000' })).toEqual([1, 2])
})

test('what nobody understands is told, and is no filter', () => {
  expect(read('hotness>3').errors[0]).toMatch(/hotness: no such figure/)
  expect(read('temp>warm').errors[0]).toMatch(/warm is no number of c/)
  expect(read('temp>').errors).toEqual([])
  expect(read('').tests).toEqual([])
  for (const odd of ['"', '""', '>', 'a:', ':b', 'temp>85"', '((((', 'temp>>1']) expect(() => ids({ q: odd })).not.toThrow()
})

test('a choice is a query', () => expect(toQuery({ q: 'temp>85', group: undefined, tag: '' })).toBe('q=temp%3E85'))

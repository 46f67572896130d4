import type { Row } from '../../api/client'

/** What a choice of machines is made of. It stands in the page's address. */
export interface Choice {
  /** Words and conditions, as people type them: `whatsminer temp>85 group:east`. */
  q?: string
  condition?: string
  group?: string
  tag?: string
  model?: string
  firmware?: string
  place?: string
}

export const choiceKeys = ['q', 'condition', 'group', 'tag', 'model', 'firmware', 'place'] as const

type Test = (r: Row, now: number) => boolean

/** What a line of words asks for, and which of them nobody understands. */
export interface Asked {
  tests: Test[]
  errors: string[]
}

const share = (r: Row) => (r.hashrate_ths === null || !r.nominal_ths ? null : (100 * r.hashrate_ths) / r.nominal_ths)

const numbers: Record<string, { of: (r: Row, now: number) => number | null; units?: Record<string, number> }> = {
  temp: { of: (r) => r.temp_c, units: { c: 1, '°c': 1 } },
  th: { of: (r) => r.hashrate_ths, units: { th: 1, 'th/s': 1, ph: 1000 } },
  share: { of: share, units: { '%': 1 } },
  w: { of: (r) => r.power_w, units: { w: 1, kw: 1000 } },
  kw: { of: (r) => (r.power_w === null ? null : r.power_w / 1000), units: { kw: 1 } },
  jth: { of: (r) => r.efficiency_j_per_th, units: { 'j/th': 1 } },
  faults: { of: (r) => r.faults },
  warnings: { of: (r) => r.warnings },
  age: { of: (r, now) => (r.seen ? now - r.seen : null), units: { s: 1, min: 60, m: 60, h: 3600, d: 86400 } },
  since: { of: (r, now) => now - r.since, units: { s: 1, min: 60, m: 60, h: 3600, d: 86400 } },
}
const synonyms: Record<string, string> = { '°c': 'temp', temperature: 'temp', t: 'temp', 'th/s': 'th', ths: 'th', hashrate: 'th', '%': 'share', power: 'w', watts: 'w', 'j/th': 'jth', efficiency: 'jth', fault: 'faults', fw: 'firmware', is: 'condition', state: 'condition', for: 'since' }

const texts: Record<string, (r: Row) => string[]> = {
  name: (r) => [r.name],
  addr: (r) => [r.addr],
  model: (r) => [r.model, `${r.make} ${r.model}`],
  firmware: (r) => [r.firmware],
  group: (r) => [r.group],
  tag: (r) => r.tags ?? [],
  place: (r) => [r.place],
  site: (r) => [r.site],
  condition: (r) => [r.condition],
}

/** The numeric words that a filter understands, for the help beside it. */
export const numericWords = ['temp', 'th', 'share', 'kw', 'j/th', 'faults', 'age', 'since']

const pattern = /^([a-z°%][a-z/°%]*)(>=|<=|!=|>|<|=|:)(.+)$/i

/** Reads what somebody typed. Conditions may stand anywhere among the words;
 * a value with blanks stands in double quotes. */
export function read(text: string): Asked {
  const asked: Asked = { tests: [], errors: [] }
  for (const token of text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []) {
    const word = token.replaceAll('"', '').trim()
    if (!word) continue
    const m = word.match(pattern)
    const key = m ? (synonyms[m[1]!.toLowerCase()] ?? m[1]!.toLowerCase()) : ''
    if (m && numbers[key]) {
      const test = numeric(key, m[2]!, m[3]!)
      if (test) asked.tests.push(test)
      else asked.errors.push(`${word}: ${m[3]} is no number${numbers[key].units ? ` of ${Object.keys(numbers[key].units!).join(', ')}` : ''}`)
    } else if (m && texts[key] && ':=!='.includes(m[2]!)) asked.tests.push(textual(key, m[2]!, m[3]!))
    else if (m && m[2] !== ':') asked.errors.push(`${m[1]}: no such figure; there are ${numericWords.join(', ')}`)
    else asked.tests.push(has(word.toLowerCase()))
  }
  return asked
}

function numeric(key: string, op: string, value: string): Test | undefined {
  const m = value
    .toLowerCase()
    .replaceAll(',', '')
    .match(/^(-?\d+(?:\.\d+)?)(.*)$/)
  if (!m) return undefined
  const unit = m[2] === '' ? 1 : numbers[key]!.units?.[m[2]!]
  if (unit === undefined) return undefined
  const than = Number(m[1]) * unit
  const { of } = numbers[key]!
  const compare: Record<string, (v: number) => boolean> = { '>': (v) => v > than, '<': (v) => v < than, '>=': (v) => v >= than, '<=': (v) => v <= than, '=': (v) => v === than, ':': (v) => v === than, '!=': (v) => v !== than }
  const holds = compare[op]!
  // What is not told is neither more nor less than anything.
  return (r, now) => {
    const v = of(r, now)
    return v !== null && holds(v)
  }
}

function textual(key: string, op: string, value: string): Test {
  const want = value.toLowerCase()
  const of = texts[key]!
  if (op === '!=') return (r) => !of(r).some((v) => v.toLowerCase() === want)
  if (op === '=') return (r) => of(r).some((v) => v.toLowerCase() === want)
  return (r) => of(r).some((v) => v.toLowerCase().includes(want))
}

// Everything that free words look at, put together once for each row that the
// stream brings.
const hay = new WeakMap<Row, string>()

function has(word: string): Test {
  return (r) => {
    let text = hay.get(r)
    if (text === undefined) {
      text = `${r.name}\n${r.addr}\n${r.make} ${r.model}\n${r.firmware}\n${r.place}\n${r.group}\n${(r.tags ?? []).join('\n')}\n#${r.id}`.toLowerCase()
      hay.set(r, text)
    }
    return text.includes(word)
  }
}

/** What a choice lets through, as one function; `now` in Unix seconds. */
export function fitting(c: Choice, asked: Asked): (r: Row, now: number) => boolean {
  const tests = [...asked.tests]
  if (c.condition) tests.push((r) => r.condition === c.condition)
  if (c.group) tests.push((r) => r.group === c.group)
  if (c.tag) tests.push((r) => r.tags?.includes(c.tag!) ?? false)
  if (c.model) tests.push((r) => r.model === c.model)
  if (c.firmware) tests.push((r) => r.firmware === c.firmware)
  if (c.place) tests.push(c.place === '-' ? (r) => r.place === '' : (r) => r.place === c.place || r.place.startsWith(c.place + ' / '))
  return (r, now) => tests.every((t) => t(r, now))
}

/** Tells whether a choice leaves anything out. */
export const narrows = (c: Choice) => choiceKeys.some((k) => c[k])

/** A choice as the part of an address that makes it. */
export function toQuery(c: Record<string, unknown>): string {
  const p = new URLSearchParams()
  for (const [k, v] of Object.entries(c)) if (typeof v === 'string' && v !== '') p.set(k, v)
  return p.toString()
}

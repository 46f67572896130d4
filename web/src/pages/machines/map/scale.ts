import { type State, missing, valueOf } from './state'

/** A way to colour the map. */
export interface MapMetric {
  key: string
  title: string
  unit: string
  /** ramp: numbers from dark to bright; names: one colour a name. */
  kind: 'ramp' | 'names' | 'condition'
  /** Bright is good, or bright is bad. */
  ramp?: 'good' | 'bad'
  /** The ends of the scale; without it they come from the data. */
  range?: [number, number]
  places?: number
}

export const mapMetrics: MapMetric[] = [
  { key: 'condition', title: 'Condition', unit: '', kind: 'condition' },
  { key: 'hashrate', title: 'Hashrate against nominal', unit: '%', kind: 'ramp', ramp: 'good', range: [0, 110], places: 0 },
  { key: 'temp', title: 'Temperature', unit: '°C', kind: 'ramp', ramp: 'bad', range: [30, 100], places: 0 },
  { key: 'efficiency', title: 'Efficiency', unit: 'J/TH', kind: 'ramp', ramp: 'bad', places: 1 },
  { key: 'power', title: 'Power', unit: 'W', kind: 'ramp', ramp: 'good', places: 0 },
  { key: 'faults', title: 'Faults', unit: '', kind: 'ramp', ramp: 'bad', range: [0, 4], places: 0 },
  { key: 'age', title: 'Age of data', unit: 's', kind: 'ramp', ramp: 'bad', range: [0, 120], places: 0 },
  { key: 'firmware', title: 'Firmware', unit: '', kind: 'names' },
  { key: 'model', title: 'Model', unit: '', kind: 'names' },
  { key: 'group', title: 'Group', unit: '', kind: 'names' },
]

// Viridis and inferno: even steps of lightness, so that they read without
// colour too. Inferno begins where it is told from a dark page.
const good = ['#440154', '#482878', '#3e4989', '#31688e', '#26828e', '#1f9e89', '#35b779', '#6ece58', '#b5de2b', '#fde725']
const bad = ['#3b0f70', '#641a80', '#8c2981', '#b73779', '#de4968', '#f7705c', '#fe9f6d', '#fecf92', '#fcfdbf']
// Okabe and Ito's, then two that stay apart from them.
export const palette = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#5b3a9b', '#8c564b']
export const others = '#9a9a9a'

export type RGB = [number, number, number]

export function parse(hex: string): RGB {
  const h = hex.trim().replace('#', '')
  const full = h.length === 3 ? [...h].map((c) => c + c).join('') : h
  return [Number.parseInt(full.slice(0, 2), 16), Number.parseInt(full.slice(2, 4), 16), Number.parseInt(full.slice(4, 6), 16)]
}

/** A pixel as a canvas keeps it on a little-endian machine. */
export const pixel = ([r, g, b]: RGB): number => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0

export const mix = (a: RGB, b: RGB, t: number): RGB => [Math.round(a[0] + (b[0] - a[0]) * t), Math.round(a[1] + (b[1] - a[1]) * t), Math.round(a[2] + (b[2] - a[2]) * t)]

const stops = (ramp: 'good' | 'bad') => (ramp === 'good' ? good : bad)

/** The colour at t from 0 to 1. */
export function rampAt(ramp: 'good' | 'bad', t: number): RGB {
  const s = stops(ramp)
  const at = Math.min(Math.max(t, 0), 1) * (s.length - 1)
  const i = Math.min(Math.floor(at), s.length - 2)
  return mix(parse(s[i]!), parse(s[i + 1]!), at - i)
}

/** The ramp for CSS. */
export const rampCss = (ramp: 'good' | 'bad') => `linear-gradient(90deg, ${stops(ramp).join(', ')})`

/** The ends of a scale: fixed, or from the middle 96 % of the data so that one
 * outlier does not flatten the rest, at round numbers. */
export function rangeOf(m: MapMetric, s: State): [number, number] {
  if (m.range) return m.range
  const values: number[] = []
  const step = Math.max(1, Math.floor(s.raw.length / 5000))
  for (let i = 0; i < s.raw.length; i += step) {
    const v = valueOf(s, i)
    if (v !== null) values.push(v)
  }
  if (values.length === 0) return [0, 1]
  values.sort((a, b) => a - b)
  const low = values[Math.floor((values.length - 1) * 0.02)]!
  const high = values[Math.ceil((values.length - 1) * 0.98)]!
  const span = Math.max(high - low, Math.abs(high) * 0.05, 1e-6)
  const unit = 10 ** Math.floor(Math.log10(span / 4))
  const round = [1, 2, 5, 10].map((n) => n * unit).find((n) => span / n <= 6) ?? unit
  return [Math.floor(low / round) * round, Math.ceil(high / round) * round]
}

/** Which colour each name has: the most frequent ones have their own. */
export function nameColours(s: State): { colours: string[]; counts: number[]; untold: number } {
  const counts = (s.names ?? []).map(() => 0)
  let untold = 0
  for (const raw of s.raw) {
    if (raw === missing || counts[raw] === undefined) untold++
    else counts[raw]++
  }
  const order = counts.map((_, i) => i).sort((a, b) => counts[b]! - counts[a]!)
  const colours = counts.map(() => others)
  order.forEach((name, rank) => {
    if (rank < palette.length) colours[name] = palette[rank]!
  })
  return { colours, counts, untold }
}

/** How a number of the metric reads. */
export function words(m: MapMetric, s: State, i: number): string {
  const raw = s.raw[i]
  if (raw === undefined || raw === missing) return 'not told'
  if (s.names) return s.names[raw] ?? 'not told'
  const v = s.offset + s.scale * raw
  const text = v.toLocaleString('en-US', { maximumFractionDigits: m.places ?? 0, minimumFractionDigits: m.places ?? 0 })
  return m.unit ? `${text} ${m.unit}` : text
}

/** Numbers as people read them. A missing value is a dash, never a zero. */
export const dash = '–'

export function fixed(v: number | null | undefined, places: number): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return dash
  return v.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places })
}

/** Splits a quantity into figure and unit at the prefix that reads best. */
export function scaled(v: number | null | undefined, steps: [number, string][], places = 2): [string, string] {
  if (v === null || v === undefined || !Number.isFinite(v)) return [dash, steps[steps.length - 1]![1]]
  for (const [size, unit] of steps) {
    if (Math.abs(v) >= size) return [fixed(v / size, places), unit]
  }
  const [size, unit] = steps[steps.length - 1]!
  return [fixed(v / size, places), unit]
}

export const hashrate = (ths: number | null | undefined) => scaled(ths, [[1e6, 'EH/s'], [1e3, 'PH/s'], [1, 'TH/s']])
/** Watts below a kilowatt are whole: no meter knows hundredths of one. */
export const power = (w: number | null | undefined): [string, string] => (w != null && Math.abs(w) < 1e3 ? [fixed(w, 0), 'W'] : scaled(w, [[1e6, 'MW'], [1e3, 'kW'], [1, 'W']]))

/** "4 min", "3 h 10 min", "2 d 4 h". */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`
}

/** Nanoseconds, as Go writes durations, in words. */
export const spanNs = (ns: number | null | undefined) => (ns === null || ns === undefined ? dash : span(ns / 1e9))

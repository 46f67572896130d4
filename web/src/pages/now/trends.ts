import type { History } from '../../api/client'

// A site's hashrate, power and efficiency over time, out of the sums of each
// firmware.

type Values = (number | null)[]

export interface Trend {
  unit: string
  data: History
}

/** The step of a quantity that its largest value reads best in. */
function step(values: Values, steps: [number, string][]): [number, string] {
  let most = 0
  for (const v of values) if (v !== null) most = Math.max(most, Math.abs(v))
  return steps.find(([size]) => most >= size) ?? steps[steps.length - 1]!
}

function trend(metric: string, times: number[], values: Values, steps: [number, string][], of: History): Trend {
  const [size, unit] = step(values, steps)
  return { unit, data: { ...of, times, series: [{ metric, unit, values: values.map((v) => (v === null ? null : v / size)) }] } as History }
}

/** Adds the firmwares up. Efficiency takes only the firmwares that tell both
 * hashrate and power at a time, or it would look better than it is. The last
 * point is left out while its time is not over: not all machines are in it. */
export function trends(h: History, now: number): { hashrate: Trend; power: Trend; efficiency: Trend } {
  let n = h.times?.length ?? 0
  while (n > 0 && h.times![n - 1]! + h.bucket_s > now) n--
  const times = (h.times ?? []).slice(0, n)
  const of = new Map<string, { hashrate?: Values; power?: Values }>()
  for (const s of h.series ?? []) {
    const both = of.get(s.label ?? '') ?? {}
    if (s.metric === 'hashrate') both.hashrate = s.values as Values
    if (s.metric === 'power') both.power = s.values as Values
    of.set(s.label ?? '', both)
  }
  const hashrate: Values = times.map(() => null)
  const power: Values = times.map(() => null)
  const efficiency: Values = times.map(() => null)
  for (let i = 0; i < n; i++) {
    let [w, ths] = [0, 0]
    for (const f of of.values()) {
      const a = f.hashrate?.[i] ?? null
      const b = f.power?.[i] ?? null
      if (a !== null) hashrate[i] = (hashrate[i] ?? 0) + a
      if (b !== null) power[i] = (power[i] ?? 0) + b
      if (a !== null && b !== null && a > 0 && b > 0) {
        w += b
        ths += a
      }
    }
    if (ths > 0) efficiency[i] = w / ths
  }
  return {
    hashrate: trend('hashrate', times, hashrate, [[1e6, 'EH/s'], [1e3, 'PH/s'], [1, 'TH/s']], h),
    power: trend('power', times, power, [[1e6, 'MW'], [1e3, 'kW'], [1, 'W']], h),
    efficiency: trend('efficiency', times, efficiency, [[1, 'J/TH']], h),
  }
}

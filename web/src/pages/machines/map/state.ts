/** The state of all machines in one metric, as docs/machines.md describes its bytes. */
export interface State {
  metric: string
  /** Of the map that this is the state of. */
  version: string
  /** What to ask changes since. */
  since: string
  /** Raw values in the order of the map; 65535 is not told. */
  raw: Uint16Array
  scale: number
  offset: number
  low: number
  high: number
  /** For metrics whose values are names. */
  names?: string[]
  /** Unix seconds, by the server's clock. */
  now: number
  /** Indices that changed with the last answer; all when missing. */
  changed?: Uint32Array
}

export const missing = 0xffff

const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Reads an answer of /map/state. A delta is put on top of `old`, in place.
 * Throws when the bytes are no state, or a delta of something else. */
export function decode(buffer: ArrayBuffer, metric: string, old?: State): State {
  const view = new DataView(buffer)
  if (buffer.byteLength < 64 || view.getUint32(0) !== 0x424d4150) throw new Error('this is no state of a map')
  if (view.getUint16(4, true) !== 1) throw new Error(`this page does not read format ${view.getUint16(4, true)}; load it again`)
  const flags = view.getUint16(6, true)
  const version = view.getBigUint64(8, true).toString(16).padStart(16, '0')
  const since = `${view.getBigUint64(16, true)}.${view.getBigUint64(24, true)}.${version}`
  const machines = view.getUint32(32, true)
  const entries = view.getUint32(36, true)
  const delta = (flags & 1) !== 0
  const text = view.getUint32(56, true)
  if (buffer.byteLength !== 64 + entries * (delta ? 6 : 2) + text) throw new Error('the state of the map is cut short')
  const numbers = (at: number, n: number) => {
    if (little) return new Uint16Array(buffer, at, n)
    return Uint16Array.from({ length: n }, (_, i) => view.getUint16(at + 2 * i, true))
  }
  const next: State = {
    metric,
    version,
    since,
    raw: new Uint16Array(0),
    scale: view.getFloat32(40, true),
    offset: view.getFloat32(44, true),
    low: view.getFloat32(48, true),
    high: view.getFloat32(52, true),
    names: (flags & 2) !== 0 ? new TextDecoder().decode(new Uint8Array(buffer, buffer.byteLength - text, text)).split('\n') : undefined,
    now: view.getUint32(60, true),
  }
  if (!delta) {
    next.raw = numbers(64, machines).slice()
    return next
  }
  if (!old || old.version !== version || old.raw.length !== machines) throw new Error('a change of a state that is not here')
  next.raw = old.raw
  next.changed = Uint32Array.from({ length: entries }, (_, i) => view.getUint32(64 + 4 * i, true))
  const values = numbers(64 + 4 * entries, entries)
  for (let i = 0; i < entries; i++) next.raw[next.changed[i]!] = values[i]!
  return next
}

/** The value of a machine, or null. */
export const valueOf = (s: State, i: number): number | null => {
  const raw = s.raw[i]
  return raw === undefined || raw === missing ? null : s.offset + s.scale * raw
}

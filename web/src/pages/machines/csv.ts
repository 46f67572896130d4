import type { Row } from '../../api/client'

/** One cell of a CSV file. Text that a spreadsheet would take for a formula is
 * made text. */
export function cell(v: unknown): string {
  if (v === null || v === undefined) return ''
  if (typeof v === 'number') return String(v)
  let text = String(v)
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const fields: [string, (r: Row) => unknown][] = [
  ['id', (r) => r.id],
  ['name', (r) => r.name],
  ['address', (r) => r.addr],
  ['make', (r) => r.make],
  ['model', (r) => r.model],
  ['firmware', (r) => r.firmware],
  ['site', (r) => r.site],
  ['place', (r) => r.place],
  ['group', (r) => r.group],
  ['tags', (r) => r.tags?.join(' ')],
  ['condition', (r) => r.condition],
  ['since', (r) => (r.since > 0 ? new Date(r.since * 1000).toISOString() : '')],
  ['hashrate_ths', (r) => r.hashrate_ths],
  ['nominal_ths', (r) => r.nominal_ths],
  ['power_w', (r) => r.power_w],
  ['efficiency_j_per_th', (r) => r.efficiency_j_per_th],
  ['temp_c', (r) => r.temp_c],
  ['faults', (r) => r.faults],
  ['seen', (r) => (r.seen > 0 ? new Date(r.seen * 1000).toISOString() : '')],
]

/** Machines as CSV, with units in the names of the columns. */
export function machinesCsv(rows: Row[]): string {
  return [fields.map(([n]) => n).join(','), ...rows.map((r) => fields.map(([, f]) => cell(f(r))).join(','))].join('\r\n') + '\r\n'
}

/** Hands a file to the browser. */
export function save(name: string, text: string, type = 'text/csv;charset=utf-8') {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const a = document.createElement('a')
  a.href = url
  a.download = name
  a.click()
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

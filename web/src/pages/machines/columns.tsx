import type { Row } from '../../api/client'
import { dash, fixed, span } from '../../format'
import type { Column } from '../../parts/DataTable'
import { machineColumns } from '../../parts/MachineTable'

const more: Column<Row>[] = [
  { key: 'share', title: '% of nominal', width: '104px', num: true, show: (r) => (r.nominal_ths && r.hashrate_ths !== null ? fixed((100 * r.hashrate_ths) / r.nominal_ths, 0) : dash), by: (r) => (r.nominal_ths && r.hashrate_ths !== null ? r.hashrate_ths / r.nominal_ths : null) },
  { key: 'nominal', title: 'Nominal TH/s', width: '108px', num: true, show: (r) => fixed(r.nominal_ths, 1), by: (r) => r.nominal_ths },
  { key: 'group', title: 'Group', width: 'minmax(90px,0.8fr)', show: (r) => r.group || dash, by: (r) => r.group || null },
  { key: 'tags', title: 'Tags', width: 'minmax(90px,0.8fr)', show: (r) => r.tags?.join(', ') || dash, by: (r) => r.tags?.join(', ') || null },
  { key: 'site', title: 'Site', width: '110px', show: (r) => r.site || dash, by: (r) => r.site },
  { key: 'since', title: 'For', width: '92px', num: true, show: (r) => (r.since > 0 ? span(Date.now() / 1000 - r.since) : dash), by: (r) => -r.since },
  { key: 'age', title: 'Data age', width: '88px', num: true, show: (r) => (r.seen > 0 ? span(Date.now() / 1000 - r.seen) : dash), by: (r) => (r.seen > 0 ? -r.seen : null) },
  { key: 'id', title: 'Number', width: '80px', num: true, show: (r) => r.id, by: (r) => r.id },
]

/** Every column that a table of machines may show. */
export const allColumns: Column<Row>[] = [...machineColumns, ...more]

/** What is shown until somebody chooses otherwise. */
export const usual = ['condition', 'name', 'addr', 'model', 'place', 'hashrate', 'power', 'efficiency', 'temp', 'faults']

/** What is shown beside the map, which tells the places. */
export const beside = ['condition', 'name', 'model', 'hashrate', 'power', 'efficiency', 'temp']

/** What fits a phone. */
export const phone = ['condition', 'name', 'hashrate', 'temp']

/** The columns of a comma-separated list of keys, in the order of the list of
 * all; the usual ones when it names none. */
export function columnsOf(keys: string | undefined, or = usual): Column<Row>[] {
  const want = new Set((keys ?? '').split(',').filter(Boolean))
  const found = allColumns.filter((c) => (want.size > 0 ? want.has(c.key) : or.includes(c.key)))
  return found.length > 0 ? found : allColumns.filter((c) => or.includes(c.key))
}

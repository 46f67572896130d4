import { useNavigate } from '@tanstack/react-router'
import type { Row } from '../api/client'
import { dash, fixed } from '../format'
import { Condition } from './Condition'
import { type Column, DataTable, sortBy } from './DataTable'

const rank: Record<string, number> = { down: 0, locked: 1, degraded: 2, unknown: 3, silent: 4, starting: 5, sleeping: 6, hashing: 7 }

export const machineColumns: Column<Row>[] = [
  { key: 'condition', title: 'Condition', width: '110px', show: (r) => <Condition of={r.condition} />, by: (r) => rank[r.condition] ?? 9 },
  { key: 'name', title: 'Machine', width: 'minmax(130px,1.2fr)', show: (r) => r.name, by: (r) => r.name },
  { key: 'addr', title: 'Address', width: '146px', show: (r) => r.addr || dash, by: (r) => r.addr.split('.').reduce((n, p) => n * 256 + Number(p), 0) },
  { key: 'model', title: 'Model', width: 'minmax(130px,1.2fr)', show: (r) => r.model || dash, by: (r) => r.model },
  { key: 'firmware', title: 'Firmware', width: '112px', show: (r) => r.firmware || dash, by: (r) => r.firmware },
  { key: 'place', title: 'Place', width: 'minmax(110px,1fr)', show: (r) => r.place || dash, by: (r) => r.place || null },
  { key: 'hashrate', title: 'TH/s', width: '84px', num: true, show: (r) => fixed(r.hashrate_ths, 1), by: (r) => r.hashrate_ths },
  { key: 'power', title: 'W', width: '78px', num: true, show: (r) => fixed(r.power_w, 0), by: (r) => r.power_w },
  { key: 'efficiency', title: 'J/TH', width: '72px', num: true, show: (r) => fixed(r.efficiency_j_per_th, 1), by: (r) => r.efficiency_j_per_th },
  { key: 'temp', title: '°C', width: '66px', num: true, show: (r) => fixed(r.temp_c, 0), by: (r) => r.temp_c },
  { key: 'faults', title: 'Faults', width: '72px', num: true, show: (r) => r.faults || '', by: (r) => r.faults },
]

/** Sorts machines by one of their columns. */
export function sortRows(rows: Row[], key: string, desc: boolean): Row[] {
  return sortBy(rows, machineColumns.find((c) => c.key === key) ?? machineColumns[0], desc)
}

/** Machines, live: a table in which each opens its page. */
export function MachineTable({ rows, sort, desc, onSort, chosen, onChosen, height }: { rows: Row[]; sort: string; desc: boolean; onSort: (key: string, desc: boolean) => void; chosen?: ReadonlySet<string | number>; onChosen?: (ids: Set<string | number>) => void; height?: string }) {
  const go = useNavigate()
  return (
    <DataTable
      label="Machines"
      testid="machines"
      rows={rows}
      columns={machineColumns}
      id={(r) => r.id}
      sort={sort}
      desc={desc}
      onSort={onSort}
      chosen={chosen}
      onChosen={onChosen}
      height={height}
      rowTitle={(r) => r.trouble}
      onOpen={(r) => void go({ to: '/machines/$id', params: { id: String(r.id) } })}
    />
  )
}

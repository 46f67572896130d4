import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import type { Row } from '../api/client'
import { dash, fixed } from '../format'
import { Condition } from './Condition'

interface Column {
  key: string
  title: string
  width: string
  num?: boolean
  show: (r: Row) => ReactNode
  by: (r: Row) => number | string | null | undefined
}

const rank: Record<string, number> = { down: 0, locked: 1, degraded: 2, unknown: 3, silent: 4, starting: 5, sleeping: 6, hashing: 7 }

const columns: Column[] = [
  { key: 'condition', title: 'Condition', width: '110px', show: (r) => <Condition of={r.condition} />, by: (r) => rank[r.condition] ?? 9 },
  { key: 'name', title: 'Machine', width: 'minmax(130px,1.2fr)', show: (r) => r.name, by: (r) => r.name },
  { key: 'addr', title: 'Address', width: '125px', show: (r) => r.addr || dash, by: (r) => r.addr.split('.').reduce((n, p) => n * 256 + Number(p), 0) },
  { key: 'model', title: 'Model', width: 'minmax(130px,1.2fr)', show: (r) => r.model || dash, by: (r) => r.model },
  { key: 'firmware', title: 'Firmware', width: '112px', show: (r) => r.firmware || dash, by: (r) => r.firmware },
  { key: 'hashrate', title: 'TH/s', width: '84px', num: true, show: (r) => fixed(r.hashrate_ths, 1), by: (r) => r.hashrate_ths },
  { key: 'power', title: 'W', width: '78px', num: true, show: (r) => fixed(r.power_w, 0), by: (r) => r.power_w },
  { key: 'efficiency', title: 'J/TH', width: '72px', num: true, show: (r) => fixed(r.efficiency_j_per_th, 1), by: (r) => r.efficiency_j_per_th },
  { key: 'temp', title: '°C', width: '66px', num: true, show: (r) => fixed(r.temp_c, 0), by: (r) => r.temp_c },
  { key: 'faults', title: 'Faults', width: '72px', num: true, show: (r) => r.faults || '', by: (r) => r.faults },
]

/** Sorts rows; missing values come last either way. */
export function sortRows(rows: Row[], key: string, desc: boolean): Row[] {
  const c = columns.find((c) => c.key === key) ?? columns[0]!
  const sign = desc ? -1 : 1
  return rows.toSorted((a, b) => {
    const x = c.by(a)
    const y = c.by(b)
    if (x === y) return a.id - b.id
    if (x === null || x === undefined) return 1
    if (y === null || y === undefined) return -1
    return (x < y ? -1 : 1) * sign
  })
}

/** The site's machines, live. Rows that are out of sight are not drawn, so ten
 * thousand are as quick as ten. Arrows move, Enter opens. */
export function MachineTable({ rows, sort, desc, onSort }: { rows: Row[]; sort: string; desc: boolean; onSort: (key: string, desc: boolean) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState(-1)
  const sorted = useMemo(() => sortRows(rows, sort, desc), [rows, sort, desc])
  const list = useVirtualizer({ count: sorted.length, getScrollElement: () => box.current, estimateSize: () => 32, overscan: 12, paddingStart: 0 })

  useEffect(() => setAt((n) => Math.min(n, sorted.length - 1)), [sorted.length])

  const key = (e: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 320) / 32) - 2)
    const step: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -sorted.length, End: sorted.length }
    const by = step[e.key]
    if (by !== undefined) {
      e.preventDefault()
      const next = Math.min(Math.max(at + by, 0), sorted.length - 1)
      setAt(next)
      list.scrollToIndex(next)
    } else if (e.key === 'Enter' && at >= 0 && e.target === e.currentTarget) {
      box.current?.querySelector<HTMLAnchorElement>(`[data-index="${at}"]`)?.click()
    }
  }
  const style = { '--columns': columns.map((c) => c.width).join(' '), '--least': '1022px' } as React.CSSProperties
  return (
    <div ref={box} className="table" style={style} role="table" aria-label="Machines" aria-rowcount={sorted.length + 1} tabIndex={0} onKeyDown={key} data-testid="machines">
      <div className="row head" role="row">
        {columns.map((c) => (
          <div key={c.key} role="columnheader" className={c.num ? 'num' : ''} aria-sort={sort === c.key ? (desc ? 'descending' : 'ascending') : 'none'}>
            <button type="button" onClick={() => onSort(c.key, sort === c.key ? !desc : !!c.num)}>
              {c.title}
              {sort === c.key ? (desc ? ' ↓' : ' ↑') : ''}
            </button>
          </div>
        ))}
      </div>
      <div style={{ height: list.getTotalSize(), position: 'relative', minWidth: 'var(--least)' }} role="rowgroup">
        {list.getVirtualItems().map((v) => {
          const r = sorted[v.index]!
          return (
            <Link
              key={r.id}
              to="/machines/$id"
              params={{ id: String(r.id) }}
              className={'row line' + (v.index === at ? ' at' : '')}
              style={{ transform: `translateY(${v.start}px)` }}
              role="row"
              aria-rowindex={v.index + 2}
              data-index={v.index}
              tabIndex={-1}
              title={r.trouble}
            >
              {columns.map((c) => (
                <div key={c.key} className={'cell' + (c.num ? ' num' : '')} role="cell">
                  {c.show(r)}
                </div>
              ))}
            </Link>
          )
        })}
      </div>
    </div>
  )
}

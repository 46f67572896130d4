import { useVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, type KeyboardEvent, memo, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react'
import { csvCell, save } from './chartdata'
import { TableTools } from './TableTools'

export interface Column<T> {
  key: string
  title: string
  /** A CSS grid track: "84px", "minmax(130px,1.2fr)". */
  width: string
  num?: boolean
  show: (row: T) => ReactNode
  /** What to sort by; a column without it does not sort. */
  by?: (row: T) => number | string | null | undefined
  /** What stands in the downloaded file; without it what is sorted by, else what is shown when that is text. */
  csv?: (row: T) => number | string | null | undefined
  /** Cannot be hidden. The first column never can. */
  always?: boolean
  /** Hidden until somebody asks for it. */
  off?: boolean
}

/** Sorts rows; missing values come last either way, equal ones keep their order. */
export function sortBy<T>(rows: T[], column: Column<T> | undefined, desc: boolean): T[] {
  if (!column?.by) return rows
  const sign = desc ? -1 : 1
  // Each row is asked once: comparisons are many.
  const keyed = rows.map((row) => ({ row, by: column.by!(row) }))
  keyed.sort(({ by: x }, { by: y }) => {
    if (x === y) return 0
    if (x === null || x === undefined) return y === null || y === undefined ? 0 : 1
    if (y === null || y === undefined) return -1
    return (x < y ? -1 : 1) * sign
  })
  return keyed.map((k) => k.row)
}

/** Rows as CSV, in the order and with the columns that are shown. */
export function tableCsv<T>(rows: T[], columns: Column<T>[]): string {
  const cell = (c: Column<T>, r: T) => {
    if (c.csv) return c.csv(r)
    if (c.by) return c.by(r)
    const shown = c.show(r)
    return typeof shown === 'string' || typeof shown === 'number' ? shown : ''
  }
  return [columns.map((c) => csvCell(c.title)).join(','), ...rows.map((r) => columns.map((c) => csvCell(cell(c, r))).join(','))].join('\r\n') + '\r\n'
}

/** Which columns are hidden: the reader's choice, kept in the browser. */
function useHidden<T>(name: string | undefined, columns: Column<T>[]): [ReadonlySet<string>, (key: string) => void] {
  const where = name && `ballast-columns-${name}`
  const [hidden, set] = useState<ReadonlySet<string>>(() => {
    const kept = where ? localStorage.getItem(where) : null
    return new Set(kept === null ? columns.filter((c) => c.off).map((c) => c.key) : kept.split(',').filter(Boolean))
  })
  const toggle = (key: string) => {
    const next = new Set(hidden)
    if (!next.delete(key)) next.add(key)
    if (where) localStorage.setItem(where, [...next].join())
    set(next)
  }
  return [hidden, toggle]
}

/** A table of any length: rows out of sight are not drawn. Arrows move, Enter
 * opens, Space chooses when rows can be chosen. With a name its columns can be
 * chosen, and its rows downloaded. */
export function DataTable<T>({
  label,
  rows,
  columns: given,
  id,
  sort,
  desc = false,
  onSort,
  onOpen,
  chosen,
  onChosen,
  rowTitle,
  rowHeight = 32,
  height,
  testid,
  presorted,
  name,
  tools,
  empty,
}: {
  label: string
  rows: T[]
  columns: Column<T>[]
  id: (row: T) => string | number
  sort?: string
  desc?: boolean
  onSort?: (key: string, desc: boolean) => void
  onOpen?: (row: T) => void
  /** Ids of the chosen rows; with onChosen the table shows boxes. */
  chosen?: ReadonlySet<string | number>
  onChosen?: (ids: Set<string | number>) => void
  rowTitle?: (row: T) => string | undefined
  rowHeight?: number
  /** CSS height; without it the table takes what its rows need, up to most of the window. */
  height?: string
  testid?: string
  /** Rows come in their order already; sort and desc only say which it is. */
  presorted?: boolean
  /** Short and stable: under it the choice of columns is kept and the file is saved. */
  name?: string
  /** What stands beside the choice of columns. */
  tools?: ReactNode
  /** Shown in place of rows when there are none. */
  empty?: ReactNode
}) {
  const own = useId()
  const [hidden, hide] = useHidden(name, given)
  // biome-ignore lint: callers write their columns in place; what counts is which ones
  const columns = useMemo(() => given.filter((c, i) => i === 0 || c.always || !hidden.has(c.key)), [given, hidden])
  const box = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState(-1)
  const anchor = useRef(-1)
  const sorted = useMemo(() => (presorted ? rows : sortBy(rows, given.find((c) => c.key === sort), desc)), [rows, given, sort, desc, presorted])
  const list = useVirtualizer({ count: sorted.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 12 })
  useEffect(() => setAt((n) => Math.min(n, sorted.length - 1)), [sorted.length])

  const choose = (i: number, many: boolean) => {
    const row = sorted[i]
    if (!onChosen || row === undefined) return
    const next = new Set(chosen)
    if (many && anchor.current >= 0) {
      for (let k = Math.min(anchor.current, i); k <= Math.max(anchor.current, i); k++) next.add(id(sorted[k]!))
    } else if (!next.delete(id(row))) next.add(id(row))
    anchor.current = i
    onChosen(next)
  }
  const key = (e: KeyboardEvent) => {
    if (e.target !== e.currentTarget) return
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 320) / rowHeight) - 2)
    const step: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -sorted.length, End: sorted.length }
    const by = step[e.key]
    if (by !== undefined && sorted.length > 0) {
      e.preventDefault()
      const next = Math.min(Math.max(at + by, 0), sorted.length - 1)
      setAt(next)
      list.scrollToIndex(next)
    } else if (e.key === 'Enter' && sorted[at] !== undefined) onOpen?.(sorted[at])
    else if (e.key === ' ' && onChosen) {
      e.preventDefault()
      choose(at, e.shiftKey)
    }
  }
  // Lines are drawn again only when their row changes, so they are given one
  // and the same way to call back.
  const now = useRef({ choose, open: (i: number) => sorted[i] !== undefined && onOpen?.(sorted[i]), setAt })
  now.current = { choose, open: (i) => sorted[i] !== undefined && onOpen?.(sorted[i]), setAt }
  const does = useMemo<Does>(() => ({ choose: (i, many) => now.current.choose(i, many), click: (i, open) => (now.current.setAt(i), open && now.current.open(i)) }), [])
  const tracks = (onChosen ? '34px ' : '') + columns.map((c) => c.width).join(' ')
  const least = columns.reduce((n, c) => n + Number(c.width.match(/\d+/)?.[0] ?? 80), onChosen ? 34 : 0)
  const style = { '--columns': tracks, '--least': `${least}px`, '--row': `${rowHeight}px`, height: height ?? `min(${(sorted.length + 1) * rowHeight + 8}px, 66vh)`, minHeight: height || sorted.length > 0 ? undefined : rowHeight * 3 } as CSSProperties
  const all = onChosen && sorted.length > 0 && sorted.every((r) => chosen?.has(id(r)))
  const table = (
    <div ref={box} className={'table' + (onChosen ? ' boxed' : '')} style={style} role="grid" aria-label={label} aria-rowcount={sorted.length + 1} aria-multiselectable={onChosen ? true : undefined} aria-activedescendant={at >= 0 && sorted[at] !== undefined ? `${own}-${at}` : undefined} tabIndex={0} onKeyDown={key} data-testid={testid}>
      <div className="row head" role="row">
        {onChosen && (
          <div role="columnheader" className="box">
            <input type="checkbox" aria-label="Choose all that are shown" checked={!!all} onChange={() => onChosen(all ? new Set() : new Set(sorted.map(id)))} />
          </div>
        )}
        {columns.map((c) => (
          <div key={c.key} role="columnheader" className={c.num ? 'num' : ''} aria-sort={sort === c.key ? (desc ? 'descending' : 'ascending') : undefined}>
            {c.by && onSort ? (
              <button type="button" onClick={() => onSort(c.key, sort === c.key ? !desc : !!c.num)}>
                {c.title}
                {sort === c.key ? (desc ? ' ↓' : ' ↑') : ''}
              </button>
            ) : (
              <span className="plain">{c.title}</span>
            )}
          </div>
        ))}
      </div>
      <div style={{ height: list.getTotalSize(), position: 'relative', minWidth: 'var(--least)' }} role="rowgroup">
        {list.getVirtualItems().map((v) => {
          const r = sorted[v.index]!
          return (
            <Line
              key={id(r)}
              name={`${own}-${v.index}`}
              row={r}
              columns={columns}
              index={v.index}
              start={v.start}
              at={v.index === at}
              chosen={onChosen ? (chosen?.has(id(r)) ?? false) : undefined}
              opens={!!onOpen}
              title={rowTitle?.(r)}
              does={does}
            />
          )
        })}
      </div>
      {sorted.length === 0 && empty && (
        <div className="no-rows" role="row">
          <div role="gridcell">{empty}</div>
        </div>
      )}
    </div>
  )
  if (!name && !tools) return table
  return (
    <>
      <TableTools columns={name ? given : []} hidden={hidden} onHide={hide} onSave={name ? () => save(`${name}.csv`, tableCsv(sorted, columns)) : undefined} label={label}>
        {tools}
      </TableTools>
      {table}
    </>
  )
}

interface Does {
  choose: (index: number, many: boolean) => void
  click: (index: number, open: boolean) => void
}

interface LineProps<T> {
  name: string
  row: T
  columns: Column<T>[]
  index: number
  start: number
  at: boolean
  chosen?: boolean
  opens: boolean
  title?: string
  does: Does
}

const Line = memo(function Line<T>({ name, row, columns, index, start, at, chosen, opens, title, does }: LineProps<T>) {
  return (
    <div
      id={name}
      className={'row line' + (at ? ' at' : '') + (chosen ? ' chosen' : '') + (opens ? '' : ' still')}
      style={{ transform: `translateY(${start}px)` }}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={chosen}
      data-index={index}
      title={title}
      onClick={(e) => does.click(index, !(e.target as HTMLElement).closest('a, button, input'))}
    >
      {chosen !== undefined && (
        <div className="box" role="gridcell">
          <input type="checkbox" tabIndex={-1} aria-label="Choose this row" checked={chosen} onChange={() => undefined} onClick={(e) => does.choose(index, e.shiftKey)} />
        </div>
      )}
      {columns.map((c) => (
        <div key={c.key} className={'cell' + (c.num ? ' num' : '')} role="gridcell">
          {c.show(row)}
        </div>
      ))}
    </div>
  )
}) as <T>(props: LineProps<T> & { key?: string | number }) => ReactNode

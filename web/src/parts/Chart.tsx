import { ActionIcon, useComputedColorScheme } from '@mantine/core'
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import type { History } from '../api/client'
import { Icon } from '../frame/icons'
import { axisTimes, csv, type Fan, type Line, type Mark, nearMark, newest, type Sheet, save, sheet, summary, told, valued } from './chartdata'

export type { Fan, Line, Mark } from './chartdata'

export interface ChartProps {
  title: string
  unit: string
  lines: Line[]
  data: History
  /** The axis begins at zero: for what adds up, not for temperatures. */
  zero?: boolean
  /** A forecast behind the lines. */
  fan?: Fan
  /** What happened meanwhile; give all charts of a view the same. */
  marks?: Mark[]
  /** Sets the time range of the view; dragging zooms, and so does Shift with the arrows and Enter. */
  onZoom?: (from: number, to: number) => void
  /** Where the numbers come from, in a line below. */
  source?: ReactNode
  height?: number
  /** IANA zone of the times; the browser's without it. */
  zone?: string
}

const colours = { light: ['#0072b2', '#b36b00', '#007a59', '#a8447f', '#2a8fc7', '#b34a00'], dark: ['#5ab0ea', '#e69f00', '#2fc49a', '#e08fbb', '#8fd0f2', '#f0824a'] }

// One crosshair moves through all charts of a page.
const together = uPlot.sync('page')

/** A point of time in words. */
const instant = (t: number, zone?: string) => new Date(t * 1000).toLocaleString(undefined, { timeZone: zone })

/** One chart of one unit over time; nothing when nothing was told. */
export function Chart(props: ChartProps) {
  const key = told(props.lines, props.data).map((l) => l.label).join()
  // biome-ignore lint: key says which lines are told
  const lines = useMemo(() => told(props.lines, props.data), [props.lines, key])
  return lines.length || props.fan?.times.length ? <Drawn {...props} lines={lines} /> : null
}

function Drawn({ title, unit, lines, data, zero, fan, marks, onZoom, source, height = 190, zone }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const says = useRef<(HTMLElement | null)[]>([])
  const when = useRef<HTMLSpanElement>(null)
  const scheme = useComputedColorScheme('light')
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set())
  const [table, setTable] = useState(false)
  const [spoken, speak] = useState('')
  const s = useMemo(() => sheet(lines, data, fan), [lines, data, fan])
  const shape = s.columns.map((c) => c.label).join('\n')
  // What the drawing reads when it draws, without being made anew.
  const now = useRef({ s, marks, onZoom })
  now.current = { s, marks, onZoom }

  // biome-ignore lint: shape says which columns there are; the data follow below
  useEffect(() => {
    const el = box.current
    if (!el) return
    const chart = new uPlot(
      options({ el, height, zone, unit, zero, scheme, columns: s.columns, now: () => now.current, point: (at) => point(now.current.s, at) }),
      [s.times, ...s.columns.map((c) => c.values)] as uPlot.AlignedData,
      el,
    )
    plot.current = chart
    const fit = new ResizeObserver(() => el.clientWidth > 0 && chart.setSize({ width: el.clientWidth, height }))
    fit.observe(el)
    return () => {
      fit.disconnect()
      chart.destroy()
      plot.current = null
    }
  }, [shape, unit, zero, zone, scheme, height, table])
  useEffect(() => {
    plot.current?.setData([s.times, ...s.columns.map((c) => c.values)] as uPlot.AlignedData)
    point(s, null)
  }, [s])
  // biome-ignore lint: marks are read when it draws
  useEffect(() => plot.current?.redraw(false), [marks])
  // biome-ignore lint: after the drawing was made anew too
  useEffect(() => {
    for (let i = 0; i < lines.length; i++) if (plot.current?.series[i + 1] && plot.current.series[i + 1]!.show === hidden.has(i)) plot.current.setSeries(i + 1, { show: !hidden.has(i) })
  }, [hidden, shape, scheme, table])

  /** Writes the values at a point of time beside the names; the newest for none. */
  function point(s: Sheet, i: number | null) {
    s.columns.forEach((c, k) => {
      const el = says.current[k]
      if (el) el.textContent = valued(i === null ? newest(c) : c.values[i], unit)
    })
    if (when.current) {
      const t = i === null ? undefined : s.times[i]
      const mark = t === undefined ? undefined : nearMark(now.current.marks ?? [], t, reach(s))
      when.current.textContent = t === undefined ? '' : instant(t, zone) + (mark ? ` · ${mark.text}` : '')
    }
  }

  const at = useRef(-1)
  const anchor = useRef(-1)
  const key = (e: KeyboardEvent) => {
    const u = plot.current
    const n = s.times.length
    if (!u || n === 0) return
    const step: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -n, End: n }
    const by = step[e.key]
    if (by !== undefined) {
      e.preventDefault()
      const before = at.current < 0 ? n : at.current
      if (e.shiftKey && anchor.current < 0) anchor.current = Math.min(before, n - 1)
      if (!e.shiftKey) anchor.current = -1
      at.current = Math.min(Math.max(before + by, 0), n - 1)
      const left = u.valToPos(s.times[at.current]!, 'x')
      cross(u, left)
      if (anchor.current >= 0) {
        const from = u.valToPos(s.times[anchor.current]!, 'x')
        u.setSelect({ left: Math.min(from, left), width: Math.abs(from - left), top: 0, height: u.bbox.height / devicePixelRatio }, false)
      } else u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
      const mark = nearMark(marks ?? [], s.times[at.current]!, reach(s))
      speak(`${instant(s.times[at.current]!, zone)}: ${s.columns.map((c) => `${c.label} ${valued(c.values[at.current], unit)}`).join(', ')}${mark ? `; ${mark.text}` : ''}`)
    } else if (e.key === 'Enter' && onZoom && anchor.current >= 0 && anchor.current !== at.current) {
      const [a, b] = [s.times[anchor.current]!, s.times[at.current]!]
      onZoom(Math.floor(Math.min(a, b)), Math.ceil(Math.max(a, b)))
      anchor.current = -1
    } else if (e.key === 'Escape') {
      at.current = anchor.current = -1
      cross(u, -10)
      u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
      speak('')
    }
  }

  const ink = colours[scheme]
  return (
    <figure className="chart">
      <div className="chart-head">
        <h3>
          {title}, {unit}
        </h3>
        <span ref={when} className="chart-when" />
        <span className="chart-tools">
          <ActionIcon size="sm" variant="subtle" color="gray" aria-pressed={table} aria-label={`${title} as a table`} title="As a table" onClick={() => setTable(!table)}>
            <Icon name={table ? 'chart' : 'table'} />
          </ActionIcon>
          <ActionIcon size="sm" variant="subtle" color="gray" aria-label={`Download ${title} as CSV`} title="Download as CSV" onClick={() => save(`${title}.csv`, csv(unit, s))}>
            <Icon name="download" />
          </ActionIcon>
        </span>
      </div>
      {table ? (
        <Values s={s} title={title} unit={unit} marks={marks} height={height} zone={zone} />
      ) : (
        <div ref={box} className="plot" role="img" tabIndex={0} aria-label={summary(title, unit, s, marks)} onKeyDown={key} onBlur={() => speak('')} />
      )}
      <div className="hidden" aria-live="polite">
        {spoken}
      </div>
      <ul className="legend">
        {s.columns.map((c, i) =>
          c.q === undefined ? (
            <li key={c.label}>
              <button type="button" aria-pressed={!hidden.has(i)} title={hidden.has(i) ? 'Show' : 'Hide'} onClick={() => setHidden(toggled(hidden, i))}>
                <i style={{ background: ink[i % ink.length] }} />
                {c.label}
              </button>
              <b ref={(el) => void (says.current[i] = el)}>{valued(newest(c), unit)}</b>
            </li>
          ) : c.q === 0.5 ? (
            <li key={c.label}>
              <span>
                <i className="dashed" />
                {c.label}
              </span>
              <b ref={(el) => void (says.current[i] = el)} />
            </li>
          ) : null,
        )}
      </ul>
      {source && <figcaption className="source">{source}</figcaption>}
    </figure>
  )
}

/** Moves the crosshair of a chart, and of those that move with it: uPlot takes a
 * third argument for that, which its types do not name. */
function cross(u: uPlot, left: number) {
  const set = u.setCursor as (at: { left: number; top: number }, fire: boolean, publish: boolean) => void
  set({ left, top: left < 0 ? -10 : u.bbox.height / devicePixelRatio / 2 }, true, true)
}

/** How near to a mark counts as on it: a hundredth of the width. */
const reach = (s: Sheet) => ((s.times.at(-1) ?? 0) - (s.times[0] ?? 0)) / 100

function toggled(set: ReadonlySet<number>, i: number): Set<number> {
  const next = new Set(set)
  if (!next.delete(i)) next.add(i)
  return next
}

const most = 300

/** The same numbers for those who read rather than see them. */
function Values({ s, title, unit, marks = [], height, zone }: { s: Sheet; zone?: string; title: string; unit: string; marks?: Mark[]; height: number }) {
  const from = Math.max(0, s.times.length - most)
  const rows = s.times.slice(from).map((t, k) => ({ t, i: from + k })).reverse()
  return (
    <div className="values" style={{ height }} tabIndex={0} role="region" aria-label={`${title}, values`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {s.columns.map((c) => (
              <th key={c.label} scope="col">
                {c.label}, {unit}
              </th>
            ))}
            {marks.length > 0 && <th scope="col">Event</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ t, i }) => (
            <tr key={t}>
              <th scope="row">{instant(t, zone)}</th>
              {s.columns.map((c) => (
                <td key={c.label}>{valued(c.values[i], '')}</td>
              ))}
              {marks.length > 0 && <td>{nearMark(marks, t, reach(s) / 2)?.text}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {from > 0 && <p>The newest {most} of {s.times.length.toLocaleString('en-US')} points; the download has all.</p>}
    </div>
  )
}

interface Ask {
  el: HTMLElement
  zone?: string
  height: number
  unit: string
  zero?: boolean
  scheme: 'light' | 'dark'
  columns: Sheet['columns']
  now: () => { s: Sheet; marks?: Mark[]; onZoom?: (from: number, to: number) => void }
  point: (i: number | null) => void
}

function options({ el, height, zone, unit, zero, scheme, columns, now, point }: Ask): uPlot.Options {
  const css = getComputedStyle(document.documentElement)
  const dim = css.getPropertyValue('--mantine-color-dimmed').trim() || '#777'
  const grid = scheme === 'dark' ? '#2a323a' : '#e8ecf0'
  const ink = colours[scheme]
  const axis = { stroke: dim, font: '11px system-ui', grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } }
  const fans = columns.map((c, i) => ({ q: c.q, i: i + 1 })).filter((c): c is { q: number; i: number } => c.q !== undefined)
  const bands: uPlot.Band[] = []
  for (let lo = 0, hi = fans.length - 1; lo < hi; lo++, hi--) bands.push({ series: [fans[hi]!.i, fans[lo]!.i], fill: scheme === 'dark' ? 'rgb(143 188 226 / .17)' : 'rgb(31 98 158 / .14)' })
  return {
    width: Math.max(el.clientWidth, 50),
    height,
    tzDate: zone ? (ts) => uPlot.tzDate(new Date(ts * 1e3), zone) : undefined,
    legend: { show: false },
    cursor: { sync: { key: together.key, scales: ['x', null] }, drag: { x: true, y: false, setScale: !now().onZoom } },
    scales: { x: { range: (_u, lo, hi) => (lo === hi ? [(lo ?? 0) - 1800, (hi ?? 0) + 1800] : [lo, hi]) }, y: { range: (_u, lo, hi) => uPlot.rangeNum(zero ? Math.min(0, lo ?? 0) : (lo ?? 0), Math.max(hi ?? 1, zero ? 1e-9 : -Infinity), 0.1, true) } },
    axes: [
      { ...axis, values: (_u, splits, _i, _space, step) => axisTimes(splits, step), space: 64, size: 36, gap: 4 },
      { ...axis, size: 52, label: unit, labelSize: 16, labelGap: 0, labelFont: '11px system-ui', values: (_u, splits) => splits.map((v) => v.toLocaleString('en-US', { maximumFractionDigits: 3, notation: Math.abs(v) >= 1e6 ? 'compact' : 'standard' })) },
    ],
    bands,
    series: [
      {},
      ...columns.map((c, i) =>
        c.q === undefined
          ? { label: c.label, stroke: ink[i % ink.length], width: 1.6, spanGaps: false, points: { show: few, size: 6 } }
          : { label: c.label, stroke: c.q === 0.5 ? dim : 'transparent', width: c.q === 0.5 ? 1.4 : 0, dash: [5, 4], points: { show: false } },
      ),
    ],
    hooks: {
      setCursor: [(u) => point(u.cursor.left !== undefined && u.cursor.left >= 0 ? (u.cursor.idx ?? null) : null)],
      setSelect: [
        (u) => {
          const zoom = now().onZoom
          if (!zoom || u.select.width < 8) return
          const [a, b] = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')]
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
          zoom(Math.floor(a), Math.ceil(b))
        },
      ],
      draw: [(u) => drawMarks(u, now().marks ?? [], scheme)],
    },
  }
}

/** Tells whether a line has so few points that they would not be seen as one. */
function few(u: uPlot, series: number): boolean {
  let n = 0
  for (const v of u.data[series] ?? []) if (v !== null && v !== undefined && ++n > 3) return false
  return true
}

const markInk = { light: { decision: '#1f629e', event: '#56616c', bad: '#b3470a' }, dark: { decision: '#8fbce2', event: '#a3aeb9', bad: '#ff9d66' } }

/** A dashed line at each event, with a triangle on top that points at it. */
function drawMarks(u: uPlot, marks: Mark[], scheme: 'light' | 'dark') {
  const { ctx } = u
  const { top, height, left, width } = u.bbox
  const px = devicePixelRatio
  ctx.save()
  ctx.lineWidth = px
  for (const m of marks) {
    const x = u.valToPos(m.at, 'x', true)
    if (x < left || x > left + width) continue
    ctx.strokeStyle = ctx.fillStyle = markInk[scheme][m.kind ?? 'event']
    ctx.globalAlpha = 0.7
    ctx.setLineDash([3 * px, 3 * px])
    ctx.beginPath()
    ctx.moveTo(x, top)
    ctx.lineTo(x, top + height)
    ctx.stroke()
    ctx.globalAlpha = 1
    ctx.beginPath()
    ctx.moveTo(x - 4 * px, top)
    ctx.lineTo(x + 4 * px, top)
    ctx.lineTo(x, top + 6 * px)
    ctx.fill()
  }
  ctx.restore()
}

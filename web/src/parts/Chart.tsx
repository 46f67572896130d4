import { ActionIcon, Tooltip, useMantineColorScheme } from '@mantine/core'
import { useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import type { History } from '../api/client'

/** A line of a chart: which series of the history, what to call it. */
export interface Line {
  metric: string
  board?: number
  label: string
}

/** Something that happened: a mark across all charts of the page. */
export interface Mark {
  /** Unix seconds. */
  at: number
  kind: string
  text: string
}

const colours = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00']

// What kind of mark it is shows by colour and by its letter on top.
const kinds: Record<string, { colour: string; letter: string }> = {
  command: { colour: '#0072b2', letter: 'C' },
  confirmed: { colour: '#009e73', letter: '✓' },
  drifted: { colour: '#d55e00', letter: '≠' },
  restart: { colour: '#cc79a7', letter: 'R' },
  alarm: { colour: '#d55e00', letter: '!' },
  identity: { colour: '#8a63d2', letter: 'F' },
  address: { colour: '#8a63d2', letter: '@' },
  note: { colour: '#7a8aa0', letter: 'N' },
}

// One crosshair moves through all charts of a page.
const together = uPlot.sync('page')

/** The lines that have anything to show: a firmware does not tell everything. */
function told(lines: Line[], data: History): Line[] {
  return lines.filter((l) => find(l, data)?.values?.some((v) => v !== null))
}

function find(l: Line, data: History) {
  return data.series?.find((s) => s.metric === l.metric && (l.board === undefined || s.board === l.board))
}

interface ChartProps {
  title: string
  unit: string
  lines: Line[]
  data: History
  zero?: boolean
  marks?: Mark[]
  /** Name of the file that its data is downloaded as; without it there is no button. */
  file?: string
}

/** One chart of one unit over time, zero included where zero matters; nothing
 * when nothing was told. */
export function Chart(props: ChartProps) {
  const key = told(props.lines, props.data).map((l) => l.label).join()
  // biome-ignore lint: key says which lines are told
  const lines = useMemo(() => told(props.lines, props.data), [props.lines, key])
  return lines.length ? <Drawn {...props} lines={lines} /> : null
}

/** The data of a chart as CSV: time, and a column for each line. */
export function chartCsv(lines: Line[], data: History, unit: string): string {
  const columns = lines.map((l) => find(l, data)?.values ?? [])
  const head = ['time', ...lines.map((l) => `${l.label} ${unit}`)].map((h) => (/[",]/.test(h) ? `"${h.replaceAll('"', '""')}"` : h)).join(',')
  return [head, ...(data.times ?? []).map((t, i) => [new Date(t * 1000).toISOString(), ...columns.map((c) => c[i] ?? '')].join(','))].join('\r\n') + '\r\n'
}

function download(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const a = document.createElement('a')
  a.href = url
  a.download = name
  a.click()
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** Draws the marks that lie in sight. */
function drawMarks(u: uPlot, marks: Mark[]) {
  const { ctx, bbox } = u
  const ratio = uPlot.pxRatio
  ctx.save()
  ctx.font = `${10 * ratio}px system-ui`
  ctx.textAlign = 'center'
  ctx.lineWidth = ratio
  let last = -99
  for (const m of marks) {
    const x = u.valToPos(m.at, 'x', true)
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    const k = kinds[m.kind] ?? kinds.note!
    ctx.strokeStyle = k.colour
    ctx.fillStyle = k.colour
    ctx.setLineDash([3 * ratio, 3 * ratio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    if (x - last > 9 * ratio) ctx.fillText(k.letter, x, bbox.top - 3 * ratio)
    last = x
  }
  ctx.restore()
}

const none: Mark[] = []

function Drawn({ title, unit, lines, data, zero, marks = none, file }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const said = useRef<HTMLSpanElement>(null)
  const plot = useRef<uPlot>(undefined)
  const shown = useRef(marks)
  const { colorScheme } = useMantineColorScheme()
  useEffect(() => {
    const el = box.current
    if (!el) return
    const css = getComputedStyle(document.documentElement)
    const ink = css.getPropertyValue('--mantine-color-dimmed').trim() || '#888'
    const grid = css.getPropertyValue('--mantine-color-default-border').trim() || '#ddd'
    const values = lines.map((l) => find(l, data)?.values ?? data.times!.map(() => null))
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } }
    const chart = new uPlot(
      {
        width: el.clientWidth,
        height: 190,
        cursor: { sync: { key: together.key } },
        scales: { y: { range: (_u, lo, hi) => uPlot.rangeNum(zero ? Math.min(0, lo ?? 0) : (lo ?? 0), hi ?? 1, 0.1, true) } },
        axes: [axis, { ...axis, size: 62, label: unit, labelSize: 18, labelFont: '12px system-ui' }],
        hooks: {
          draw: [(u) => drawMarks(u, shown.current)],
          // The mark beside the crosshair is told in words.
          setCursor: [
            (u) => {
              const left = u.cursor.left ?? -1
              const near = left < 0 ? [] : shown.current.filter((m) => Math.abs(u.valToPos(m.at, 'x') - left) < 6)
              if (said.current) said.current.textContent = near.map((m) => m.text).slice(0, 3).join('; ')
            },
          ],
        },
        series: [
          { value: '{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}' },
          ...lines.map((l, i) => ({ label: l.label, stroke: colours[i % colours.length], width: 1.5, spanGaps: false, points: { show: false }, value: (_u: uPlot, v: number | null) => (v === null ? '–' : `${v.toLocaleString('en-US', { maximumFractionDigits: 2 })} ${unit}`) })),
        ],
      },
      [data.times!, ...values] as uPlot.AlignedData,
      el,
    )
    plot.current = chart
    const fit = new ResizeObserver(() => chart.setSize({ width: el.clientWidth, height: 190 }))
    fit.observe(el)
    return () => {
      fit.disconnect()
      chart.destroy()
      plot.current = undefined
    }
  }, [data, lines, unit, zero, colorScheme])
  useEffect(() => {
    shown.current = marks
    plot.current?.redraw(false, false)
  }, [marks])
  return (
    <figure className="chart" style={{ margin: '0 0 18px' }}>
      <h3>
        {title}, {unit} <span className="said" ref={said} />
        {file && (
          <Tooltip label="Download as CSV">
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Download ${title} as CSV`} onClick={() => download(`${file}.csv`, chartCsv(lines, data, unit))}>
              ↓
            </ActionIcon>
          </Tooltip>
        )}
      </h3>
      <div ref={box} role="img" aria-label={`${title} over time in ${unit}`} />
    </figure>
  )
}

import { useMantineColorScheme } from '@mantine/core'
import { useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import type { History } from '../api/client'

/** A line of a chart: which series of the history, what to call it. */
export interface Line {
  metric: string
  board?: number
  label: string
}

const colours = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00']

// One crosshair moves through all charts of a page.
const together = uPlot.sync('page')

/** The lines that have anything to show: a firmware does not tell everything. */
function told(lines: Line[], data: History): Line[] {
  return lines.filter((l) => find(l, data)?.values?.some((v) => v !== null))
}

function find(l: Line, data: History) {
  return data.series?.find((s) => s.metric === l.metric && (l.board === undefined || s.board === l.board))
}

/** One chart of one unit over time, zero included where zero matters; nothing
 * when nothing was told. */
export function Chart(props: { title: string; unit: string; lines: Line[]; data: History; zero?: boolean; /** IANA zone of the times; the browser's without it. */ zone?: string }) {
  const key = told(props.lines, props.data).map((l) => l.label).join()
  // biome-ignore lint: key says which lines are told
  const lines = useMemo(() => told(props.lines, props.data), [props.lines, key])
  return lines.length ? <Drawn {...props} lines={lines} /> : null
}

function Drawn({ title, unit, lines, data, zero, zone }: { title: string; unit: string; lines: Line[]; data: History; zero?: boolean; zone?: string }) {
  const box = useRef<HTMLDivElement>(null)
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
        tzDate: zone ? (ts) => uPlot.tzDate(new Date(ts * 1e3), zone) : undefined,
        cursor: { sync: { key: together.key } },
        scales: { y: { range: (_u, lo, hi) => uPlot.rangeNum(zero ? Math.min(0, lo ?? 0) : (lo ?? 0), hi ?? 1, 0.1, true) } },
        axes: [axis, { ...axis, size: 62, label: unit, labelSize: 18, labelFont: '12px system-ui' }],
        series: [
          { value: '{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}' },
          ...lines.map((l, i) => ({ label: l.label, stroke: colours[i % colours.length], width: 1.5, spanGaps: false, points: { show: values[i]!.filter((x) => x !== null).length < 3 } /* a line needs two points: fewer are dots */, value: (_u: uPlot, v: number | null) => (v === null ? '–' : `${v.toLocaleString('en-US', { maximumFractionDigits: 2 })} ${unit}`) })),
        ],
      },
      [data.times!, ...values] as uPlot.AlignedData,
      el,
    )
    const fit = new ResizeObserver(() => chart.setSize({ width: el.clientWidth, height: 190 }))
    fit.observe(el)
    return () => {
      fit.disconnect()
      chart.destroy()
    }
  }, [data, lines, unit, zero, zone, colorScheme])
  return (
    <figure className="chart" style={{ margin: '0 0 18px' }}>
      <h3>
        {title}, {unit}
      </h3>
      <div ref={box} role="img" aria-label={`${title} over time in ${unit}`} />
    </figure>
  )
}

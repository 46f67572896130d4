import { Text } from '@mantine/core'
import { fixed } from '../../format'
import { clock, type Loss, percent, type Report, reasons } from './words'
import './reports.css'

/** What each reason took, as bars that a screen reader reads as a table. */
export function LossBars({ losses, total }: { losses: Loss[]; total: number }) {
  if (losses.length === 0) return <Text fz="sm">Nothing was lost.</Text>
  const most = losses[0]!.lost_th_days
  return (
    <table className="losses" data-testid="losses">
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" className="num">
            TH-days
          </th>
          <th scope="col" className="num">
            Share
          </th>
          <th scope="col" className="num">
            Machines
          </th>
          <td aria-hidden />
        </tr>
      </thead>
      <tbody>
        {losses.map((l) => (
          <tr key={l.reason}>
            <th scope="row">{reasons[l.reason].words}</th>
            <td className="num">{fixed(l.lost_th_days, 1)}</td>
            <td className="num">{percent(total > 0 ? l.lost_th_days / total : null)}</td>
            <td className="num">{l.machines}</td>
            <td className="span" aria-hidden>
              <span style={{ width: `${Math.max(0.5, (100 * l.lost_th_days) / most)}%`, background: reasons[l.reason].colour }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const kinds = [
  { key: 'hashing', title: 'hashing', colour: 'var(--hashing)' },
  { key: 'starting', title: 'starting', colour: 'var(--starting)' },
  { key: 'off', title: 'off on purpose', colour: 'var(--sleeping)' },
  { key: 'down', title: 'down', colour: 'var(--down)' },
  { key: 'silent', title: 'silent', colour: 'var(--silent)' },
  { key: 'unknown', title: 'not known', colour: 'var(--mantine-color-default-border)' },
] as const

/** What the machines did, quarter by quarter, stacked. */
export function States({ report }: { report: Report }) {
  const quarters = report.quarters ?? []
  const whole = report.hours * 4
  const hours: { x: number; label: string }[] = []
  for (let q = 0; q <= whole; q += 12) hours.push({ x: q / whole, label: clock(new Date(Date.parse(report.from) + q * 900_000).toISOString(), report.zone) })
  const shown = kinds.filter((k) => quarters.some((q) => q[k.key] > 0))
  const told = shown.map((k) => `${k.title} ${fixed(quarters.reduce((n, q) => n + q[k.key], 0) / 4, 1)} machine-hours`).join(', ')
  return (
    <figure className="states" style={{ margin: '0 0 18px' }}>
      <h3>Machines by what they did</h3>
      <svg viewBox={`0 0 ${whole} 100`} preserveAspectRatio="none" role="img" aria-label={told}>
        {quarters.map((q, i) => {
          const total = kinds.reduce((n, k) => n + q[k.key], 0)
          let y = 100
          return kinds.map((k) => {
            const h = total > 0 ? (100 * q[k.key]) / total : 0
            y -= h
            return h > 0 ? <rect key={k.key + q.at} x={i} y={y} width={1.02} height={h} style={{ fill: k.colour }} /> : null
          })
        })}
      </svg>
      <div className="hours" aria-hidden>
        {hours.map((h) => (
          <span key={h.x} style={{ left: `${100 * h.x}%` }}>
            {h.label}
          </span>
        ))}
      </div>
      <div className="legend" aria-hidden>
        {shown.map((k) => (
          <span key={k.key}>
            <i style={{ background: k.colour }} />
            {k.title}
          </span>
        ))}
      </div>
    </figure>
  )
}

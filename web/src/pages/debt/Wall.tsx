import { useComputedColorScheme } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { Schema } from '../../api/client'
import { colourOf, day, type Figure, month, short, units } from './words'

type Quarter = Schema['WallQuarter']

/** A scale of about four steps up to most. */
export function steps(most: number): number[] {
  if (!(most > 0)) return [0, 1]
  const raw = most / 4
  const size = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map((m) => m * size).find((m) => m >= raw)!
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step)
}

/** What falls due, quarter by quarter and facility by facility. */
export function Wall({ quarters, currency, names, liquidity }: { quarters: Quarter[]; currency: string; names: Record<string, string>; liquidity?: Figure }) {
  const scheme = useComputedColorScheme('light')
  const [table, setTable] = useState(false)
  const ids = useMemo(() => [...new Set(quarters.flatMap((q) => Object.keys(q.by ?? {})))].sort(), [quarters])
  if (!ids.length) return <p className="said">Nothing falls due in the next three years.</p>
  const w = 1000
  const h = 220
  const left = 62
  const liquid = typeof liquidity?.value === 'number' && liquidity.value > 0 ? liquidity.value : 0
  const ticks = steps(Math.max(...quarters.map((q) => units(q.cash)), liquid))
  const top = ticks[ticks.length - 1]!
  const y = (v: number) => 14 + ((h - 14) * (top - v)) / top
  const slot = (w - left) / quarters.length
  const bar = Math.min(54, slot * 0.7)
  return (
    <figure className="drawn" data-testid="wall">
      {table ? (
        <div className="gridtable" tabIndex={0} role="region" aria-label="Maturity wall as a table">
          <table>
            <thead>
              <tr>
                <th>Quarter</th>
                <th className="num">Cash due</th>
                <th className="num">Principal</th>
                <th className="num">Interest</th>
                <th className="num">Fees</th>
              </tr>
            </thead>
            <tbody>
              {quarters.map((q) => (
                <tr key={q.from}>
                  <td>
                    {day(q.from)} to {day(q.to)}
                  </td>
                  <td className="num">{q.cash.text}</td>
                  <td className="num">{q.principal.text}</td>
                  <td className="num">{q.interest.text}</td>
                  <td className="num">{q.fees.text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div className="wide-drawing" tabIndex={0} role="region" aria-label="Maturity wall">
          <svg viewBox={`0 0 ${w} ${h + 30}`} role="img" aria-label={`Cash due in each of ${quarters.length} quarters; the highest is ${short(Math.max(...quarters.map((q) => units(q.cash))), currency)}`}>
            {ticks.map((t) => (
              <g key={t}>
                <line className="axis" x1={left} x2={w} y1={y(t)} y2={y(t)} />
                <text x={left - 8} y={y(t) + 4} textAnchor="end">
                  {short(t, currency)}
                </text>
              </g>
            ))}
            {quarters.map((q, i) => {
              let at = 0
              const x = left + slot * i + (slot - bar) / 2
              return (
                <g key={q.from}>
                  {ids.map((id, k) => {
                    const m = q.by?.[id]
                    if (!m) return null
                    const v = units(m)
                    const from = at
                    at += v
                    return (
                      <rect key={id} x={x} width={bar} y={y(at)} height={Math.max(0, y(from) - y(at))} fill={colourOf(k, scheme)}>
                        <title>{`${names[id] || id}: ${m.text}, ${day(q.from)} to ${day(q.to)}`}</title>
                      </rect>
                    )
                  })}
                  {at > 0 && (
                    <text className="ink" x={x + bar / 2} y={y(at) - 5} textAnchor="middle">
                      {short(at, currency)}
                    </text>
                  )}
                  <text x={x + bar / 2} y={h + 18} textAnchor="middle">
                    {month(q.to)}
                  </text>
                </g>
              )
            })}
            {liquid > 0 && (
              <g>
                <line x1={left} x2={w} y1={y(liquid)} y2={y(liquid)} stroke="var(--ink-good)" strokeWidth="2" strokeDasharray="6 4" />
                <text x={w} y={y(liquid) - 5} textAnchor="end" style={{ fill: 'var(--ink-good)' }}>
                  liquidity today {liquidity!.text}
                </text>
              </g>
            )}
          </svg>
        </div>
      )}
      <ul className="legend">
        {!table &&
          ids.map((id, k) => (
            <li key={id}>
              <i style={{ background: colourOf(k, scheme) }} /> {names[id] || id}
            </li>
          ))}
        <li>
          <button type="button" aria-pressed={table} onClick={() => setTable(!table)} style={{ textDecoration: 'underline' }}>
            {table ? 'as a chart' : 'as a table'}
          </button>
        </li>
      </ul>
    </figure>
  )
}

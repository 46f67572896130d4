import { Text } from '@mantine/core'
import { useMemo } from 'react'
import { conditions, Dot } from '../../../parts/Condition'
import { type MapMetric, nameColours, others, palette, rampCss, rangeOf } from './scale'
import { missing, type State } from './state'

/** What the colours mean, with the range that they cover. */
export function Legend({ m, state, tick }: { m: MapMetric; state?: State; tick: number }) {
  // biome-ignore lint: tick says that the arrays changed
  const told = useMemo(() => (state ? summary(state) : undefined), [state, tick])
  if (!state || !told) return <div className="map-legend">…</div>
  const number = (v: number) => v.toLocaleString('en-US', { maximumFractionDigits: m.places ?? 0 })
  if (m.kind === 'condition')
    return (
      <div className="map-legend" data-testid="legend">
        {conditions.map(([c, means]) => {
          const n = told.counts[state.names?.indexOf(c) ?? -1] ?? 0
          return n > 0 ? (
            <span key={c} title={means}>
              <Dot of={c} />
              {c} {n.toLocaleString('en-US')}
            </span>
          ) : null
        })}
      </div>
    )
  if (m.kind === 'names') {
    const { colours, counts, untold } = nameColours(state)
    const order = counts.map((_, i) => i).sort((a, b) => counts[b]! - counts[a]!)
    const rest = order.slice(palette.length)
    return (
      <div className="map-legend" data-testid="legend">
        {order.slice(0, palette.length).map((i) => (
          <span key={i}>
            <i style={{ background: colours[i] }} />
            {state.names![i]} {counts[i]!.toLocaleString('en-US')}
          </span>
        ))}
        {rest.length > 0 && (
          <span>
            <i style={{ background: others }} />
            {rest.length} others {rest.reduce((n, i) => n + counts[i]!, 0).toLocaleString('en-US')}
          </span>
        )}
        {untold > 0 && (
          <span>
            <i className="untold" />
            none {untold.toLocaleString('en-US')}
          </span>
        )}
      </div>
    )
  }
  const [low, high] = rangeOf(m, state)
  return (
    <div className="map-legend" data-testid="legend">
      <span className="ramp">
        <span>
          {told.low !== null && told.low < low ? '≤ ' : ''}
          {number(low)}
        </span>
        <b style={{ background: rampCss(m.ramp ?? 'good') }} role="img" aria-label={`from ${number(low)} to ${number(high)} ${m.unit}`} />
        <span>
          {told.high !== null && told.high > high ? '≥ ' : ''}
          {number(high)} {m.unit}
        </span>
      </span>
      {told.low !== null && told.high !== null && (
        <Text span fz="xs" c="dimmed">
          machines read {number(told.low)} to {number(told.high)} {m.unit}
        </Text>
      )}
      {told.untold > 0 && (
        <span>
          <i className="untold" />
          not told {told.untold.toLocaleString('en-US')}
        </span>
      )}
    </div>
  )
}

function summary(s: State) {
  const counts: number[] = []
  let untold = 0
  let low = missing
  let high = -1
  for (const raw of s.raw) {
    if (raw === missing) untold++
    else if (s.names) counts[raw] = (counts[raw] ?? 0) + 1
    else {
      if (raw < low) low = raw
      if (raw > high) high = raw
    }
  }
  const value = (raw: number) => (high < 0 ? null : s.offset + s.scale * raw)
  return { counts, untold, low: value(low), high: value(high) }
}


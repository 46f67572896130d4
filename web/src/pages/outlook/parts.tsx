import { Alert, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { digits, share } from './words'
import './outlook.css'

/** Where a number is from: its formula, what went in, its source. */
export function Origin({ n, more }: { n: Schema['MarketNumber']; more?: ReactNode }) {
  return (
    <>
      <b>{n.kind === 'reckoned' ? 'Reckoned' : n.kind === 'entered' ? 'Entered by hand' : 'Quoted'}</b>
      {n.formula && <div>{n.formula}</div>}
      {n.inputs && n.inputs.length > 0 && (
        <ul style={{ margin: '4px 0', paddingLeft: 18 }}>
          {n.inputs.map((i) => (
            <li key={i.name}>
              {i.name}: {digits(i.value)} {i.unit}
            </li>
          ))}
        </ul>
      )}
      <div style={{ overflowWrap: 'anywhere' }}>Source: {n.source}</div>
      {more}
    </>
  )
}

/** A probability with its standard error, as a number and as a bar. */
export function Dial({ name, c, note }: { name: string; c: Schema['StressChance'] | undefined; note?: string }) {
  const known = c && c.n > 0
  const lo = known ? Math.max(0, c.p - 2 * c.error) : 0
  const hi = known ? Math.min(1, c.p + 2 * c.error) : 0
  return (
    <div className="dial">
      <span>
        {name}
        {note && (
          <Text span fz="xs" c="dimmed" display="block">
            {note}
          </Text>
        )}
      </span>
      <b>
        {known ? share(c.p) : '–'} {known && <small>± {share(c.error, 2)}</small>}
      </b>
      <span className="bar" role="img" aria-label={known ? `${name}: ${share(c.p)}, one standard error ${share(c.error, 2)}` : `${name}: not known`}>
        <i style={{ width: `${100 * (known ? c.p : 0)}%` }} />
        {known && <u style={{ left: `${100 * lo}%`, width: `${Math.max(0.3, 100 * (hi - lo))}%` }} />}
      </span>
    </div>
  )
}

/** Said on every page whose market does not exist. */
export function Simulated({ what }: { what: string }) {
  return (
    <Alert color="grape" my="sm" title="Simulated" data-testid="simulated">
      <Text fz="sm">{what}</Text>
    </Alert>
  )
}

/** A table that scrolls by itself where it is too wide. */
export function Wide({ label, children, testid }: { label: string; children: ReactNode; testid?: string }) {
  return (
    // biome-ignore lint: a region that scrolls must be reached by keyboard
    <div className="wide" role="region" aria-label={label} tabIndex={0} data-testid={testid}>
      <table className="facts">{children}</table>
    </div>
  )
}

import { Badge } from '@mantine/core'
import type { ReactNode } from 'react'
import { span } from '../format'

/** Something that Ballast or a person decided: what, why, which limit bound,
 * what it is worth, and how to overrule it. */
export interface DecisionProps {
  what: ReactNode
  why: ReactNode
  /** The constraint that bound, when one did. */
  bound?: string
  /** Dollars against doing nothing, when it is known. */
  value?: string
  /** Unix milliseconds. */
  at: number
  by: string
  /** How it went, as telemetry tells. */
  outcome?: ReactNode
  /** Machines that telemetry shows to have done it, of all. */
  confirmed?: { done: number; of: number }
  overrule?: ReactNode
}

export function Decision({ what, why, bound, value, at, by, outcome, confirmed, overrule }: DecisionProps) {
  const some = bound || value || outcome || overrule || confirmed
  return (
    <article className="decision">
      <div className="what">
        <span style={{ minWidth: 0, overflowWrap: 'anywhere' }}>{what}</span>
        <time className="when" dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
          {span((Date.now() - at) / 1000)} ago{by && ` · ${by}`}
        </time>
      </div>
      {why && <div className="why">{why}</div>}
      {some && (
        <div className="facts-line">
          {confirmed && <Confirmed {...confirmed} />}
          {outcome}
          {bound && (
            <Badge size="sm" variant="outline" color="gray" c="inherit">
              bound by {bound}
            </Badge>
          )}
          {value && (
            <Badge size="sm" variant="light" color="teal">
              {value}
            </Badge>
          )}
          {overrule}
        </div>
      )}
    </article>
  )
}

/** "confirmed by telemetry 180 of 200", with a bar that fills. */
function Confirmed({ done, of }: { done: number; of: number }) {
  return (
    <span className="confirmed">
      <span className="meter" aria-hidden>
        <span style={{ width: `${of > 0 ? (100 * done) / of : 0}%` }} />
      </span>
      confirmed by telemetry {done.toLocaleString('en-US')} of {of.toLocaleString('en-US')}
    </span>
  )
}

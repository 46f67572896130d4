import type { CSSProperties } from 'react'
import { stateOf } from './actions'

/** The state of a command: its word with the mark of what it means. */
export function CommandState({ of, count }: { of: string; count?: number }) {
  const s = stateOf(of)
  return (
    <span className="cond" title={s?.means}>
      <span aria-hidden className={'dot ' + (s?.colour ?? 'unknown')} style={{ background: `var(--${s?.colour})`, '--c': `var(--${s?.colour})` } as CSSProperties} />
      {count !== undefined && `${count.toLocaleString('en-US')} `}
      {of}
    </span>
  )
}

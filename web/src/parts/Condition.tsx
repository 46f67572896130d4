import type { CSSProperties } from 'react'

/** The conditions in the order to show them, with what each means. */
export const conditions: [string, string][] = [
  ['hashing', 'hashes as it should'],
  ['degraded', 'hashes, but less than it should or with a fault'],
  ['starting', 'boots, tunes or ramps up'],
  ['sleeping', 'off on purpose'],
  ['down', 'answers, does not hash, and should'],
  ['silent', 'does not answer'],
  ['locked', 'wants a password that Ballast does not have'],
  ['unknown', 'not read yet, or cannot be read'],
]

export function Condition({ of }: { of: string }) {
  return (
    <span className="cond">
      <Dot of={of} />
      {of}
    </span>
  )
}

export function Dot({ of }: { of: string }) {
  return <span aria-hidden className={'dot ' + of} style={{ background: `var(--${of})`, '--c': `var(--${of})` } as CSSProperties} />
}

import type { ReactNode } from 'react'

/** A number with its name, unit and where it comes from. */
export function Figure({ name, value, unit, note, source, stale }: { name: string; value: string; unit?: string; note?: ReactNode; source: string; stale?: boolean }) {
  return (
    <div className={'figure' + (stale ? ' stale' : '')} title={source}>
      <div className="name">{name}</div>
      <div className="value">
        {value}
        {unit && <span className="unit">{unit}</span>}
      </div>
      {note && <div className="note">{note}</div>}
    </div>
  )
}

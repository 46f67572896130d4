import { useState } from 'react'
import { dash } from '../../format'
import { Opens } from './parts'
import type { Figure } from './words'

const names: Record<string, string> = { 'ratio-index': 'market index', 'ratio-replacement': 'replacement', 'ratio-liquidation': 'liquidation', 'ratio-option': 'option value' }

/** The ratio on each basis, on one scale with the two lines that the claim
 * draws. The bases are four answers to four questions: they share the scale and
 * nothing else. */
export function Scale({ ratios, says }: { ratios: Figure[]; says: { basis: string; says: string }[] }) {
  const [hover, setHover] = useState('')
  const lines = ratios[0]?.lines ?? []
  const most = Math.max(2.4, ...ratios.map((r) => Math.min(r.value ?? 0, 8))) * 1.06
  const x = (v: number) => `${(100 * Math.min(v, most)) / most}%`
  return (
    <div className="scale" data-testid="scale">
      <div style={{ position: 'relative', height: 18, marginLeft: 110, marginRight: 56 }} aria-hidden>
        {lines.map((l) => (
          <span key={l.at} className="diff" style={{ position: 'absolute', left: x(l.at), transform: 'translateX(-50%)', whiteSpace: 'nowrap' }}>
            {l.at}
          </span>
        ))}
      </div>
      {ratios.map((r) => (
        <div key={r.key} style={{ display: 'grid', gridTemplateColumns: '110px minmax(0,1fr) 56px', alignItems: 'center', height: 30 }} onMouseEnter={() => setHover(r.key)} onMouseLeave={() => setHover('')}>
          <span style={{ fontSize: 13 }}>{names[r.key]}</span>
          <span style={{ position: 'relative', height: 12, background: 'var(--line)', borderRadius: 3, overflow: 'visible' }}>
            {typeof r.value === 'number' && <span style={{ position: 'absolute', inset: 0, width: x(r.value), background: 'light-dark(#3f88c9, #64a1d6)', borderRadius: 3 }} />}
            {lines.map((l) => (
              <span key={l.at} title={l.claim} style={{ position: 'absolute', left: x(l.at), top: -9, bottom: -9, borderLeft: '2px dashed var(--dim)' }} />
            ))}
          </span>
          <span style={{ textAlign: 'right', fontWeight: 600 }}>
            <Opens f={r}>{r.text}</Opens>
          </span>
        </div>
      ))}
      <p className="diff" style={{ margin: '8px 0 0' }}>
        {hover ? (says.find((s) => `ratio-${s.basis}` === hover)?.says ?? dash) : lines.map((l) => `${l.at}: ${l.claim}`).join(' · ')}
      </p>
    </div>
  )
}

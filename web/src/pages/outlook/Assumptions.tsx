import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import { Wide } from './parts'
import { digits } from './words'

const from: Record<string, string> = { market: 'market', entered: 'entered', fleet: 'measured', record: 'books', assumed: 'assumed' }

/** Everything that went in, and where it is from. */
export function Assumptions({ o }: { o: Schema['PlayOutcome'] }) {
  const all = o.assumptions ?? []
  const weak = all.filter((a) => a.from === 'assumed')
  const [which, setWhich] = useState('weak')
  const rows = which === 'weak' ? weak : all
  return (
    <section aria-label="What went in">
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'baseline', gap: 12, flexWrap: 'wrap' }}>
        <h2 className="part">What went in</h2>
        <SegmentedControl size="xs" aria-label="Which numbers" value={which} onChange={setWhich} data={[{ value: 'weak', label: `${weak.length} assumed` }, { value: 'all', label: `all ${all.length}` }]} />
      </div>
      <Wide label="Assumptions" testid="assumptions">
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col" className="num">Value</th>
            <th scope="col">From</th>
            <th scope="col">Source</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((a, i) => (
            <tr key={`${a.name}${i}`}>
              <th scope="row" className="say">{a.name}</th>
              <td className="num">
                {digits(a.value)} {a.unit}
              </td>
              <td>{from[a.from] ?? a.from}</td>
              <td className="say">{a.source}</td>
            </tr>
          ))}
        </tbody>
      </Wide>
    </section>
  )
}

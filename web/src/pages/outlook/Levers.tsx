import { Button, Checkbox, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Trouble } from '../../parts/Trouble'
import { useEdit } from '../../parts/useEdit'
import { Wide } from './parts'
import type { Scenario } from './run'
import { change, share, times, usd } from './words'

type Lever = Schema['PlayLever']
type Base = Schema['OutlookBase']

const byName = (all: Lever[]): Record<string, Lever> => Object.fromEntries(all.map((l) => [l.name, l]))

/** What each lever did, on the same futures. */
export function LeverOutcomes({ o }: { o: Schema['PlayOutcome'] }) {
  const idle = (o.levers ?? []).filter((l) => l.name !== 'all').every((l) => l.with.ratio_median === l.without.ratio_median && l.with.default.p === l.without.default.p && l.with.lowest_usd === l.without.lowest_usd)
  return (
    <section aria-label="With and without each lever">
      <h2 className="mpart">With and without each lever, on the same futures</h2>
      {idle && (
        <Text fz="sm" data-testid="idle-levers">
          The levers change nothing yet: no effect is measured or entered. Enter what you assume below, and play again.
        </Text>
      )}
      <Wide label="Levers, with and without" testid="lever-outcomes">
        <thead>
          <tr>
            <th scope="col">Lever, others off</th>
            <th scope="col">Its effect is</th>
            <th scope="col" className="num">Ratio, median</th>
            <th scope="col" className="num">Under {o.scenario.line}</th>
            <th scope="col" className="num">Default</th>
            <th scope="col" className="num">Lowest liquidity</th>
          </tr>
        </thead>
        <tbody>
          {(o.levers ?? []).map((l) => (
            <tr key={l.name} className={l.name === 'all' ? 'best' : undefined}>
              <th scope="row">{l.title || l.name}</th>
              <td>{l.evidence === 'measured' ? 'measured' : 'assumed'}</td>
              <td className="num">
                {times(l.without.ratio_median)} → {times(l.with.ratio_median)}
              </td>
              <td className="num">
                {share(l.without.under_line.p)} → {share(l.with.under_line.p)}
              </td>
              <td className="num">
                {share(l.without.default.p)} → {share(l.with.default.p)}
              </td>
              <td className="num">
                {usd(l.without.lowest_usd)} → {usd(l.with.lowest_usd)}
              </td>
            </tr>
          ))}
        </tbody>
      </Wide>
    </section>
  )
}

const fields: { key: 'uptime' | 'power' | 'j_per_th' | 'fixed_usd_day'; title: string; scale: number; unit: string }[] = [
  { key: 'uptime', title: 'More time hashing', scale: 100, unit: 'points' },
  { key: 'power', title: 'Power costs', scale: 100, unit: '%' },
  { key: 'j_per_th', title: 'J/TH', scale: 100, unit: '%' },
  { key: 'fixed_usd_day', title: 'Fixed costs', scale: 1, unit: '$ a day' },
]

/** The levers and their effects: measured by Ballast, or what somebody assumes. */
export function Levers({ base, scenario, onChange }: { base: Base; scenario: Scenario; onChange: (levers: Lever[]) => void }) {
  const cache = useQueryClient()
  const levers = scenario.levers ?? []
  const edit = useEdit<Base, Record<string, Lever>>({ was: base, version: (b) => b.levers_version, draftOf: (b) => byName(b.scenario.levers ?? []), draft: byName(levers), setDraft: (d) => onChange(Object.values(d)), newest: () => ask<Base>('GET', '/outlook'), names: Object.fromEntries(levers.map((l) => [l.name, l.title || l.name])) })
  const [error, setError] = useState<Error>()
  const [kept, setKept] = useState(false)
  const set = (i: number, l: Lever) => {
    setKept(false)
    onChange(levers.map((x, k) => (k === i ? l : x)))
  }
  const keep = async () => {
    setError(undefined)
    try {
      await ask('PUT', '/outlook/levers', { levers }, undefined, edit.headers)
      edit.rebase(await ask<Base>('GET', '/outlook'))
      setKept(true)
      await cache.invalidateQueries({ queryKey: ['outlook'] })
    } catch (e) {
      setError(e as Error)
    }
  }
  return (
    <section aria-label="Levers">
      <h2 className="mpart">Levers</h2>
      <Text fz="sm" c="dimmed">
        What Ballast's machine learning is worth enters as its measured effect. What is not measured yet is entered by hand and stays marked as assumed.
      </Text>
      <Wide label="Effects of the levers" testid="levers">
        <thead>
          <tr>
            <th scope="col">Lever</th>
            {fields.map((f) => (
              <th key={f.key} scope="col" className="num">
                {f.title}, {f.unit}
              </th>
            ))}
            <th scope="col">Evidence</th>
            <th scope="col">Source</th>
          </tr>
        </thead>
        <tbody>
          {levers.map((l, i) => (
            <tr key={l.name}>
              <th scope="row">
                <Checkbox size="xs" label={l.title || l.name} checked={l.on} onChange={(e) => set(i, { ...l, on: e.currentTarget.checked })} />
              </th>
              {fields.map((f) => (
                <td key={f.key} className="num">
                  <input
                    type="number"
                    step="any"
                    className="cell"
                    aria-label={`${l.title || l.name}: ${f.title}, ${f.unit}`}
                    style={{ width: 84, textAlign: 'right', font: 'inherit', padding: '3px 6px', border: '1px solid var(--mantine-color-default-border)', borderRadius: 4, background: 'transparent', color: 'inherit' }}
                    value={l[f.key] ? Number(((l[f.key] ?? 0) * f.scale).toPrecision(6)) : ''}
                    placeholder="0"
                    disabled={l.evidence === 'measured'}
                    onChange={(e) => set(i, { ...l, [f.key]: e.currentTarget.value === '' ? 0 : Number(e.currentTarget.value) / f.scale, source: 'entered by hand' })}
                  />
                </td>
              ))}
              <td>{l.evidence}</td>
              <td className="say">{l.source}</td>
            </tr>
          ))}
        </tbody>
      </Wide>
      <Button size="xs" variant="default" mt={8} onClick={() => void keep()}>
        Keep these effects
      </Button>
      <Text span fz="sm" ml={10} role="status">
        {kept ? 'Kept: every new outlook begins with them.' : ''}
      </Text>
      {edit.says(error, () => setError(undefined)) ?? (error && <Trouble what="The effects were not kept" error={error} />)}
      <Text fz="xs" c="dimmed" mt={4}>
        Power costs {change(-0.05, 0)} means five per cent cheaper power; negative J/TH takes less power for the same hashrate.
      </Text>
    </section>
  )
}

import { Button, Group, Text, TextInput } from '@mantine/core'
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Trouble } from '../../parts/Trouble'
import { Wide } from './parts'
import type { Run, Scenario } from './run'
import { at, change, share, times, usd } from './words'

type Saved = Schema['SavedScenario']

/** Saved scenarios side by side: what they assume that others do not, and what
 * came out the last time they were played. */
export function Compare({ scenario, onLoad }: { scenario: Scenario; onLoad: (s: Scenario) => void }) {
  const cache = useQueryClient()
  const q = useQuery({ queryKey: ['scenarios'], queryFn: ({ signal }) => ask<Saved[]>('GET', '/outlook/scenarios', undefined, signal) })
  const saved = q.data ?? []
  const heads = useQueries({ queries: saved.map((s) => ({ queryKey: ['runs', s.id], queryFn: ({ signal }: { signal: AbortSignal }) => ask<Run[]>('GET', `/outlook/runs?scenario=${s.id}&limit=5`, undefined, signal), refetchInterval: 3_000 })) })
  const newest = heads.map((h) => h.data?.find((r) => r.state === 'done')?.id)
  const runs = useQueries({ queries: newest.map((id) => ({ queryKey: ['run', id], queryFn: ({ signal }: { signal: AbortSignal }) => ask<Run>('GET', `/outlook/runs/${id}`, undefined, signal), enabled: id !== undefined, staleTime: Number.POSITIVE_INFINITY })) })
  const [name, setName] = useState('')
  const [error, setError] = useState<Error>()
  const act = async (what: () => Promise<unknown>) => {
    setError(undefined)
    try {
      await what()
      await cache.invalidateQueries({ queryKey: ['scenarios'] })
      await cache.invalidateQueries({ queryKey: ['runs'] })
      return true
    } catch (e) {
      setError(e as Error)
      return false
    }
  }
  return (
    <section aria-label="Scenarios">
      <h2 className="part">Scenarios</h2>
      <form
        style={{ display: 'flex', gap: 10, alignItems: 'flex-end', flexWrap: 'wrap', marginBottom: 8 }}
        onSubmit={(e) => {
          e.preventDefault()
          void act(async () => {
            const s = await ask<Saved>('POST', '/outlook/scenarios', { name: name.trim(), scenario })
            await ask('POST', '/outlook/runs', { scenario: s.scenario, of: s.id, name: s.name })
          }).then((ok) => ok && setName(''))
        }}
      >
        <TextInput label="Save what is set above as" size="xs" w={260} value={name} onChange={(e) => setName(e.currentTarget.value)} maxLength={200} required />
        <Button type="submit" size="xs" variant="default" disabled={!name.trim()}>
          Save and play
        </Button>
      </form>
      {error && <Trouble what="It was not done" error={error} />}
      {q.error && <Trouble what="The scenarios cannot be shown" error={q.error} />}
      {q.data && saved.length === 0 && (
        <Text fz="sm" c="dimmed">
          None is saved. A saved scenario keeps its assumptions and every run of it, so that two boards can look at the same numbers.
        </Text>
      )}
      {saved.length > 0 && (
        <Wide label="Scenarios compared" testid="compare">
          <thead>
            <tr>
              <th scope="col">Scenario</th>
              <th scope="col">It assumes</th>
              <th scope="col" className="num">Until</th>
              <th scope="col" className="num">Ratio, median</th>
              <th scope="col" className="num">Under its line</th>
              <th scope="col" className="num">Default</th>
              <th scope="col" className="num">Network falls</th>
              <th scope="col" className="num">Lowest liquidity</th>
              <th scope="col">
                <span className="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {saved.map((s, i) => {
              const r = runs[i]?.data?.outcome?.result
              return (
                <tr key={s.id}>
                  <th scope="row">
                    {s.name}
                    <Text fz="xs" c="dimmed">
                      {s.actor}, {new Date(s.updated_at).toLocaleDateString()}
                    </Text>
                  </th>
                  <td className="say">{differs(s.scenario)}</td>
                  <td className="num">{s.scenario.to}</td>
                  <td className="num">{r ? times(at(r.ratio, 0.5)?.value) : '–'}</td>
                  <td className="num">{r ? `${share(r.under_line.p)} (${s.scenario.line})` : '–'}</td>
                  <td className="num">{r ? share(r.default.p) : '–'}</td>
                  <td className="num">{r ? share(r.falls.p) : '–'}</td>
                  <td className="num">{r ? usd(at(r.lowest, 0.5)?.value) : heads[i]?.data?.some((x) => x.state === 'running' || x.state === 'waiting') ? 'plays' : '–'}</td>
                  <td>
                    <Group gap={4} wrap="nowrap">
                      <Button size="compact-xs" variant="subtle" onClick={() => onLoad(s.scenario)} aria-label={`Set everything as in ${s.name}`}>
                        Load
                      </Button>
                      <Button size="compact-xs" variant="subtle" onClick={() => void act(() => ask('POST', '/outlook/runs', { scenario: s.scenario, of: s.id, name: s.name }))} aria-label={`Play ${s.name} again`}>
                        Play
                      </Button>
                      <Button size="compact-xs" variant="subtle" color="gray" onClick={() => void act(() => ask('DELETE', `/outlook/scenarios/${s.id}`))} aria-label={`Remove ${s.name}`}>
                        Remove
                      </Button>
                    </Group>
                  </td>
                </tr>
              )
            })}
          </tbody>
        </Wide>
      )}
    </section>
  )
}

/** What a scenario sets, in a line. */
function differs(s: Scenario): string {
  const m = s.market ?? {}
  const p = s.policy ?? {}
  const out: string[] = []
  if (m.price_shock) out.push(`bitcoin ${change(m.price_shock, 0)}`)
  if (m.difficulty_shock) out.push(`difficulty ${change(m.difficulty_shock, 0)}`)
  if (m.power_shock) out.push(`power ${change(m.power_shock, 0)}`)
  if (m.model) out.push(m.model)
  if (m.drift) out.push(`price grows ${change(m.drift, 0)} a year`)
  if (p.sell) out.push(`sells ${share(p.sell, 0)} of coins`)
  if (p.cover) out.push(`covers ${share(p.cover, 0)} of costs`)
  if (p.forward) out.push(`${share(p.forward, 0)} hashprice forward`)
  if (p.power_forward) out.push(`${share(p.power_forward, 0)} power forward`)
  if (p.borrow) out.push(`borrows up to ${usd(p.borrow.most_usd)} on coins`)
  const on = (s.levers ?? []).filter((l) => l.on && (l.uptime || l.power || l.j_per_th || l.fixed_usd_day)).map((l) => l.name)
  if (on.length > 0) out.push(`levers ${on.join(', ')}`)
  return out.join('; ') || 'nothing out of the ordinary'
}

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Work } from '../../parts/Work'
import { grouped } from './words'

export type Scenario = Schema['PlayScenario']
export type Run = Schema['ScenarioRun']

const over = (r: Run | undefined) => r !== undefined && r.state !== 'waiting' && r.state !== 'running'

/** One run of a scenario: starts it, follows it, cancels it. */
export function useRun(first?: number) {
  const cache = useQueryClient()
  const [own, setOwn] = useState<number>()
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const id = own ?? first
  const q = useQuery({
    queryKey: ['run', id],
    queryFn: ({ signal }) => ask<Run>('GET', `/outlook/runs/${id}`, undefined, signal),
    enabled: id !== undefined,
    refetchInterval: (s) => (over(s.state.data) ? false : 400),
  })
  const start = async (scenario: Scenario, more: { of?: number; name?: string } = {}) => {
    setBusy(true)
    setError(undefined)
    try {
      const r = await ask<Run>('POST', '/outlook/runs', { scenario, ...more })
      setOwn(r.id)
      void cache.invalidateQueries({ queryKey: ['runs'] })
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy(false)
    }
  }
  const cancel = async () => {
    try {
      await ask('DELETE', `/outlook/runs/${id}`)
    } catch (e) {
      setError(e as Error)
    }
    await q.refetch()
  }
  const playing = busy || (own !== undefined && !over(q.data))
  return { run: q.data, start, cancel, playing, error: error ?? (id !== undefined ? q.error : null) }
}

/** How far a run has come, or why it stopped. */
export function Progress({ run, paths, onCancel }: { run: Run | undefined; paths: number; onCancel: () => void }) {
  if (!run || run.state === 'done') return null
  const failed = run.state === 'failed' ? run.detail || 'it failed' : run.state === 'cancelled' ? 'cancelled' : undefined
  return <Work what={`Playing ${grouped(paths)} futures`} done={Math.round(100 * run.done)} total={100} note={run.state === 'waiting' ? 'waits for another run' : 'percent done'} onCancel={failed ? undefined : onCancel} failed={failed} />
}

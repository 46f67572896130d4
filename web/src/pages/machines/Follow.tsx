import { Alert, Button, Group, Modal, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ask } from '../../api/client'
import { liveNow } from '../../api/live'
import { fixed, span } from '../../format'
import { Trouble } from '../../parts/Trouble'
import { Work } from '../../parts/Work'
import { type Batch, type Command, states, wishWords } from './actions'
import { CommandState } from './CommandState'
import { Refusals } from './CommandDialog'

/** A batch, asked for again until it is settled. */
export function useBatch(id: string) {
  return useQuery({ queryKey: ['batches', id], queryFn: ({ signal }) => ask<Batch>('GET', `/batches/${encodeURIComponent(id)}`, undefined, signal), refetchInterval: (q) => (q.state.data?.open === 0 ? false : 1000) })
}

/** Watches a batch until telemetry has confirmed it, in a window of its own. */
export function Follow({ id, onClose }: { id: string; onClose: () => void }) {
  const q = useBatch(id)
  return (
    <Modal opened onClose={onClose} title={q.data ? wishWords(q.data.kind, q.data.setting) : 'Command'} size="lg">
      {q.error && !q.data ? <Trouble what="The command cannot be followed" error={q.error} again={() => void q.refetch()} /> : q.data ? <Progress batch={q.data} waits /> : <Text>…</Text>}
      <Group justify="space-between" mt="md">
        <Link className="link" to="/commands/$id" params={{ id }}>
          Its own page
        </Link>
        <Button onClick={onClose}>{q.data?.open === 0 ? 'Close' : 'Close; it goes on'}</Button>
      </Group>
    </Modal>
  )
}

/** How far a batch is, state by state, and which machines did not. */
export function Progress({ batch, waits }: { batch: Batch; waits?: boolean }) {
  const queries = useQueryClient()
  const cancel = useMutation({
    mutationFn: () => ask<{ cancelled: number }>('POST', `/batches/${encodeURIComponent(batch.id)}/cancel`, {}),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['batches'] }),
  })
  const settled = batch.machines - batch.open
  const pending = batch.states.pending ?? 0
  const failed = batch.failed ?? []
  const waiting = batch.waiting ?? []
  return (
    <div data-testid="progress">
      <Work
        what={batch.open > 0 ? 'Waiting for telemetry to confirm' : failed.length > 0 ? 'Settled; not all did' : 'Settled'}
        done={settled}
        total={batch.machines}
        note={batch.median_s != null ? `half of those confirmed within ${seconds(batch.median_s)}, all within ${seconds(batch.max_s)}` : batch.open > 0 ? 'an acknowledgement does not count' : undefined}
        onCancel={pending > 0 && !cancel.isPending ? () => cancel.mutate() : undefined}
        cancel={`Take back the ${fixed(pending, 0)} not sent`}
      />
      <div className="map-legend" data-testid="states" role="status">
        {states.map((s) => (batch.states[s.key] ? <CommandState key={s.key} of={s.key} count={batch.states[s.key]} /> : null))}
      </div>
      {cancel.error && (
        <Alert color="red" role="alert" my="xs">
          {cancel.error.message}
        </Alert>
      )}
      {cancel.data && (
        <Text fz="sm" role="status">
          {fixed(cancel.data.cancelled, 0)} taken back. What was sent already goes on.
        </Text>
      )}
      {(batch.refused?.length ?? 0) > 0 && <Refusals reasons={batch.refused!} />}
      <Some title="Did not" list={failed} />
      {waits && waiting.length > 0 && waiting.length <= 40 && <Some title="Still waiting" list={waiting} />}
    </div>
  )
}

const seconds = (s: number | null | undefined) => (s == null ? '–' : s < 10 ? `${fixed(s, 1)} s` : s < 60 ? `${fixed(s, 0)} s` : span(s))

function Some({ title, list }: { title: string; list: Command[] }) {
  if (list.length === 0) return null
  return (
    <>
      <Text fz="sm" fw={600} mt="sm">
        {title}
      </Text>
      <ul className="plainlist scroll" tabIndex={0} aria-label={title}>
        {list.slice(0, 200).map((c) => (
          <li key={c.id}>
            <Link className="link" to="/machines/$id" params={{ id: String(c.machine) }}>
              {liveNow().rows.get(c.machine)?.name ?? `machine ${c.machine}`}
            </Link>{' '}
            <CommandState of={c.state} /> {c.detail?.startsWith(c.state) ? '' : c.detail}
          </li>
        ))}
        {list.length > 200 && <li>and {fixed(list.length - 200, 0)} more</li>}
      </ul>
    </>
  )
}

import { Loader, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { ask } from '../../api/client'
import { fixed } from '../../format'
import { DataTable } from '../../parts/DataTable'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { type Command, wishWords } from './actions'
import { commandColumns } from './Commands'
import { Progress, useBatch } from './Follow'

/** One batch: what was asked, how far it is, and every command of it. */
export function BatchPage() {
  const { id } = useParams({ from: '/frame/commands/$id' })
  const go = useNavigate()
  const batch = useBatch(id)
  const list = useQuery({ queryKey: ['batches', id, 'commands'], queryFn: ({ signal }) => ask<Command[]>('GET', `/commands?batch=${encodeURIComponent(id)}&limit=1000`, undefined, signal), refetchInterval: batch.data?.open === 0 ? false : 2000 })
  if (batch.error && !batch.data) return <Trouble what="This command cannot be shown" error={batch.error} again={() => void batch.refetch()} />
  if (!batch.data) return <Loader size="sm" aria-label="loading" />
  const b = batch.data
  return (
    <Page
      title={wishWords(b.kind, b.setting)}
      note={
        <>
          {fixed(b.machines, 0)} {b.machines === 1 ? 'machine' : 'machines'}, asked for by {b.actor} at {new Date(b.created_at).toLocaleString()}
          {b.reason && `: ${b.reason}`}
          {b.cancelled_at && `. Taken back by ${b.cancelled_by} at ${new Date(b.cancelled_at).toLocaleString()}, as far as it was not sent.`}
        </>
      }
      actions={<Link className="link" to="/commands">All commands</Link>}
    >
      <Progress batch={b} />
      <Title order={2} mt="lg" mb="xs">
        Machine by machine
      </Title>
      {list.error ? <Trouble what="The commands cannot be shown" error={list.error} /> : list.data ? <DataTable label="Commands" testid="commands" rows={list.data} columns={commandColumns} id={(c) => c.id} onOpen={(c) => void go({ to: '/commands/one/$id', params: { id: c.id } })} /> : <Loader size="sm" aria-label="loading" />}
      {b.machines > 1000 && (
        <Text fz="xs" c="dimmed">
          The newest 1,000 of {fixed(b.machines, 0)}.
        </Text>
      )}
    </Page>
  )
}

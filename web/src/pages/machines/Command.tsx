import { Loader, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { ask, type Schema } from '../../api/client'
import { fixed, span } from '../../format'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { stateOf, wishWords } from './actions'
import { MachineName } from './Commands'
import { CommandState } from './CommandState'

type Life = Schema['CommandLife']

/** One command's life, step by step. */
export function CommandPage() {
  const { id } = useParams({ from: '/frame/commands/one/$id' })
  const q = useQuery({ queryKey: ['commands', id], queryFn: ({ signal }) => ask<Life>('GET', `/commands/${encodeURIComponent(id)}`, undefined, signal), refetchInterval: (s) => (s.state.data && stateOf(s.state.data.command.state)?.settled ? 15_000 : 1000) })
  if (q.error && !q.data) return <Trouble what="This command cannot be shown" error={q.error} again={() => void q.refetch()} />
  if (!q.data) return <Loader size="sm" aria-label="loading" />
  const { command: c, events } = q.data
  const began = Date.parse(c.created_at)
  return (
    <Page
      title={wishWords(c.kind, c.setting)}
      note={
        <>
          <Link className="link" to="/machines/$id" params={{ id: String(c.machine) }}>
            <MachineName id={c.machine} />
          </Link>
          , asked for by {c.actor}
          {c.reason && `: ${c.reason}`}
        </>
      }
      actions={
        c.batch ? (
          <Link className="link" to="/commands/$id" params={{ id: c.batch }}>
            All that was asked with it
          </Link>
        ) : (
          <Link className="link" to="/commands">All commands</Link>
        )
      }
    >
      <Text mb="sm">
        <CommandState of={c.state} />: {stateOf(c.state)?.means}.
        {c.confirmed_at && ` First confirmed after ${fixed((Date.parse(c.confirmed_at) - began) / 1000, 1)} s.`}
        {c.deadline && !stateOf(c.state)?.settled && ` Deadline ${new Date(c.deadline).toLocaleTimeString()}.`}
        {c.attempts > 1 && ` Sent ${c.attempts} times.`}
      </Text>
      <ol className="life" data-testid="life">
        {(events ?? []).map((e) => {
          const after = (Date.parse(e.at) - began) / 1000
          return (
            <li key={e.seq}>
              <span className="at" title={new Date(e.at).toLocaleString()}>
                {after < 1 && e.seq === 1 ? new Date(e.at).toLocaleTimeString() : `+${after < 120 ? `${fixed(after, 1)} s` : span(after)}`}
              </span>
              <CommandState of={e.to} />
              <span>
                {e.detail} <Text span fz="xs" c="dimmed">{e.actor}</Text>
              </span>
            </li>
          )
        })}
      </ol>
    </Page>
  )
}

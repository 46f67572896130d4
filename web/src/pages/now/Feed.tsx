import { Anchor, Skeleton, Text } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Activity, ActivityBody } from '../../api/client'
import { useLive } from '../../api/live'
import { Decision } from '../../parts/Decision'
import { Trouble } from '../../parts/Trouble'
import { confirmed, rest, what, why } from './words'

/** What Ballast and its people did in the last hour, and why. */
export function Feed({ q }: { q: UseQueryResult<ActivityBody> }) {
  const since = Date.now() - 3600_000
  const items = (q.data?.items ?? []).filter((a) => Date.parse(a.until) >= since)
  return (
    <section className="panel" aria-label="What happened in the last hour" data-testid="feed">
      <h2>What Ballast did in the last hour, and why</h2>
      {q.error && !q.data ? (
        <Trouble what="What happened cannot be shown" error={q.error} again={() => void q.refetch()} />
      ) : !q.data ? (
        <Skeleton h={120} role="img" aria-label="loading what happened" />
      ) : items.length === 0 ? (
        <Text fz="sm" c="dimmed">
          Nothing: no command was given, no machine was found or lost. Machines keep their settings.
        </Text>
      ) : (
        <div className="feed" tabIndex={0} role="region" aria-label="Decisions and events">
          {items.map((a) => (
            <One key={a.id} a={a} />
          ))}
          {q.data.more && (
            <Text fz="xs" c="dimmed" py={6}>
              There was more than is shown here.
            </Text>
          )}
        </div>
      )}
    </section>
  )
}

function One({ a }: { a: Activity }) {
  const others = rest(a.states)
  return (
    <Decision
      what={what(a)}
      why={why(a)}
      at={Date.parse(a.until)}
      by={a.actor ?? ''}
      confirmed={a.kind === 'command' ? confirmed(a.states) : undefined}
      outcome={
        <>
          {others && <span>{others}</span>}
          {a.kind === 'command' && a.trouble && <span className="told">“{a.trouble}”</span>}
          <Which a={a} />
        </>
      }
    />
  )
}

/** The machines that it is about: by name when they are few, else the list. */
function Which({ a }: { a: Activity }) {
  const { rows } = useLive()
  if (a.kind === 'lost' && a.machines > 3)
    return (
      <Anchor component={Link} to={'/machines' as string} search={{ condition: 'silent' } as never} fz="sm">
        which
      </Anchor>
    )
  const ids = (a.ids ?? []).slice(0, 3)
  if (ids.length === 0 || a.kind === 'scan') return null
  return (
    <span>
      {ids.map((id, i) => (
        <span key={id}>
          {i > 0 && ', '}
          <Anchor component={Link} to="/machines/$id" params={{ id: String(id) } as never} fz="sm">
            {rows.get(id)?.name ?? `machine ${id}`}
          </Anchor>
        </span>
      ))}
      {a.machines > ids.length && ` and ${(a.machines - ids.length).toLocaleString('en-US')} more`}
    </span>
  )
}

import { Badge, Button, Skeleton, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ask } from '../../api/client'
import { Trouble } from '../../parts/Trouble'
import { Ago, day, Part, type Session, Wrong } from './access'

const by = { password: 'by password', passkey: 'by passkey', oidc: 'at the provider', link: 'by a one-time link' }

/** Where one is signed in, and how to end that. */
export function Sessions() {
  const queries = useQueryClient()
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: ({ signal }) => ask<Session[]>('GET', '/account/sessions', undefined, signal), refetchInterval: 30_000 })
  const again = () => void queries.invalidateQueries({ queryKey: ['sessions'] })
  const end = useMutation({ mutationFn: (id: number) => ask('DELETE', `/account/sessions/${id}`), onSettled: again })
  const others = useMutation({ mutationFn: () => ask<{ ended: number }>('DELETE', '/account/sessions'), onSettled: again })
  const more = (sessions.data?.length ?? 0) > 1
  return (
    <Part
      title="Where you are signed in"
      note="A session ends after three days without use, and after two weeks in any case."
      actions={
        <Button variant="default" disabled={!more} loading={others.isPending} onClick={() => others.mutate()}>
          Sign out everywhere else
        </Button>
      }
    >
      <Wrong error={end.error ?? others.error} />
      {sessions.error ? (
        <Trouble what="Your sessions could not be read" error={sessions.error} again={() => void sessions.refetch()} />
      ) : !sessions.data ? (
        <Skeleton h={80} aria-label="loading" />
      ) : (
        <ul className="items" data-testid="sessions">
          {sessions.data.toSorted((a, b) => Number(b.current) - Number(a.current)).map((s) => (
            <li key={s.id}>
              <div>
                <Text fz="sm" fw={500} title={s.agent}>
                  {s.device}{' '}
                  {s.current && (
                    <Badge tt="none" size="sm" variant="light">
                      this one
                    </Badge>
                  )}
                </Text>
                <Text fz="sm" c="dimmed">
                  {s.address} · last seen <Ago at={s.last_seen} /> · since {day(s.since, true)}, {by[s.method]}
                </Text>
              </div>
              {!s.current && (
                <Button size="compact-sm" variant="light" color="red" aria-label={`End the session of ${s.device} at ${s.address}`} loading={end.isPending && end.variables === s.id} onClick={() => end.mutate(s.id)}>
                  End
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Part>
  )
}

import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ask, type Schema } from '../../api/client'
import { type Account, Ago, Part, Wrong } from './access'

/** Accounts at the OpenID Connect provider that open this one. */
export function Identities({ account }: { account: Account }) {
  const queries = useQueryClient()
  const methods = useQuery({ queryKey: ['methods'], queryFn: ({ signal }) => ask<Schema['SignInMethods']>('GET', '/session/methods', undefined, signal), staleTime: 60_000 })
  const provider = methods.data?.oidc
  const join = useMutation({
    mutationFn: () => ask<{ location: string }>('POST', '/account/identities'),
    onSuccess: (r) => location.assign(r.location),
  })
  const part = useMutation({
    mutationFn: (i: Schema['LinkedIdentity']) => ask('DELETE', `/account/identities?issuer=${encodeURIComponent(i.issuer)}&subject=${encodeURIComponent(i.subject)}`),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['account'] }),
  })
  if (!provider && !account.identities?.length) return null
  return (
    <Part
      title={provider ? `Account at ${provider}` : 'Accounts elsewhere'}
      note="Whoever is signed in there can sign in here."
      actions={
        provider && (
          <Button variant="default" loading={join.isPending} onClick={() => join.mutate()}>
            Connect an account
          </Button>
        )
      }
    >
      <Wrong error={join.error ?? part.error} />
      {account.identities?.length ? (
        <ul className="items" data-testid="identities">
          {account.identities.map((i) => (
            <li key={i.issuer + i.subject}>
              <div>
                <Text fz="sm" fw={500}>
                  {i.email || i.subject}
                </Text>
                <Text fz="sm" c="dimmed">
                  {i.issuer} · last used <Ago at={i.last_used} />
                </Text>
              </div>
              <Button size="compact-sm" variant="light" color="red" loading={part.isPending} onClick={() => part.mutate(i)}>
                Disconnect
              </Button>
            </li>
          ))}
        </ul>
      ) : (
        <Text fz="sm" c="dimmed">
          None is connected.
        </Text>
      )}
    </Part>
  )
}

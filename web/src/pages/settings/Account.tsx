import { Alert, Button, Group, PasswordInput, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ask } from '../../api/client'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { type Account, day, grantWords, Part, useRoles, useSites, Wrong } from './access'
import { Identities } from './Identities'
import { Passkeys } from './Passkeys'
import { Sessions } from './Sessions'

/** One's own account: name, what one may do, the ways to sign in, and where one
 * is signed in. */
export function AccountPage() {
  const { problem } = useSearch({ from: '/frame/settings/account' })
  const account = useQuery({ queryKey: ['account'], queryFn: ({ signal }) => ask<Account>('GET', '/account', undefined, signal) })
  return (
    <Page title="Your account" note={account.data && `${account.data.name}, since ${day(account.data.created_at)}`}>
      {problem && (
        <Alert color="red" role="alert" mb="md" maw={900}>
          {problem}
        </Alert>
      )}
      {account.error ? (
        <Trouble what="Your account could not be read" error={account.error} again={() => void account.refetch()} />
      ) : account.data ? (
        <>
          <Name account={account.data} />
          <Rights account={account.data} />
          <Password account={account.data} />
          <Passkeys account={account.data} />
          <Identities account={account.data} />
          <Sessions />
        </>
      ) : (
        <Stack maw={900} aria-label="loading">
          <Skeleton h={60} />
          <Skeleton h={120} />
          <Skeleton h={120} />
        </Stack>
      )}
    </Page>
  )
}

function Name({ account }: { account: Account }) {
  const queries = useQueryClient()
  const [name, setName] = useState(account.full_name)
  const save = useMutation({
    mutationFn: () => ask<Account>('PATCH', '/account', { full_name: name }),
    onSuccess: (a) => {
      queries.setQueryData(['account'], a)
      void queries.invalidateQueries({ queryKey: ['me'] })
    },
  })
  return (
    <Part title="Name">
      <form
        onSubmit={(e) => {
          e.preventDefault()
          save.mutate()
        }}
      >
        <Wrong error={save.error} />
        <Group align="flex-end" gap="sm">
          <TextInput label="Full name" description="As others see it beside what you do." flex="1 1 220px" maw={420} maxLength={100} value={name} onChange={(e) => setName(e.currentTarget.value)} />
          <Button type="submit" variant="default" loading={save.isPending} disabled={name === account.full_name}>
            Save
          </Button>
        </Group>
      </form>
    </Part>
  )
}

function Rights({ account }: { account: Account }) {
  const sites = useSites()
  const roles = useRoles()
  const may = new Set(account.grants?.flatMap((g) => roles.data?.find((r) => r.role === g.role)?.rights ?? []).map((r) => r.meaning))
  return (
    <Part title="What you may do" note="Given by an admin, on the page People.">
      <Text fz="sm" fw={500} data-testid="grants">
        {grantWords(account.grants, sites.data)}
      </Text>
      <ul style={{ margin: '4px 0 0', paddingLeft: 20, fontSize: 14 }}>
        {[...may].map((m) => (
          <li key={m}>{m}</li>
        ))}
      </ul>
    </Part>
  )
}

function Password({ account }: { account: Account }) {
  const queries = useQueryClient()
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const change = useMutation({
    mutationFn: () => ask('POST', '/account/password', { old, new: fresh }),
    onSuccess: () => {
      setOld('')
      setFresh('')
      void queries.invalidateQueries({ queryKey: ['sessions'] })
    },
  })
  if (!account.password) {
    return (
      <Part title="Password">
        <Text fz="sm">Your account has none: you sign in another way. An admin can send you a link that sets one.</Text>
      </Part>
    )
  }
  const short = fresh.length > 0 && [...fresh].length < 12
  const submit = (e: FormEvent) => {
    e.preventDefault()
    change.mutate()
  }
  return (
    <Part title="Password" note="Changing it signs you out everywhere else.">
      <form onSubmit={submit}>
        <Stack gap="sm" maw={420}>
          <Wrong error={change.error} />
          {change.isSuccess && (
            <Alert color="green" role="status">
              The password is changed. Your other browsers were signed out.
            </Alert>
          )}
          <input type="text" name="username" autoComplete="username" value={account.name} readOnly hidden />
          <PasswordInput label="Password now" autoComplete="current-password" required value={old} onChange={(e) => setOld(e.currentTarget.value)} />
          <PasswordInput
            label="New password"
            description="At least 12 characters"
            autoComplete="new-password"
            required
            error={short ? `${12 - [...fresh].length} more characters` : undefined}
            value={fresh}
            onChange={(e) => setFresh(e.currentTarget.value)}
          />
          <Group>
            <Button type="submit" variant="default" loading={change.isPending} disabled={!old || !fresh || short}>
              Change the password
            </Button>
          </Group>
        </Stack>
      </form>
    </Part>
  )
}

import { Alert, Anchor, Button, Center, Loader, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { ask, type Me, type Schema } from '../api/client'

type SetupLink = Schema['SetupLink']

const heads: Record<SetupLink['purpose'], string> = { admin: 'Set up your account', invite: 'Set up your account', 'reset-password': 'Choose a new password' }

/** Where the one-time link leads: the token stands in the fragment, which the
 * browser never sends anywhere. */
export function SetUp() {
  const go = useNavigate()
  const queries = useQueryClient()
  const [token] = useState(() => location.hash.slice(1))
  const link = useQuery({ queryKey: ['setup', token], queryFn: ({ signal }) => ask<SetupLink>('POST', '/setup/link', { token }, signal), enabled: token !== '', retry: false, staleTime: Number.POSITIVE_INFINITY })
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    document.title = 'Set up · Ballast'
  }, [])
  const short = password.length > 0 && [...password].length < 12
  const reset = link.data?.purpose === 'reset-password'
  const head = heads[link.data?.purpose ?? 'admin']
  useEffect(() => {
    document.title = `${head} · Ballast`
  }, [head])
  const submit = async (e: FormEvent) => {
    e.preventDefault()
    setBusy(true)
    setError('')
    try {
      const me = await ask<Me>('POST', '/setup', { token, name: reset ? link.data!.name : name, password })
      queries.clear()
      queries.setQueryData(['me'], me)
      history.replaceState(null, '', '/')
      await go({ to: '/' })
    } catch (e) {
      setError((e as Error).message)
    } finally {
      setBusy(false)
    }
  }
  const wrong = error || link.error?.message
  return (
    <Center component="main" mih="90vh" p="md">
      <Paper component="form" withBorder p="xl" w={400} maw="100%" onSubmit={submit}>
        <Stack>
          <Title order={1}>
            <img src="/ballast.svg" width={28} height={28} alt="" style={{ verticalAlign: '-6px', marginRight: 10 }} />
            {head}
          </Title>
          {!token && (
            <Alert color="orange" role="alert">
              This address lacks its one-time token. Open the whole link, or ask for a new one (<code>ballast link</code> prints one on Ballast's machine).
            </Alert>
          )}
          {wrong && (
            <Alert color="red" role="alert">
              {wrong}
            </Alert>
          )}
          {token && link.isPending && <Loader size="sm" aria-label="loading" />}
          {link.data && (
            <>
              {reset ? (
                <>
                  <Text fz="sm">
                    For the account <b>{link.data.name}</b>. Browsers that are signed in with it will be signed out.
                  </Text>
                  <input type="text" name="username" autoComplete="username" value={link.data.name} readOnly hidden />
                </>
              ) : (
                <TextInput label="Name to sign in with" autoComplete="username" required autoFocus maxLength={60} value={name} onChange={(e) => setName(e.currentTarget.value)} />
              )}
              <PasswordInput
                label="Password"
                description="At least 12 characters"
                autoComplete="new-password"
                required
                autoFocus={reset}
                error={short ? `${12 - [...password].length} more characters` : undefined}
                value={password}
                onChange={(e) => setPassword(e.currentTarget.value)}
              />
              <Button type="submit" loading={busy} disabled={short}>
                {reset ? 'Set the password and sign in' : 'Set up and sign in'}
              </Button>
              <Text fz="sm" c="dimmed">
                The link works once.
                {link.data.purpose === 'admin' && ' A name that exists already gets this new password.'}
              </Text>
            </>
          )}
          {link.error && (
            <Anchor component={Link} to="/sign-in" fz="sm">
              To the sign-in page
            </Anchor>
          )}
        </Stack>
      </Paper>
    </Center>
  )
}

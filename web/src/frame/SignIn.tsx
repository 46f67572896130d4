import { Alert, Button, Center, Divider, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { ask, type Me, type Schema } from '../api/client'
import { hasPasskeys, signInByPasskey } from '../api/passkey'

export function SignIn() {
  const go = useNavigate()
  const queries = useQueryClient()
  const { to, expired, problem } = useSearch({ from: '/sign-in' })
  const methods = useQuery({ queryKey: ['methods'], queryFn: ({ signal }) => ask<Schema['SignInMethods']>('GET', '/session/methods', undefined, signal), staleTime: 60_000, retry: false })
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState(problem ?? '')
  const [busy, setBusy] = useState<'password' | 'passkey'>()
  useEffect(() => {
    document.title = 'Sign in · Ballast'
  }, [])
  const enter = async (how: 'password' | 'passkey', by: () => Promise<Me>) => {
    setBusy(how)
    setError('')
    try {
      const me = await by()
      queries.setQueryData(['me'], me)
      await go({ href: to ?? '/' })
    } catch (e) {
      setError((e as Error).message)
    } finally {
      setBusy(undefined)
    }
  }
  const submit = (e: FormEvent) => {
    e.preventDefault()
    void enter('password', () => ask<Me>('POST', '/session', { name, password }))
  }
  const passkeys = methods.data?.passkeys && hasPasskeys()
  const provider = methods.data?.oidc
  return (
    <Center component="main" mih="90vh" p="md">
      <Paper component="form" withBorder p="xl" w={380} maw="100%" onSubmit={submit}>
        <Stack>
          <Title order={1}>
            <img src="/ballast.svg" width={28} height={28} alt="" style={{ verticalAlign: '-6px', marginRight: 10 }} />
            Sign in to Ballast
          </Title>
          {expired && !error && (
            <Alert color="harbour" role="status">
              Your session has ended. Sign in, and you are back where you were.
            </Alert>
          )}
          {error && (
            <Alert color="red" role="alert">
              {error}
            </Alert>
          )}
          <TextInput label="Name" autoComplete="username webauthn" required autoFocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
          <PasswordInput label="Password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
          <Button type="submit" loading={busy === 'password'}>
            Sign in
          </Button>
          {(passkeys || provider) && <Divider label="or" />}
          {passkeys && (
            <Button variant="default" loading={busy === 'passkey'} onClick={() => void enter('passkey', signInByPasskey)}>
              Sign in with a passkey
            </Button>
          )}
          {provider && (
            <Button variant="default" component="a" href={`/api/v1/session/oidc?to=${encodeURIComponent(to ?? '/')}`}>
              Sign in with {provider}
            </Button>
          )}
          <Text fz="sm" c="dimmed">
            Locked out? Ask an admin for a link. First time here: on the machine that runs Ballast, <code>ballast link</code> prints one.
          </Text>
        </Stack>
      </Paper>
    </Center>
  )
}

import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { ask, type Me } from '../api/client'

/** Where the one-time link leads: the token stands in the fragment, which the
 * browser never sends anywhere. */
export function SetUp() {
  const go = useNavigate()
  const queries = useQueryClient()
  const [token] = useState(() => location.hash.slice(1))
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    document.title = 'Set up · Ballast'
  }, [])
  const short = password.length > 0 && [...password].length < 12
  const submit = async (e: FormEvent) => {
    e.preventDefault()
    setBusy(true)
    setError('')
    try {
      const me = await ask<Me>('POST', '/setup', { token, name, password })
      queries.setQueryData(['me'], me)
      history.replaceState(null, '', '/')
      await go({ to: '/' })
    } catch (e) {
      setError((e as Error).message)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Center component="main" mih="90vh" p="md">
      <Paper component="form" withBorder p="xl" w={400} maw="100%" onSubmit={submit}>
        <Stack>
          <Title order={1}>
            <img src="/ballast.svg" width={28} height={28} alt="" style={{ verticalAlign: '-6px', marginRight: 10 }} />
            Set up your account
          </Title>
          {!token && (
            <Alert color="orange" role="alert">
              This address lacks its one-time token. Open the whole link, or run <code>ballast link</code> for a new one.
            </Alert>
          )}
          {error && (
            <Alert color="red" role="alert">
              {error}
            </Alert>
          )}
          <TextInput label="Name to sign in with" autoComplete="username" required autoFocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
          <PasswordInput
            label="Password"
            description="At least 12 characters"
            autoComplete="new-password"
            required
            error={short ? `${12 - [...password].length} more characters` : undefined}
            value={password}
            onChange={(e) => setPassword(e.currentTarget.value)}
          />
          <Button type="submit" loading={busy} disabled={!token || short}>
            Set up and sign in
          </Button>
          <Text fz="sm" c="dimmed">
            The link works once. A name that exists already gets this new password.
          </Text>
        </Stack>
      </Paper>
    </Center>
  )
}

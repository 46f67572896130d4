import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { ask, type Me } from '../api/client'

export function SignIn() {
  const go = useNavigate()
  const queries = useQueryClient()
  const { to, expired } = useSearch({ from: '/sign-in' })
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    document.title = 'Sign in · Ballast'
  }, [])
  const submit = async (e: FormEvent) => {
    e.preventDefault()
    setBusy(true)
    setError('')
    try {
      const me = await ask<Me>('POST', '/session', { name, password })
      queries.setQueryData(['me'], me)
      await go({ href: to ?? '/' })
    } catch (e) {
      setError((e as Error).message)
    } finally {
      setBusy(false)
    }
  }
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
          <TextInput label="Name" autoComplete="username" required autoFocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
          <PasswordInput label="Password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
          <Button type="submit" loading={busy}>
            Sign in
          </Button>
          <Text fz="sm" c="dimmed">
            First time here, or locked out? On the machine that runs Ballast, <code>ballast link</code> prints a one-time link.
          </Text>
        </Stack>
      </Paper>
    </Center>
  )
}

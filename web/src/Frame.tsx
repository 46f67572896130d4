import { ActionIcon, Anchor, Button, Center, Group, Loader, Text, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { ask, Failed, type Me } from './api/client'
import { disconnect, useLive } from './api/live'
import { Age } from './parts/Age'
import { Trouble } from './parts/Trouble'

/** The frame of every page behind sign-in: who is here, what site, how fresh. */
export function Frame() {
  const go = useNavigate()
  const me = useQuery({ queryKey: ['me'], queryFn: ({ signal }) => ask<Me>('GET', '/session', undefined, signal), staleTime: 60_000 })

  useEffect(() => {
    const out = () => {
      disconnect()
      void go({ to: '/sign-in', search: { to: location.pathname + location.search } })
    }
    window.addEventListener('signed-out', out)
    return () => window.removeEventListener('signed-out', out)
  }, [go])

  const refused = me.error instanceof Failed && me.error.status === 401
  useEffect(() => {
    if (refused) window.dispatchEvent(new Event('signed-out'))
  }, [refused])

  if (me.isPending || refused) {
    return (
      <Center h="60vh">
        <Loader aria-label="loading" />
      </Center>
    )
  }
  if (me.error) {
    return (
      <div className="page">
        <Trouble what="The dashboard cannot start" error={me.error} again={() => void me.refetch()} />
      </div>
    )
  }
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Header me={me.data} />
      <main id="main" className="page" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  )
}

function Header({ me }: { me: Me }) {
  const live = useLive()
  const queries = useQueryClient()
  const go = useNavigate()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const signOut = async () => {
    await ask('DELETE', '/session')
    disconnect()
    queries.clear()
    await go({ to: '/sign-in' })
  }
  return (
    <header>
      {live.site?.simulated && <div className="simulated">Simulated site: none of these machines exists</div>}
      <Group justify="space-between" px="md" py={8} gap="sm" style={{ borderBottom: '1px solid var(--mantine-color-default-border)' }}>
        <Group gap="md">
          <Anchor component={Link} to="/" c="inherit" underline="never" fw={700} fz="lg" style={{ display: 'inline-flex', alignItems: 'center', gap: 8 }}>
            <img src="/ballast.svg" width={24} height={24} alt="" />
            Ballast
          </Anchor>
          <Text fw={500}>{live.site?.name}</Text>
          <Age connected={live.connected} at={live.at} />
        </Group>
        <Group gap="xs">
          <Text fz="sm" c="dimmed">
            {me.name}
          </Text>
          <ActionIcon variant="subtle" color="gray" aria-label={scheme === 'dark' ? 'Light colours' : 'Dark colours'} onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
            {scheme === 'dark' ? '☀' : '☾'}
          </ActionIcon>
          <Button variant="subtle" color="gray" size="compact-sm" onClick={() => void signOut()}>
            Sign out
          </Button>
        </Group>
      </Group>
    </header>
  )
}

import { ActionIcon, Anchor, Burger, Button, Center, Drawer, Group, Kbd, Loader, Menu, NativeSelect, Text, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ask, Failed, type Me, type SiteInfo } from '../api/client'
import { connect, disconnect, useLive } from '../api/live'
import { visible } from '../nav'
import { AlarmCount } from '../pages/alarms/AlarmCount'
import { Age } from '../parts/Age'
import { Trouble } from '../parts/Trouble'
import { Keys } from './Keys'
import { useMe } from './me'
import { Search } from './Search'
import { ranges, useView, type View } from './view'

/** The frame of every page behind sign-in: where one is, which site and time
 * range, how fresh, and the ways to everything else. */
export function Frame() {
  const go = useNavigate()
  const me = useMe()
  const view = useView()

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

  // The stream carries the site that is looked at.
  useEffect(() => connect(view.site), [view.site])

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
  return <Inside me={me.data} />
}

function Inside({ me }: { me: Me }) {
  const live = useLive()
  const [menu, setMenu] = useState(false)
  const [search, setSearch] = useState(false)
  const [keys, setKeys] = useState(false)
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      {live.site?.simulated && <div className="simulated">Simulated site: none of these machines exists</div>}
      <header className="top">
        <Group gap="sm" wrap="nowrap" miw={0}>
          <Burger className="narrow" size="sm" opened={menu} onClick={() => setMenu(!menu)} aria-label="Navigation" />
          <Anchor component={Link} to="/" c="inherit" underline="never" fw={700} fz="lg" style={{ display: 'inline-flex', alignItems: 'center', gap: 8 }}>
            <img src="/ballast.svg" width={24} height={24} alt="" />
            <span className="wide">Ballast</span>
          </Anchor>
          <SiteSwitch />
          <RangeSwitch />
        </Group>
        <Group gap="sm" wrap="nowrap">
          <AlarmCount />
          <Age connected={live.connected} at={live.at} />
          <Button variant="default" size="compact-sm" onClick={() => setSearch(true)} aria-label="Search everything" rightSection={<Kbd className="wide">/</Kbd>}>
            Search
          </Button>
          <Account me={me} onKeys={() => setKeys(true)} />
        </Group>
      </header>
      <div className="body">
        <nav className="rail wide" aria-label="Main">
          <Rail me={me} />
        </nav>
        <Drawer opened={menu} onClose={() => setMenu(false)} title="Ballast" size="xs" hiddenFrom="md">
          <nav className="rail" aria-label="Main" onClick={() => setMenu(false)}>
            <Rail me={me} />
          </nav>
        </Drawer>
        <main id="main" className="page" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Search me={me} opened={search} onOpen={() => setSearch(true)} onClose={() => setSearch(false)} />
      <Keys me={me} opened={keys} onOpen={() => setKeys(true)} onClose={() => setKeys(false)} />
    </>
  )
}

function Rail({ me }: { me: Me }) {
  return visible(me.rights ?? []).map((s) => (
    <section key={s.title} aria-label={s.title}>
      {s.pages.length > 1 && <h2>{s.title}</h2>}
      {s.pages.map((p) => (
        <Link key={p.to} to={p.to} activeOptions={{ exact: true, includeSearch: false }} activeProps={{ className: 'here', 'aria-current': 'page' }}>
          {p.title}
        </Link>
      ))}
    </section>
  ))
}

/** Which site everything is about. With one site there is nothing to choose. */
function SiteSwitch() {
  const view = useView()
  const live = useLive()
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal), staleTime: 60_000 })
  if (!sites.data || sites.data.length < 2) return <Text fw={500} truncate>{sites.data?.[0]?.title || live.site?.name}</Text>
  return (
    <NativeSelect
      size="xs"
      aria-label="Site"
      value={view.site ?? ''}
      onChange={(e) => view.set({ site: e.currentTarget.value || undefined })}
      data={[{ value: '', label: 'All sites' }, ...sites.data.map((s) => ({ value: s.name, label: s.title || s.name }))]}
    />
  )
}

function RangeSwitch() {
  const view = useView()
  return (
    <NativeSelect size="xs" aria-label="Time range" value={view.range} onChange={(e) => view.set({ range: e.currentTarget.value as View['range'] })} data={ranges.map((r) => ({ value: r.value, label: `Last ${r.label}` }))} />
  )
}

function Account({ me, onKeys }: { me: Me; onKeys: () => void }) {
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
    <>
      <ActionIcon variant="subtle" color="gray" aria-label={scheme === 'dark' ? 'Light colours' : 'Dark colours'} onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
        {scheme === 'dark' ? '☀' : '☾'}
      </ActionIcon>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="subtle" color="gray" size="compact-sm" aria-label={`Account of ${me.name}`}>
            {me.name}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{me.full_name || me.name}</Menu.Label>
          <Menu.Item onClick={onKeys} rightSection={<Kbd>?</Kbd>}>
            Keys
          </Menu.Item>
          <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  )
}

import { ActionIcon, Burger, Button, Center, Drawer, Kbd, Loader, Menu, NativeSelect, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { ask, Failed, type Me, type SiteInfo } from '../api/client'
import { connect, disconnect, forget, useLive, useLivePart } from '../api/live'
import { sections, visible } from '../nav'
import { AlarmCount } from '../pages/alarms/AlarmCount'
import { Age } from '../parts/Age'
import { Notices } from '../parts/Notices'
import { Forbidden, Trouble } from '../parts/Trouble'
import { Banner } from './Banner'
import { Icon } from './icons'
import { Keys } from './Keys'
import { useMe } from './me'
import { crumbs, setPlace, usePlace, whereIs } from './place'
import { Rail } from './Rail'
import { Search } from './Search'
import { ranges, useView, type View } from './view'

/** The frame of every page behind sign-in: where one is, which site and time
 * range, how fresh, and the ways to everything else. */
export function Frame() {
  const go = useNavigate()
  const me = useMe()
  const view = useView()
  const known = useRef(false)
  if (me.data) known.current = true

  useEffect(() => {
    const out = () => {
      disconnect()
      void go({ to: '/sign-in', search: { to: location.pathname + location.search, expired: known.current || undefined } })
    }
    window.addEventListener('signed-out', out)
    return () => window.removeEventListener('signed-out', out)
  }, [go])

  const refused = me.error instanceof Failed && me.error.status === 401
  useEffect(() => {
    if (refused) window.dispatchEvent(new Event('signed-out'))
  }, [refused])

  // The stream carries the site that is looked at. A page that the browser kept
  // while somebody signed out opens none.
  useEffect(() => {
    if (!refused) connect(view.site)
  }, [view.site, refused])

  if (me.isPending || refused) {
    return (
      <Center h="60vh" component="main">
        <Loader aria-label="loading" />
      </Center>
    )
  }
  if (me.error && !me.data) {
    return (
      <main className="page">
        <Trouble what="The dashboard cannot start" error={me.error} again={() => void me.refetch()} />
      </main>
    )
  }
  return <Inside me={me.data!} />
}

const foldedKey = 'ballast-rail-folded'

function Inside({ me }: { me: Me }) {
  const simulated = useLivePart((l) => l.site?.simulated)
  const [menu, setMenu] = useState(false)
  const [search, setSearch] = useState(false)
  const [keys, setKeys] = useState(false)
  const [folded, setFolded] = useState(() => localStorage.getItem(foldedKey) === 'yes')
  const fold = () => {
    localStorage.setItem(foldedKey, folded ? 'no' : 'yes')
    setFolded(!folded)
  }
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      {simulated && (
        <div className="simulated" role="note">
          Simulated site: none of these machines exists
        </div>
      )}
      <header className="top">
        <div className="start">
          <Burger className="narrow" size="sm" opened={menu} onClick={() => setMenu(!menu)} aria-label="Navigation" aria-expanded={menu} />
          <Link to="/" className="brand" aria-label="Ballast: to the site, now">
            <img src="/ballast.svg" width={24} height={24} alt="" />
            <span className="wide">Ballast</span>
          </Link>
          <SiteSwitch />
          <RangeSwitch />
        </div>
        <div className="end">
          <AlarmCount />
          <Fresh />
          <Button className="wide" variant="default" size="compact-sm" onClick={() => setSearch(true)} leftSection={<Icon name="search" />} rightSection={<Kbd size="xs">/</Kbd>}>
            Search
          </Button>
          <ActionIcon className="narrow" variant="subtle" color="gray" size="lg" aria-label="Search everything" onClick={() => setSearch(true)}>
            <Icon name="search" />
          </ActionIcon>
          <Account me={me} onKeys={() => setKeys(true)} />
        </div>
      </header>
      <Banner />
      <div className="body">
        <nav className={'rail wide' + (folded ? ' folded' : '')} aria-label="Main">
          <Rail me={me} folded={folded} onFold={fold} />
        </nav>
        <Drawer opened={menu} onClose={() => setMenu(false)} title="Ballast" size={250} hiddenFrom="md" padding="xs">
          <nav className="rail" style={{ width: '100%', background: 'none', padding: 0 }} aria-label="Main" onClick={(e) => (e.target as HTMLElement).closest('a') && setMenu(false)}>
            <Rail me={me} />
          </nav>
        </Drawer>
        <main id="main" className="page" tabIndex={-1}>
          <Way me={me} />
        </main>
      </div>
      <Notices />
      <Search me={me} opened={search} onOpen={() => setSearch(true)} onClose={() => setSearch(false)} />
      <Keys me={me} opened={keys} onOpen={() => setKeys(true)} onClose={() => setKeys(false)} />
    </>
  )
}

/** The way to the page, and the page; or why it may not be seen. */
function Way({ me }: { me: Me }) {
  const path = useLocation({ select: (l) => l.pathname })
  const place = usePlace()
  const { page } = whereIs(path, sections)
  const forbidden = !!page?.right && !me.rights?.includes(page.right)
  // Before the page's own effect, which knows better.
  useLayoutEffect(() => {
    setPlace(page?.to === path ? page.title : '', page?.title ?? spoken(path))
  }, [path, page])
  if (forbidden) return <Forbidden title={page.title} right={page.right!} />
  const way = crumbs(path, visible(me.rights ?? []), place)
  return (
    <>
      {way.length > 0 && (
        <nav aria-label="The way here">
          <ol className="crumbs">
            {way.map((c, i) => (
              <li key={i} aria-current={c.to ? undefined : 'page'}>
                {c.to ? <Link to={c.to}>{c.title}</Link> : c.title}
              </li>
            ))}
          </ol>
        </nav>
      )}
      <Outlet />
    </>
  )
}

function Fresh() {
  const live = useLive()
  return <Age connected={live.connected} at={live.at} />
}

/** An address in words, for a page that gives itself no title. */
const spoken = (path: string) => path.split('/').filter(Boolean).join(' ').replace(/^./, (c) => c.toUpperCase())

/** Which site everything is about. With one site there is nothing to choose. */
function SiteSwitch() {
  const view = useView()
  const name = useLivePart((l) => l.site?.name)
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal), staleTime: 60_000 })
  if (!sites.data || sites.data.length < 2) return <span className="site phone-hide">{sites.data?.[0]?.title || name}</span>
  return (
    <NativeSelect
      className="sites"
      size="xs"
      aria-label="Site"
      value={view.site ?? ''}
      onChange={(e) => view.set({ site: e.currentTarget.value || undefined })}
      data={[{ value: '', label: 'All sites' }, ...sites.data.map((s) => ({ value: s.name, label: s.title || s.name }))]}
    />
  )
}

/** Which time everything is about: the last hours or days, or, after zooming
 * into a chart, a stretch of the past. */
function RangeSwitch() {
  const view = useView()
  const data = ranges.map((r) => ({ value: r.value as string, label: `Last ${r.label}` }))
  if (view.zoomed) data.unshift({ value: 'zoomed', label: stretch(view.from!, view.to!) })
  return (
    <NativeSelect
      className="range"
      size="xs"
      aria-label="Time range"
      maw={view.zoomed ? 190 : 130}
      value={view.zoomed ? 'zoomed' : view.range}
      onChange={(e) => e.currentTarget.value !== 'zoomed' && view.set({ range: e.currentTarget.value as View['range'], from: undefined, to: undefined })}
      data={data}
    />
  )
}

/** "23 Nov 14:02 – 14:40" */
function stretch(from: number, to: number): string {
  const [a, b] = [new Date(from * 1000), new Date(to * 1000)]
  const day = (d: Date) => d.toLocaleDateString(undefined, { day: 'numeric', month: 'short' })
  const time = (d: Date) => d.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
  return `${day(a)} ${time(a)} – ${day(a) === day(b) ? '' : `${day(b)} `}${time(b)}`
}

function Account({ me, onKeys }: { me: Me; onKeys: () => void }) {
  const queries = useQueryClient()
  const go = useNavigate()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const signOut = async () => {
    await ask('DELETE', '/session')
    forget()
    queries.clear()
    await go({ to: '/sign-in' })
  }
  const turn = () => setColorScheme(scheme === 'dark' ? 'light' : 'dark')
  return (
    <>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={scheme === 'dark' ? 'Light colours' : 'Dark colours'} onClick={turn}>
        <Icon name={scheme === 'dark' ? 'sun' : 'moon'} />
      </ActionIcon>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="subtle" color="gray" size="compact-sm" aria-label={`Account of ${me.name}`} px={6}>
            <Icon name="person" />
            <span className="phone-hide" style={{ marginLeft: 6 }}>
              {me.name}
            </span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{me.full_name || me.name}</Menu.Label>
          <Menu.Item component={Link} to="/settings/account">
            Your account
          </Menu.Item>
          <Menu.Item onClick={onKeys} rightSection={<Kbd>?</Kbd>}>
            Keys
          </Menu.Item>
          <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  )
}

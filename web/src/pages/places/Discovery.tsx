import './places.css'
import { Alert, Anchor, Button, Checkbox, Group, Loader, NativeSelect, Stack, Tabs, Text, Textarea, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { ask, type Schema, type SiteInfo } from '../../api/client'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { dash, fixed, span, spanNs } from '../../format'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Work } from '../../parts/Work'
import { ip4 } from './layout'
import { PasswordForm } from './Passwords'
import { count, lines } from './words'

type Report = Schema['FleetScanReport']
type State = Schema['FleetScanState']
type Found = Schema['FleetScanFound']

/** Finds machines: where to look, what answers as it comes, what did not and
 * why, and what to do next. */
export function Discovery() {
  const may = useMay('configure')
  const { scan } = useSearch({ from: '/frame/places/discovery' })
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal) })
  const history = useQuery({ queryKey: ['scans'], queryFn: ({ signal }) => ask<State[]>('GET', '/scans?limit=20', undefined, signal), refetchInterval: 5000 })
  const running = history.data?.find((s) => s.running)
  const shown = scan ?? running?.id
  return (
    <Page title="Discovery" note="Looks for machines in address ranges that you name. Nothing is scanned without your word.">
      {sites.isPending ? (
        <Loader aria-label="loading" />
      ) : sites.error ? (
        <Trouble what="The sites cannot be shown" error={sites.error} again={() => void sites.refetch()} />
      ) : (
        <div className="steps">
          {may ? (
            <Start sites={sites.data.filter((s) => s.recorded)} busy={history.data?.filter((s) => s.running).map((s) => s.site) ?? []} />
          ) : (
            <Alert color="gray" role="status">
              You may look at scans. Starting one takes the right to configure, which engineers and administrators have.
            </Alert>
          )}
          {shown && <Scan key={shown} id={shown} may={may} sites={sites.data} />}
          <section>
            <Title order={2} mb="xs">
              Scans so far
            </Title>
            {history.error ? <Trouble what="The scans cannot be shown" error={history.error} again={() => void history.refetch()} /> : history.data?.length === 0 ? <Empty title="No scan yet">The first one starts above.</Empty> : <History scans={history.data ?? []} />}
          </section>
        </div>
      )}
    </Page>
  )
}

function Start({ sites, busy }: { sites: SiteInfo[]; busy: string[] }) {
  const go = useNavigate()
  const queries = useQueryClient()
  const view = useView()
  const [name, setName] = useState(view.site && sites.some((s) => s.name === view.site) ? view.site : (sites[0]?.name ?? ''))
  const site = sites.find((s) => s.name === name)
  const [text, setText] = useState((site?.ranges ?? []).join('\n'))
  const [keep, setKeep] = useState(true)
  const networks = useQuery({ queryKey: ['networks'], queryFn: ({ signal }) => ask<Schema['NetworksBody']>('GET', '/networks', undefined, signal), staleTime: Infinity })
  const ranges = lines(text)
  const start = useMutation({
    mutationFn: () => ask<State>('POST', '/scans', { site: name, ranges, keep }),
    onSuccess: (s) => {
      void queries.invalidateQueries({ queryKey: ['scans'] })
      void queries.invalidateQueries({ queryKey: ['sites'] })
      void go({ to: '/places/discovery', search: (old: object) => ({ ...old, scan: s.id }) as never })
    },
  })
  const offers = (networks.data?.networks ?? []).filter((n) => !ranges.includes(n))
  return (
    <section>
      <Title order={2} mb="xs">
        1. Where to look
      </Title>
      <Stack gap="sm" maw={620}>
        <Group align="flex-end" gap="sm">
          <NativeSelect
            label="Site"
            value={name}
            onChange={(e) => {
              setName(e.currentTarget.value)
              setText((sites.find((s) => s.name === e.currentTarget.value)?.ranges ?? []).join('\n'))
            }}
            data={sites.map((s) => ({ value: s.name, label: s.title }))}
          />
          <Anchor component={Link} to="/places/sites" fz="sm" pb={8}>
            Another site…
          </Anchor>
        </Group>
        <Textarea label="Address ranges" description="One a line: 10.20.0.0/16, 10.20.0.5 or 10.20.0.5-10.20.1.9." autosize minRows={2} value={text} onChange={(e) => setText(e.currentTarget.value)} placeholder="10.20.0.0/16" />
        {offers.length > 0 && (
          <Group gap={6}>
            <Text fz="sm" c="dimmed">
              This computer is in
            </Text>
            {offers.slice(0, 8).map((n) => (
              <Button key={n} size="compact-xs" variant="default" onClick={() => setText([...ranges, n].join('\n'))}>
                + {n}
              </Button>
            ))}
          </Group>
        )}
        <Checkbox label="These addresses belong to the site: scan them again from time to time" checked={keep} onChange={(e) => setKeep(e.currentTarget.checked)} />
        {start.error && <Trouble what="The scan did not start" error={start.error} />}
        <Group>
          <Button onClick={() => start.mutate()} loading={start.isPending} disabled={!name || ranges.length === 0 || busy.includes(name)}>
            Look for machines
          </Button>
          {busy.includes(name) && (
            <Text fz="sm" c="dimmed">
              A scan of this site is running.
            </Text>
          )}
        </Group>
      </Stack>
    </section>
  )
}

/** All that answered so far, fetched a bit at a time. */
function useFound(id: number, running: boolean) {
  const [all, setAll] = useState<Found[]>([])
  const [kept, setKept] = useState(true)
  const after = all.at(-1)?.seq ?? 0
  useEffect(() => {
    let off = false
    let timer: number | undefined
    const more = async () => {
      try {
        const b = await ask<Schema['ScanFoundBody']>('GET', `/scans/${id}/found?after=${after}&limit=2000`)
        if (off) return
        setKept(b.kept)
        if (b.found?.length) {
          setAll((old) => [...old, ...b.found!.filter((f) => f.seq > (old.at(-1)?.seq ?? 0))])
          return
        }
      } catch {
        // the report below says what is wrong; this asks again
      }
      if (!off && running) timer = window.setTimeout(() => void more(), 1000)
    }
    void more()
    return () => {
      off = true
      window.clearTimeout(timer)
    }
  }, [id, after, running])
  return { all, kept }
}

const words: { [k: string]: string } = { machine: 'found', locked: 'wants a password', unknown: 'no known miner' }

const columns: Column<Found>[] = [
  { key: 'addr', title: 'Address', width: '126px', show: (f) => f.addr, by: (f) => ip4(f.addr) ?? f.seq },
  { key: 'kind', title: 'What', width: '130px', show: (f) => words[f.kind] + (f.new ? ', new' : ''), by: (f) => f.kind },
  { key: 'model', title: 'Model', width: 'minmax(140px,1.4fr)', show: (f) => [f.make, f.model].filter(Boolean).join(' ') || dash, by: (f) => f.model },
  { key: 'firmware', title: 'Firmware', width: 'minmax(110px,1fr)', show: (f) => [f.firmware, f.version].filter(Boolean).join(' ') || dash, by: (f) => f.firmware },
  { key: 'place', title: 'Place', width: 'minmax(90px,1fr)', show: (f) => f.place || f.note || dash, by: (f) => f.place },
]

function Scan({ id, may, sites }: { id: number; may: boolean; sites: SiteInfo[] }) {
  const queries = useQueryClient()
  const q = useQuery({
    queryKey: ['scan', id],
    queryFn: ({ signal }) => ask<Report>('GET', `/scans/${id}`, undefined, signal),
    refetchInterval: (x) => (x.state.data && !x.state.data.running ? false : 1000),
  })
  const running = q.data?.running ?? true
  const { all, kept } = useFound(id, running)
  const [sort, setSort] = useState<[string, boolean]>(['addr', false])
  useEffect(() => {
    if (!running) void queries.invalidateQueries({ queryKey: ['scans'] })
  }, [running, queries])
  // Some let everybody say who they are, and want a password when they are read.
  const pw = useQuery({ queryKey: ['passwords'], queryFn: ({ signal }) => ask<Schema['PasswordsBody']>('GET', '/machine-passwords', undefined, signal), refetchInterval: 4000, enabled: may })
  const cancel = useMutation({ mutationFn: () => ask('DELETE', `/scans/${id}`), onSuccess: () => void q.refetch() })
  if (q.isPending) return <Loader aria-label="loading" />
  if (q.error && !q.data) return <Trouble what="The scan cannot be shown" error={q.error} again={() => void q.refetch()} />
  const r = q.data!
  const p = r.progress
  const title = sites.find((s) => s.name === r.site)?.title ?? r.site
  const missing = r.missing ?? []
  const locked = (pw.data?.locked ?? []).filter((m) => m.site === r.site)
  return (
    <section data-testid="scan-run">
      <Title order={2} mb="xs">
        2. What answers
      </Title>
      {r.running ? (
        <Work what={`Looking in ${r.ranges?.join(', ')} for ${title}`} done={p.probed} total={p.total} note={`${count(r.machines, 'machine')} found, ${fixed(r.locked, 0)} locked, ${fixed(p.silent, 0)} addresses silent`} onCancel={may ? () => cancel.mutate() : undefined} />
      ) : (
        <Text mb="xs" role="status" data-testid="scan-end">
          {r.end === 'done' ? 'Done' : r.end === 'cancelled' ? 'Cancelled' : r.end === 'cut-off' ? 'Cut off: Ballast was stopped' : `Failed: ${r.detail}`}. {count(r.machines, 'machine')} at {title}, {fixed(r.new, 0)} of them new; {fixed(p.probed, 0)} of {fixed(p.total, 0)} addresses in {spanNs(p.elapsed_ns)}.
        </Text>
      )}
      <Tabs defaultValue="kinds" keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="kinds">By model</Tabs.Tab>
          <Tabs.Tab value="all">One by one ({fixed(all.length, 0)})</Tabs.Tab>
          <Tabs.Tab value="not">Not found, and why</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="kinds">
          {(r.kinds ?? []).length === 0 ? (
            <Text c="dimmed">{r.running ? 'Nothing yet.' : 'No machine answered. See "Not found, and why".'}</Text>
          ) : (
            <div className="gridtable">
              <table data-testid="kinds">
                <thead>
                  <tr>
                    <th>Model</th>
                    <th>Firmware</th>
                    <th className="num">Machines</th>
                    <th className="num">Locked</th>
                  </tr>
                </thead>
                <tbody>
                  {r.kinds!.map((k) => (
                    <tr key={k.make + k.model + k.firmware} className="line">
                      <td>{[k.make, k.model].filter(Boolean).join(' ') || 'not told'}</td>
                      <td>{k.firmware}</td>
                      <td className="num">{fixed(k.machines, 0)}</td>
                      <td className="num">{k.locked ? fixed(k.locked, 0) : ''}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="all">
          {kept ? <DataTable label="Addresses that answered" testid="found" rows={all} columns={columns} id={(f) => f.seq} sort={sort[0]} desc={sort[1]} onSort={(k, d) => setSort([k, d])} height="46vh" /> : <Text c="dimmed">Of this scan only the report is kept.</Text>}
        </Tabs.Panel>
        <Tabs.Panel value="not">
          <NotFound r={r} />
        </Tabs.Panel>
      </Tabs>
      {may && <Locked site={r.site} locked={locked} />}
      {!r.running && r.machines + r.locked > 0 && (
        <div style={{ marginTop: 18 }}>
          <Title order={2} mb="xs">
            Next
          </Title>
          <Group>
            <Button component={Link} to="/">
              See them live
            </Button>
            <Button component={Link} to="/places/sites/$name" params={{ name: r.site } as never} variant="default">
              Say where they stand
            </Button>
          </Group>
          {missing.length > 0 && (
            <Text fz="sm" c="dimmed" mt="xs">
              {count(missing.length, 'slot')} of the layout had nobody.
            </Text>
          )}
        </div>
      )}
    </section>
  )
}

/** The password step: only when somebody is locked. */
function Locked({ site, locked }: { site: string; locked: Schema['LockedMachine'][] }) {
  const queries = useQueryClient()
  const [saved, setSaved] = useState(0)
  const firmwares = useMemo(() => [...new Set(locked.map((m) => m.firmware))], [locked])
  if (locked.length === 0 && !saved) return null
  return (
    <div style={{ marginTop: 18 }} data-testid="unlock">
      <Title order={2} mb="xs">
        {locked.length === 0 ? 'No machine is locked any more' : `3. ${count(locked.length, 'machine')} ${locked.length === 1 ? 'wants' : 'want'} a password`}
      </Title>
      {saved > 0 && locked.length > 0 && (
        <Alert color="teal" role="status" mb="sm">
          The password is in use: the machines are being asked again.{' '}
          <Anchor component={Link} to="/settings/passwords" fz="sm">
            See which it fits
          </Anchor>
        </Alert>
      )}
      {locked.length > 0 && (
        <PasswordForm
          key={saved}
          start={{ site, firmware: firmwares.length === 1 ? (firmwares[0] as never) : undefined }}
          onDone={() => {
            setSaved(saved + 1)
            void queries.invalidateQueries({ queryKey: ['passwords'] })
          }}
        />
      )}
    </div>
  )
}

const runText = (r: Schema['FleetAddrRun']) => (r.count === 1 ? r.first : `${r.first} to ${r.last} (${fixed(r.count, 0)})`)

function NotFound({ r }: { r: Report }) {
  const p = r.progress
  const parts = [
    { title: `${fixed(p.silent, 0)} silent`, why: 'Nothing came back: no machine, switched off, another network, or a firewall.', list: (r.silent ?? []).map(runText) },
    { title: `${fixed(p.refused, 0)} refused`, why: 'A host is there and no miner listens on its ports: another device, or a miner that is still starting.', list: (r.refused ?? []).map(runText) },
    { title: `${fixed(r.unknown, 0)} in no known dialect`, why: 'Something answers that Ballast has no driver for.', list: (r.others ?? []).map((o) => `${o.addr}${o.note ? `: ${o.note}` : ''}`) },
    { title: `${fixed((r.missing ?? []).length, 0)} slots with nobody`, why: 'The layout has a machine at this address, and none was found there.', list: (r.missing ?? []).map((m) => `${m.place} (${m.addr}): ${m.why}`) },
  ]
  return (
    <div className="two" data-testid="not-found">
      {parts.map((x) => (
        <section key={x.title}>
          <Text fw={600}>{x.title}</Text>
          <Text fz="sm" c="dimmed">
            {x.why}
          </Text>
          <Text fz="sm" mah={160} style={{ overflowY: 'auto', overflowWrap: 'anywhere' }}>
            {x.list.slice(0, 200).join(', ') || dash}
          </Text>
        </section>
      ))}
    </div>
  )
}

function History({ scans }: { scans: State[] }) {
  const go = useNavigate()
  const cols: Column<State>[] = [
    { key: 'started', title: 'Started', width: '170px', show: (s) => new Date(s.started).toLocaleString() },
    { key: 'site', title: 'Site', width: 'minmax(110px,1fr)', show: (s) => s.site },
    { key: 'ranges', title: 'Addresses', width: 'minmax(130px,1.3fr)', show: (s) => s.ranges?.join(', ') },
    { key: 'end', title: 'End', width: '92px', show: (s) => (s.running ? 'running' : s.end) },
    { key: 'machines', title: 'Machines', width: '88px', num: true, show: (s) => fixed(s.machines, 0) },
    { key: 'new', title: 'New', width: '70px', num: true, show: (s) => fixed(s.new, 0) },
    { key: 'locked', title: 'Locked', width: '76px', num: true, show: (s) => (s.locked ? fixed(s.locked, 0) : '') },
    { key: 'took', title: 'Took', width: '84px', num: true, show: (s) => (s.ended ? span((Date.parse(s.ended) - Date.parse(s.started)) / 1000) : '') },
    { key: 'actor', title: 'By', width: '110px', show: (s) => s.actor },
  ]
  return <DataTable label="Scans" testid="scans" rows={scans} columns={cols} id={(s) => s.id} onOpen={(s) => void go({ to: '/places/discovery', search: (old: object) => ({ ...old, scan: s.id }) as never })} height={`${Math.min(scans.length + 1, 10) * 32 + 10}px`} />
}

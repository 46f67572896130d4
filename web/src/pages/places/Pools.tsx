import './places.css'
import { ActionIcon, Alert, Badge, Button, Group, Loader, Modal, MultiSelect, NativeSelect, PasswordInput, Radio, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useMemo, useState } from 'react'
import { ask, type Schema, type SiteInfo } from '../../api/client'
import { useLive } from '../../api/live'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { dash, fixed, hashrate, power } from '../../format'
import { Confirm } from '../../parts/Confirm'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { listed, useEdit } from '../../parts/useEdit'
import { count } from './words'

type Use = Schema['PoolUse']
type Profile = Schema['PoolProfile']
type Stray = Schema['StrayMachine']

const percent = (v: number | null | undefined) => (v === null || v === undefined ? dash : `${fixed(100 * v, 2)} %`)

const columns: Column<Use>[] = [
  { key: 'url', title: 'Pool', width: 'minmax(220px,2fr)', show: (u) => u.url, by: (u) => u.url },
  { key: 'account', title: 'Account', width: 'minmax(100px,1fr)', show: (u) => u.account || dash, by: (u) => u.account },
  { key: 'active', title: 'Working', width: '86px', num: true, show: (u) => fixed(u.active, 0), by: (u) => u.active },
  { key: 'machines', title: 'Configured', width: '100px', num: true, show: (u) => fixed(u.machines, 0), by: (u) => u.machines },
  { key: 'hashrate', title: 'Hashrate', width: '112px', num: true, show: (u) => (u.active ? hashrate(u.hashrate_ths).join(' ') : dash), by: (u) => u.hashrate_ths },
  { key: 'reject', title: 'Rejected', width: '92px', num: true, show: (u) => percent(u.reject_ratio), by: (u) => u.reject_ratio },
  { key: 'stale', title: 'Stale', width: '82px', num: true, show: (u) => percent(u.stale_ratio), by: (u) => u.stale_ratio },
  { key: 'dead', title: 'Dead for', width: '86px', num: true, show: (u) => (u.dead ? fixed(u.dead, 0) : ''), by: (u) => u.dead },
  { key: 'profile', title: 'Profile', width: 'minmax(90px,1fr)', show: (u) => u.profile || dash, by: (u) => u.profile },
]

/** Where the work comes from: pools in use, machines that went astray, and the
 * lists that machines can be sent to. */
export function Pools() {
  const view = useView()
  const mayConfigure = useMay('configure')
  const mayCommand = useMay('command')
  const queries = useQueryClient()
  const q = useQuery({ queryKey: ['pools', view.site], queryFn: ({ signal }) => ask<Schema['PoolsBody']>('GET', '/pools' + (view.query ? `?${view.query}` : ''), undefined, signal), refetchInterval: 10_000 })
  const profiles = useQuery({ queryKey: ['pool-profiles'], queryFn: ({ signal }) => ask<Profile[]>('GET', '/pool-profiles', undefined, signal) })
  const [sort, setSort] = useState<[string, boolean]>(['hashrate', true])
  const [open, setOpen] = useState<Profile | 'new' | undefined>()
  const [apply, setApply] = useState<{ profile: Profile; machines?: number[] } | undefined>()
  const body = q.data
  const stray = body?.stray ?? []
  const dead = (body?.pools ?? []).filter((u) => u.dead > 0)
  return (
    <Page title="Pools" note="Pools as the machines tell them, by address and account. Shares are counted since each machine's miner started." actions={mayConfigure && <Button onClick={() => setOpen('new')}>New profile</Button>}>
      {q.isPending ? (
        <Loader aria-label="loading" />
      ) : q.error && !body ? (
        <Trouble what="The pools cannot be shown" error={q.error} again={() => void q.refetch()} />
      ) : (
        <Stack gap="xl">
          {(body!.idle > 0 || dead.length > 0) && (
            <Alert color="orange" role="status" data-testid="pool-trouble">
              {body!.idle > 0 && <Text fz="sm">{count(body!.idle, 'machine')} should hash and {body!.idle === 1 ? 'has' : 'have'} no pool that takes the work.</Text>}
              {dead.slice(0, 5).map((u) => (
                <Text fz="sm" key={u.url + u.account}>
                  {u.url} ({u.account}) does not answer {count(u.dead, 'machine')}.
                </Text>
              ))}
            </Alert>
          )}
          {body!.pools?.length === 0 ? <Empty title="No pools yet">As soon as machines are read, the pools that they mine at stand here.</Empty> : <DataTable label="Pools in use" testid="pools" rows={body!.pools ?? []} columns={columns} id={(u) => u.url + '\n' + u.account} sort={sort[0]} desc={sort[1]} onSort={(k, d) => setSort([k, d])} />}

          <section>
            <Title order={2} mb="xs">
              Profiles
            </Title>
            {profiles.error ? (
              <Trouble what="The profiles cannot be shown" error={profiles.error} again={() => void profiles.refetch()} />
            ) : (profiles.data ?? []).length === 0 ? (
              <Text c="dimmed">A profile names up to three pools. Machines can be sent to it, and those that should be on it and are not stand out here.</Text>
            ) : (
              <div className="gridtable">
                <table data-testid="profiles">
                  <thead>
                    <tr>
                      <th>Name</th>
                      <th>Expected of</th>
                      <th>Pools</th>
                      <th />
                    </tr>
                  </thead>
                  <tbody>
                    {profiles.data!.map((p) => (
                      <tr key={p.id} className="line">
                        <td>{p.name}</td>
                        <td>{[p.group && `group ${p.group}`, p.site].filter(Boolean).join(' at ') || 'all machines'}</td>
                        <td style={{ minWidth: 230 }}>
                          {p.pools?.map((x) => (
                            <Text fz="sm" key={x.url + x.user} style={{ overflowWrap: 'anywhere' }}>
                              {x.url}{' '}
                              <Text span c="dimmed" fz="sm">
                                {x.user}
                              </Text>
                            </Text>
                          ))}
                        </td>
                        <td>
                          <Group gap={6} wrap="nowrap">
                            {mayCommand && (
                              <Button size="compact-xs" variant="light" onClick={() => setApply({ profile: p })}>
                                Send machines
                              </Button>
                            )}
                            {mayConfigure && (
                              <Button size="compact-xs" variant="default" onClick={() => setOpen(p)}>
                                Change
                              </Button>
                            )}
                          </Group>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </section>

          {(profiles.data ?? []).length > 0 && (
            <section>
              <Title order={2} mb="xs">
                {count(body!.stray_total, 'machine')} on an unexpected pool
              </Title>
              {stray.length === 0 ? <Text c="dimmed">All machines that tell their pool are where a profile has them.</Text> : <Astray stray={stray} profiles={profiles.data!} onSend={mayCommand ? (profile, machines) => setApply({ profile, machines }) : undefined} />}
            </section>
          )}
        </Stack>
      )}
      <Modal opened={open !== undefined} onClose={() => setOpen(undefined)} title={typeof open === 'object' ? 'Change a profile' : 'New profile'} size="lg">
        {open !== undefined && (
          <ProfileForm
            of={open === 'new' ? undefined : open}
            onDone={() => {
              setOpen(undefined)
              void queries.invalidateQueries({ queryKey: ['pool-profiles'] })
              void queries.invalidateQueries({ queryKey: ['pools'] })
            }}
          />
        )}
      </Modal>
      {apply && <Apply {...apply} onClose={() => setApply(undefined)} />}
    </Page>
  )
}

const strayColumns: Column<Stray>[] = [
  { key: 'name', title: 'Machine', width: 'minmax(130px,1fr)', show: (s) => s.name, by: (s) => s.name },
  { key: 'site', title: 'Site', width: 'minmax(110px,1fr)', show: (s) => s.site, by: (s) => s.site },
  { key: 'url', title: 'Works for', width: 'minmax(200px,2fr)', show: (s) => s.url, by: (s) => s.url },
  { key: 'worker', title: 'Worker', width: 'minmax(130px,1fr)', show: (s) => s.worker || dash, by: (s) => s.worker },
  { key: 'profile', title: 'Should be on', width: 'minmax(110px,1fr)', show: (s) => s.profile, by: (s) => s.profile },
]

function Astray({ stray, profiles, onSend }: { stray: Stray[]; profiles: Profile[]; onSend?: (p: Profile, machines: number[]) => void }) {
  const go = useNavigate()
  const [sort, setSort] = useState<[string, boolean]>(['name', false])
  const [chosen, setChosen] = useState<Set<string | number>>(new Set())
  const names = [...new Set(stray.map((s) => s.profile))]
  return (
    <>
      {onSend && (
        <Group gap="xs" mb={6}>
          {names.map((n) => {
            const p = profiles.find((x) => x.name === n)
            const ids = stray.filter((s) => s.profile === n && (chosen.size === 0 || chosen.has(s.id))).map((s) => s.id)
            return p && ids.length > 0 ? (
              <Button key={n} size="compact-sm" variant="light" onClick={() => onSend(p, ids)}>
                Send {chosen.size > 0 ? `the ${ids.length} chosen` : `all ${ids.length}`} to {n}
              </Button>
            ) : null
          })}
        </Group>
      )}
      <DataTable label="Machines on an unexpected pool" testid="stray" rows={stray} columns={strayColumns} id={(s) => s.id} sort={sort[0]} desc={sort[1]} onSort={(k, d) => setSort([k, d])} chosen={chosen} onChosen={onSend ? setChosen : undefined} onOpen={(s) => void go({ to: '/machines/$id', params: { id: String(s.id) } })} height="min(40vh, 420px)" />
    </>
  )
}

interface ProfileDraft {
  name: string
  site: string
  group: string
  pools: { url: string; user: string; password: string; has: boolean }[]
}

const draftOf = (p: Profile): ProfileDraft => ({ name: p.name, site: p.site, group: p.group, pools: (p.pools ?? []).map((q) => ({ url: q.url, user: q.user, password: '', has: q.has_password })) })

function ProfileForm({ of, onDone }: { of?: Profile; onDone: () => void }) {
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal) })
  const [draft, setDraft] = useState<ProfileDraft>(of ? draftOf(of) : { name: '', site: '', group: '', pools: [{ url: '', user: '', password: '', has: false }] })
  const { name, site, group, pools } = draft
  const change = (next: Partial<ProfileDraft>) => setDraft({ ...draft, ...next })
  const setPools = (next: ProfileDraft['pools']) => change({ pools: next })
  const edit = useEdit({ was: of, version: (p) => p.version, draftOf, draft, setDraft, newest: () => listed<Profile>('/pool-profiles', of?.id), names: { name: 'Name', site: 'Site', group: 'Group', pools: 'Pools' } })
  const set = (i: number, next: object) => setPools(pools.map((p, k) => (k === i ? { ...p, ...next } : p)))
  const save = useMutation({
    mutationFn: () => ask(of ? 'PUT' : 'POST', '/pool-profiles' + (of ? `/${of.id}` : ''), { name, site, group, pools: pools.map((p) => ({ url: p.url.trim(), user: p.user.trim(), ...(p.password ? { password: p.password } : {}) })) }, undefined, edit.headers),
    onSuccess: onDone,
  })
  const forget = useMutation({ mutationFn: () => ask('DELETE', `/pool-profiles/${of!.id}`), onSuccess: onDone })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    save.mutate()
  }
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <Group grow align="flex-start">
          <TextInput label="Name" required maxLength={100} value={name} onChange={(e) => change({ name: e.currentTarget.value })} data-autofocus />
          <NativeSelect label="Expected of machines at" value={site} onChange={(e) => change({ site: e.currentTarget.value })} data={[{ value: '', label: 'all sites' }, ...(sites.data ?? []).map((s) => ({ value: s.name, label: s.title }))]} />
          <TextInput label="in group" placeholder="all" value={group} onChange={(e) => change({ group: e.currentTarget.value })} />
        </Group>
        {pools.map((p, i) => (
          <Group key={i} align="flex-end" gap="xs" wrap="nowrap">
            <TextInput label={i === 0 ? 'Pool' : undefined} aria-label={`Address of pool ${i + 1}`} flex={2} required placeholder="stratum+tcp://pool.example:3333" value={p.url} onChange={(e) => set(i, { url: e.currentTarget.value })} />
            <TextInput label={i === 0 ? 'Worker' : undefined} aria-label={`Worker of pool ${i + 1}`} flex={1} required placeholder="account.{ip3}x{ip4}" value={p.user} onChange={(e) => set(i, { user: e.currentTarget.value })} />
            <PasswordInput label={i === 0 ? 'Password' : undefined} aria-label={`Password of pool ${i + 1}`} w={120} placeholder={p.has ? 'stays' : 'x'} value={p.password} onChange={(e) => set(i, { password: e.currentTarget.value })} autoComplete="new-password" />
            <ActionIcon variant="subtle" color="gray" aria-label={`Remove pool ${i + 1}`} disabled={pools.length === 1} onClick={() => setPools(pools.filter((_, k) => k !== i))} mb={4}>
              ×
            </ActionIcon>
          </Group>
        ))}
        {pools.length < 3 && (
          <Button size="compact-sm" variant="default" style={{ alignSelf: 'flex-start' }} onClick={() => setPools([...pools, { url: '', user: '', password: '', has: false }])}>
            Add a pool
          </Button>
        )}
        <Text fz="xs" c="dimmed">
          {'In a worker name {ip}, {ip3}, {ip4}, {mac}, {serial}, {name}, {id}, {container}, {rack} and {slot} are the machine’s own. Saving sends nothing to any machine.'}
        </Text>
        {edit.says(save.error, save.reset) ?? ((save.error ?? forget.error) && <Trouble what="Not saved" error={(save.error ?? forget.error)!} />)}
        <Group justify={of ? 'space-between' : 'flex-end'}>
          {of && (
            <Button variant="subtle" color="red" loading={forget.isPending} onClick={() => forget.mutate()}>
              Forget it
            </Button>
          )}
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** Sends machines to a profile: who, what that does, once more, and the
 * commands that came of it. */
function Apply({ profile, machines, onClose }: { profile: Profile; machines?: number[]; onClose: () => void }) {
  const live = useLive()
  const go = useNavigate()
  const [who, setWho] = useState<'site' | 'group' | 'model'>(profile.group ? 'group' : 'site')
  const [picked, setPicked] = useState<string[]>(profile.group ? [profile.group] : profile.site ? [profile.site] : [])
  const rows = useMemo(() => [...live.rows.values()], [live.version]) // eslint-disable-line react-hooks/exhaustive-deps
  const of = (r: (typeof rows)[number]) => (who === 'site' ? r.site : who === 'group' ? r.group : `${r.make} ${r.model}`.trim()) || 'none'
  const options = useMemo(() => [...new Set(rows.map(of))].toSorted(), [rows, who]) // eslint-disable-line react-hooks/exhaustive-deps
  const ids = useMemo(() => machines ?? rows.filter((r) => picked.includes(of(r))).map((r) => r.id), [machines, rows, picked, who]) // eslint-disable-line react-hooks/exhaustive-deps
  const key = ids.join()
  const preview = useQuery({ queryKey: ['apply', profile.id, key], queryFn: ({ signal }) => ask<Schema['CommandBody']>('POST', `/pool-profiles/${profile.id}/apply`, { machines: ids, preview: true }, signal), enabled: ids.length > 0 })
  const send = useMutation({ mutationFn: () => ask<Schema['CommandBody']>('POST', `/pool-profiles/${profile.id}/apply`, { machines: ids }) })
  if (send.data) {
    const n = send.data.commands?.length ?? 0
    return (
      <Modal opened onClose={onClose} title={`Sent to ${profile.name}`}>
        <Stack gap="sm">
          <Text data-testid="sent">
            {count(n, 'command')} given. A machine counts as moved once it tells the new pools itself.
          </Text>
          <Group justify="flex-end">
            {n > 0 && (
              <Button variant="default" onClick={() => void go({ to: '/machines/$id', params: { id: String(send.data!.commands![0]!.machine) } })}>
                Look at one of them
              </Button>
            )}
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      </Modal>
    )
  }
  const p = preview.data
  const refused = p?.refused ?? []
  return (
    <Confirm
      title={`Send machines to ${profile.name}`}
      opened
      onClose={onClose}
      effects={
        ids.length === 0
          ? [{ name: 'Machines', value: 'none chosen' }]
          : p && [
              { name: 'Machines', value: fixed(p.takes, 0) },
              { name: 'Their power', value: power(p.power_w).join(' ') },
              { name: 'Pools', value: profile.pools?.map((x) => x.url).join(', ') ?? '' },
            ]
      }
      warning={refused.length > 0 ? `${count(refused.length, 'machine')} cannot take it: ${refused[0]!.why}${refused.length > 1 ? ', and others' : ''}.` : undefined}
      button={`Send ${count(p?.takes ?? 0, 'machine')}`}
      busy={send.isPending}
      error={send.error ?? preview.error}
      onConfirm={() => p && p.takes > 0 && send.mutate()}
    >
      {!machines && (
        <Stack gap="xs">
          <Radio.Group
            label="Which machines, by"
            value={who}
            onChange={(v) => {
              setWho(v as typeof who)
              setPicked([])
            }}
          >
            <Group gap="md" mt={4}>
              <Radio value="site" label="site" />
              <Radio value="group" label="group" />
              <Radio value="model" label="model" />
            </Group>
          </Radio.Group>
          <MultiSelect aria-label="Machines of" data={options} value={picked} onChange={setPicked} searchable placeholder={picked.length ? '' : 'choose'} />
        </Stack>
      )}
      {machines && (
        <Badge variant="light" color="gray">
          {count(machines.length, 'chosen machine')}
        </Badge>
      )}
    </Confirm>
  )
}

import './places.css'
import { Alert, Anchor, Badge, Button, Group, Loader, Modal, NativeSelect, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ask, type Schema, type SiteInfo } from '../../api/client'
import { useMay } from '../../frame/me'
import { fixed } from '../../format'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { listed, useEdit } from '../../parts/useEdit'
import { count } from './words'

type Password = Schema['MachinePassword']
type Wish = Schema['PasswordWish']
type Locked = Schema['LockedMachine']

const firmwares = ['antminer', 'whatsminer', 'avalon', 'braiins', 'luxos', 'vnish', 'epic', 'bitaxe', 'cgminer']
const fitsWhere = (p: { site: string; range: string; firmware: string; group: string }) => [p.group && `group ${p.group}`, p.range, p.firmware, p.site && `at ${p.site}`].filter(Boolean).join(', ') || 'all machines'

/** Passwords of machines: where each fits and how it does. What they are is
 * never shown. */
export function Passwords() {
  const may = useMay('configure')
  const queries = useQueryClient()
  const q = useQuery({ queryKey: ['passwords'], queryFn: ({ signal }) => ask<Schema['PasswordsBody']>('GET', '/machine-passwords', undefined, signal), refetchInterval: 5000, enabled: may })
  const [open, setOpen] = useState<Password | 'new' | undefined>()
  const [trying, setTrying] = useState<Locked | undefined>()
  const renew = () => void queries.invalidateQueries({ queryKey: ['passwords'] })
  if (!may) {
    return (
      <Page title="Firmware passwords">
        <Empty title="Not for your role">Passwords of machines take the right to configure, which engineers and administrators have.</Empty>
      </Page>
    )
  }
  const list = q.data?.passwords ?? []
  const locked = q.data?.locked ?? []
  return (
    <Page title="Firmware passwords" note="What Ballast signs in to machines with. The configuration's credentials come first; of these, the one that is meant most narrowly. It changes no password on any machine." actions={<Button onClick={() => setOpen('new')}>Enter a password</Button>}>
      {q.isPending ? (
        <Loader aria-label="loading" />
      ) : q.error && !q.data ? (
        <Trouble what="The passwords cannot be shown" error={q.error} again={() => void q.refetch()} />
      ) : (
        <Stack gap="xl">
          {list.length === 0 ? (
            <Empty title="No passwords entered" action={<Button onClick={() => setOpen('new')}>Enter a password</Button>}>
              Ballast guesses none. Many firmwares let everybody read and want one for commands only.
            </Empty>
          ) : (
            <div className="gridtable">
              <table data-testid="passwords">
                <thead>
                  <tr>
                    <th>Fits</th>
                    <th>User</th>
                    <th className="num">Machines</th>
                    <th className="num">Refused by</th>
                    <th>Note</th>
                    <th>Changed</th>
                    <th />
                  </tr>
                </thead>
                <tbody>
                  {list.map((p) => (
                    <tr key={p.id} className="line">
                      <td>{fitsWhere(p)}</td>
                      <td>{p.user}</td>
                      <td className="num">{fixed(p.machines, 0)}</td>
                      <td className="num">
                        {p.locked > 0 ? (
                          <Badge color="red" variant="light">
                            {fixed(p.locked, 0)}
                          </Badge>
                        ) : (
                          '0'
                        )}
                      </td>
                      <td>{p.note}</td>
                      <td>
                        {new Date(p.updated).toLocaleDateString()} by {p.by}
                      </td>
                      <td>
                        <Button size="compact-xs" variant="default" onClick={() => setOpen(p)}>
                          Change
                        </Button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <section>
            <Title order={2} mb="xs">
              {count(q.data?.locked_total ?? 0, 'machine')} still locked
            </Title>
            {locked.length === 0 ? (
              <Text c="dimmed">No machine wants a password that it does not have.</Text>
            ) : (
              <div className="gridtable">
                <table data-testid="locked">
                  <thead>
                    <tr>
                      <th>Machine</th>
                      <th>Address</th>
                      <th>Firmware</th>
                      <th>Why</th>
                      <th />
                    </tr>
                  </thead>
                  <tbody>
                    {locked.slice(0, 200).map((m) => (
                      <tr key={m.id} className="line">
                        <td>
                          <Anchor component={Link} to="/machines/$id" params={{ id: String(m.id) } as never} fz="sm">
                            {m.name}
                          </Anchor>
                        </td>
                        <td>{m.addr}</td>
                        <td>{m.firmware}</td>
                        <td>{m.password ? `refused the password for ${fitsWhere(list.find((p) => p.id === m.password) ?? { site: '', range: '', firmware: '', group: '' })}` : 'no password fits it, or the one of the configuration is refused'}</td>
                        <td>
                          <Button size="compact-xs" variant="default" onClick={() => setTrying(m)}>
                            Try one
                          </Button>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </section>
        </Stack>
      )}
      <Modal opened={open !== undefined} onClose={() => setOpen(undefined)} title={typeof open === 'object' ? 'Change a password' : 'Enter a password'}>
        {open !== undefined && (
          <PasswordForm
            key={open === 'new' ? 0 : open.id}
            of={open === 'new' ? undefined : open}
            onDone={() => {
              setOpen(undefined)
              renew()
            }}
          />
        )}
      </Modal>
      <Modal opened={trying !== undefined} onClose={() => setTrying(undefined)} title={`Try a password on ${trying?.name}`}>
        {trying && <Try machine={trying.id} />}
      </Modal>
    </Page>
  )
}

const wishOf = (p: Password): Wish => ({ site: p.site, range: p.range, firmware: p.firmware as Wish['firmware'], group: p.group, user: p.user, note: p.note })

/** Enters a password or changes one, tries it on a machine first if one likes. */
export function PasswordForm({ of, start, onDone }: { of?: Password; start?: Partial<Wish>; onDone: () => void }) {
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal) })
  const [w, setW] = useState<Wish>(of ? wishOf(of) : { site: start?.site ?? '', range: start?.range ?? '', firmware: (start?.firmware ?? '') as Wish['firmware'], group: '', user: '', note: '' })
  const edit = useEdit<Password, Wish>({ was: of, version: (p) => p.version, draftOf: wishOf, draft: w, setDraft: setW, newest: () => listed<Password>('/machine-passwords', of?.id, 'passwords'), names: { site: 'At site', range: 'Addresses', firmware: 'Firmware', group: 'Group', user: 'User', note: 'Note' } })
  const [password, setPassword] = useState('')
  const set = (next: Partial<Wish>) => setW({ ...w, ...next })
  const save = useMutation({
    mutationFn: () => ask(of ? 'PUT' : 'POST', '/machine-passwords' + (of ? `/${of.id}` : ''), { ...w, ...(password || !of ? { password } : {}) }, undefined, edit.headers),
    onSuccess: onDone,
  })
  const forget = useMutation({ mutationFn: () => ask('DELETE', `/machine-passwords/${of!.id}`), onSuccess: onDone })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    save.mutate()
  }
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm" maw={520}>
        <Group grow align="flex-start">
          <NativeSelect label="At site" value={w.site} onChange={(e) => set({ site: e.currentTarget.value })} data={[{ value: '', label: 'all sites' }, ...(sites.data ?? []).map((s) => ({ value: s.name, label: s.title }))]} />
          <NativeSelect label="Firmware" value={w.firmware} onChange={(e) => set({ firmware: e.currentTarget.value as Wish['firmware'] })} data={[{ value: '', label: 'all' }, ...firmwares]} />
        </Group>
        <Group grow align="flex-start">
          <TextInput label="Addresses" placeholder="all" value={w.range} onChange={(e) => set({ range: e.currentTarget.value })} />
          <TextInput label="Group" placeholder="all" value={w.group} onChange={(e) => set({ group: e.currentTarget.value })} />
        </Group>
        <Group grow align="flex-start">
          <TextInput label="User" placeholder="where the firmware has one" value={w.user} onChange={(e) => set({ user: e.currentTarget.value })} autoComplete="off" />
          <PasswordInput label="Machine password" required={!of} placeholder={of ? 'stays as it is' : ''} value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="new-password" />
        </Group>
        <TextInput label="Note" value={w.note} onChange={(e) => set({ note: e.currentTarget.value })} />
        {edit.says(save.error, save.reset) ?? ((save.error ?? forget.error) && <Trouble what="Not saved" error={(save.error ?? forget.error)!} />)}
        <Text fz="xs" c="dimmed">
          Kept encrypted; nobody can read it back, and it stands in no log. The key is the file secrets.key in the data folder: back it up apart from the record.
        </Text>
        <Group justify={of ? 'space-between' : 'flex-end'}>
          {of && (
            <Button variant="subtle" color="red" loading={forget.isPending} onClick={() => forget.mutate()}>
              Forget it
            </Button>
          )}
          <Button type="submit" loading={save.isPending} disabled={!of && !password}>
            Save and use it
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

const verdicts: { [k: string]: [string, string] } = {
  yes: ['teal', 'It fits.'],
  no: ['red', 'It does not fit: the machine refuses it.'],
  'not-needed': ['blue', 'This machine lets everybody read.'],
  unreachable: ['orange', 'The machine did not answer properly.'],
}

function Try({ machine }: { machine: number }) {
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const test = useMutation({ mutationFn: () => ask<Schema['PasswordTest']>('POST', '/machine-passwords/test', { machine, user, password }) })
  const v = test.data && verdicts[test.data.fits]
  return (
    <form
      autoComplete="off"
      onSubmit={(e) => {
        e.preventDefault()
        test.mutate()
      }}
    >
      <Stack gap="sm">
        <Text fz="sm">Signs in and reads; nothing is changed on the machine, and the password is not kept.</Text>
        <Group grow>
          <TextInput label="User" value={user} onChange={(e) => setUser(e.currentTarget.value)} autoComplete="off" />
          <PasswordInput label="Password to try" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="new-password" />
        </Group>
        {test.error && <Trouble what="Not tried" error={test.error} />}
        {v && (
          <Alert color={v[0]} role="status" data-testid="verdict">
            {v[1]} {test.data?.detail}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={test.isPending} disabled={!password}>
            Try it
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

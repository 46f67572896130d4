import { Badge, Button, Group, Modal, NativeSelect, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { type Column, DataTable } from '../../parts/DataTable'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Ago, day, type Grant, grantWords, type NewLink, NoRight, Once, Part, type Person, useSites, Wrong } from './access'
import { GrantsEditor } from './GrantsEditor'
import { PersonForm } from './PersonForm'
import { RolesTable } from './RolesTable'

/** Everybody who may come in, and with what. */
export function PeoplePage() {
  const may = useMay('administer')
  const [invite, setInvite] = useState(false)
  const [open, setOpen] = useState<number>()
  const [sort, setSort] = useState<[string, boolean]>(['name', false])
  const sites = useSites()
  const people = useQuery({ queryKey: ['people'], queryFn: ({ signal }) => ask<Person[]>('GET', '/people', undefined, signal), enabled: may })
  if (!may) {
    return (
      <Page title="People">
        <NoRight what="Who has an account is an admin's to see." />
      </Page>
    )
  }
  const columns: Column<Person>[] = [
    {
      key: 'name',
      title: 'Name',
      width: 'minmax(150px,1.2fr)',
      by: (p) => p.name.toLowerCase(),
      show: (p) => (
        <>
          <Text span fw={500} fz="sm">
            {p.name}
          </Text>
          {p.self && ' (you)'}
          {p.full_name && <Text span fz="sm" c="dimmed">{` ${p.full_name}`}</Text>}
        </>
      ),
    },
    { key: 'grants', title: 'Roles', width: 'minmax(180px,1.6fr)', by: (p) => grantWords(p.grants, sites.data), show: (p) => grantWords(p.grants, sites.data) + (p.elsewhere ? ', and elsewhere' : '') },
    { key: 'signs', title: 'Signs in by', width: 'minmax(110px,1fr)', show: (p) => waysIn(p) },
    { key: 'seen', title: 'Last seen', width: '130px', by: (p) => p.last_seen, show: (p) => (p.sessions ? <Ago at={p.last_seen} /> : <Text span fz="sm" c="dimmed">not signed in</Text>) },
    {
      key: 'state',
      title: 'State',
      width: '126px',
      by: (p) => p.disabled ?? '',
      show: (p) =>
        p.disabled ? (
          <Badge tt="none" color="red" variant="light" title={`since ${day(p.disabled, true)}`}>
            disabled
          </Badge>
        ) : (
          p.signs_in?.length ? 'may sign in' : 'for programs'
        ),
    },
  ]
  const chosen = people.data?.find((p) => p.id === open)
  return (
    <Page title="People" note="Who may come in, with which role, and where." actions={<Button onClick={() => setInvite(true)}>Invite somebody</Button>}>
      {people.error ? (
        <Trouble what="The accounts could not be read" error={people.error} again={() => void people.refetch()} />
      ) : people.data ? (
        <DataTable label="People" testid="people" rows={people.data} columns={columns} id={(p) => p.id} sort={sort[0]} desc={sort[1]} onSort={(k, d) => setSort([k, d])} onOpen={(p) => setOpen(p.id)} rowHeight={38} />
      ) : (
        <Skeleton h={160} aria-label="loading" />
      )}
      <Links />
      <RolesTable />
      <Modal opened={invite} onClose={() => setInvite(false)} title="Invite somebody" size="md">
        <InviteForm onDone={() => setInvite(false)} />
      </Modal>
      <Modal opened={!!chosen} onClose={() => setOpen(undefined)} title={chosen?.name ?? ''} size="md">
        {chosen && <PersonForm key={`${chosen.id}.${chosen.version}`} person={chosen} onDone={() => setOpen(undefined)} />}
      </Modal>
    </Page>
  )
}

function waysIn(p: Person): string {
  const words = { password: 'password', passkey: 'passkey', oidc: 'provider' }
  return p.signs_in?.length ? p.signs_in.map((w) => words[w]).join(', ') : 'keys only'
}

function InviteForm({ onDone }: { onDone: () => void }) {
  const queries = useQueryClient()
  const [grants, setGrants] = useState<Grant[]>([{ role: 'viewer' }])
  const [note, setNote] = useState('')
  const [hours, setHours] = useState('168')
  const make = useMutation({
    mutationFn: () => ask<NewLink>('POST', '/invites', { grants, note: note || undefined, hours: Number(hours) }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['invites'] }),
  })
  if (make.data) {
    return <Once what="the link" secret={make.data.link} note={`Send it to the person by a way that only they read. It makes one account and works until ${day(make.data.expires, true)}.`} onDone={onDone} />
  }
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        make.mutate()
      }}
    >
      <Stack>
        <Wrong error={make.error} />
        <GrantsEditor value={grants} onChange={setGrants} />
        <TextInput label="For whom" description="A note for you and the audit log; they choose their own name." placeholder="Maria, night shift" maxLength={100} value={note} onChange={(e) => setNote(e.currentTarget.value)} />
        <NativeSelect
          label="The link works for"
          value={hours}
          onChange={(e) => setHours(e.currentTarget.value)}
          data={[
            { value: '4', label: '4 hours' },
            { value: '24', label: 'a day' },
            { value: '168', label: 'a week' },
            { value: '720', label: '30 days' },
          ]}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending} disabled={grants.length === 0}>
            Make the link
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** Links that wait to be used. */
function Links() {
  const queries = useQueryClient()
  const sites = useSites()
  const links = useQuery({ queryKey: ['invites'], queryFn: ({ signal }) => ask<Schema['Invite'][]>('GET', '/invites', undefined, signal) })
  const revoke = useMutation({
    mutationFn: (id: number) => ask('DELETE', `/invites/${id}`),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['invites'] }),
  })
  if (links.error) return <Trouble what="The links could not be read" error={links.error} again={() => void links.refetch()} />
  if (!links.data?.length) return null
  return (
    <Part title="Links that wait to be used">
      <Wrong error={revoke.error} />
      <ul className="items" data-testid="links">
        {links.data.map((l) => (
          <li key={l.id}>
            <div>
              <Text fw={500} fz="sm">
                {l.purpose === 'reset-password' ? `New password for ${l.name}` : l.note || (l.purpose === 'admin' ? "From Ballast's console" : 'No note')}
              </Text>
              <Text fz="sm" c="dimmed">
                {l.purpose === 'reset-password' ? '' : `${grantWords(l.grants, sites.data)} · `}until {day(l.expires, true)}
              </Text>
            </div>
            <Button size="compact-sm" variant="default" onClick={() => revoke.mutate(l.id)} loading={revoke.isPending && revoke.variables === l.id}>
              Take back
            </Button>
          </li>
        ))}
      </ul>
    </Part>
  )
}

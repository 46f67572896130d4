import { Button, Loader, Modal, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ask } from '../../api/client'
import { liveNow } from '../../api/live'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { fixed, hashrate, power } from '../../format'
import { conditions, Dot } from '../../parts/Condition'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { type Bunch, useBunches } from './EditDialog'

/** Which groups and tags there are, how their machines do, and their names. */
export function Groups() {
  return (
    <Page title="Groups and tags" note="A machine is in one group at most, and carries any number of tags. Choose machines on the page Machines to put them into one.">
      <Bunches kind="groups" />
      <Bunches kind="tags" />
    </Page>
  )
}

const columns: Column<Bunch>[] = [
  { key: 'name', title: 'Name', width: 'minmax(120px,1fr)', show: (b) => b.name, by: (b) => b.name },
  { key: 'machines', title: 'Machines', width: '96px', num: true, show: (b) => fixed(b.machines, 0), by: (b) => b.machines },
  {
    key: 'conditions',
    title: 'Conditions',
    width: 'minmax(220px,1.6fr)',
    show: (b) => (
      <span className="map-legend" style={{ padding: 0, minHeight: 0, flexWrap: 'nowrap' }}>
        {conditions.map(([c]) => (b.conditions[c] ? <span key={c}><Dot of={c} />{fixed(b.conditions[c], 0)} {c}</span> : null))}
      </span>
    ),
  },
  { key: 'hashrate', title: 'Hashrate', width: '120px', num: true, show: (b) => hashrate(b.hashrate_ths).join(' '), by: (b) => b.hashrate_ths },
  { key: 'power', title: 'Power', width: '110px', num: true, show: (b) => power(b.power_w).join(' '), by: (b) => b.power_w },
  { key: 'sites', title: 'Sites', width: 'minmax(90px,0.8fr)', show: (b) => (b.sites ?? []).join(', ') },
]

function Bunches({ kind }: { kind: 'groups' | 'tags' }) {
  const go = useNavigate()
  const { site } = useView()
  const may = useMay('repair')
  const q = useBunches(kind, site)
  const [sort, setSort] = useState<{ key: string; desc: boolean }>({ key: 'name', desc: false })
  const [rename, setRename] = useState<Bunch>()
  const one = kind === 'groups' ? 'group' : 'tag'
  const shown: Column<Bunch>[] = may ? [...columns, { key: 'edit', title: '', width: '96px', show: (b) => <Button size="compact-xs" variant="subtle" onClick={() => setRename(b)} aria-label={`Rename ${b.name}`}>Rename</Button> }] : columns
  return (
    <section aria-label={kind} style={{ marginBottom: 28 }}>
      <Title order={2} mb="xs">
        {kind === 'groups' ? 'Groups' : 'Tags'}
      </Title>
      {q.error ? (
        <Trouble what={`The ${kind} cannot be shown`} error={q.error} again={() => void q.refetch()} />
      ) : !q.data ? (
        <Loader size="sm" aria-label="loading" />
      ) : q.data.length === 0 ? (
        <Empty title={`No ${kind} yet`} action={<Button size="xs" variant="default" onClick={() => void go({ to: '/machines' })}>To the machines</Button>}>
          Choose some machines in the table or with a box on the map, then More, {kind === 'groups' ? 'Group' : 'Tags'}.
        </Empty>
      ) : (
        <DataTable label={kind} testid={kind} rows={q.data} columns={shown} id={(b) => b.name} sort={sort.key} desc={sort.desc} onSort={(key, desc) => setSort({ key, desc })} onOpen={(b) => void go({ to: '/machines', search: { [one]: b.name } })} height={`${Math.min(q.data.length + 1, 12) * 34 + 12}px`} />
      )}
      {rename && <Rename one={one} bunch={rename} onClose={() => setRename(undefined)} />}
    </section>
  )
}

function Rename({ one, bunch, onClose }: { one: 'group' | 'tag'; bunch: Bunch; onClose: () => void }) {
  const queries = useQueryClient()
  const [name, setName] = useState(bunch.name)
  const machines = [...liveNow().rows.values()].filter((r) => (one === 'group' ? r.group === bunch.name : r.tags?.includes(bunch.name))).map((r) => r.id)
  const edit = useMutation({
    mutationFn: (next: string) => ask('POST', '/machines/edit', { machines, ...(one === 'group' ? { group: next } : { add_tags: next ? [next] : [], remove_tags: [bunch.name] }) }),
    onSuccess: () => {
      for (const k of ['groups', 'tags', 'map']) void queries.invalidateQueries({ queryKey: [k] })
      onClose()
    },
  })
  return (
    <Modal opened onClose={onClose} title={`The ${one} ${bunch.name}`}>
      <form onSubmit={(e) => (e.preventDefault(), edit.mutate(name.trim()))}>
        <TextInput data-autofocus label="Name" value={name} maxLength={100} onChange={(e) => setName(e.currentTarget.value)} description={`${fixed(machines.length, 0)} machines carry it. A name that exists already joins the two.`} />
        {edit.error && <Trouble what="It was not changed" error={edit.error} />}
        <div style={{ display: 'flex', justifyContent: 'space-between', marginTop: 16 }}>
          <Button variant="subtle" color="gray" loading={edit.isPending} onClick={() => edit.mutate('')}>
            Take it off all of them
          </Button>
          <Button type="submit" disabled={!name.trim() || name.trim() === bunch.name || machines.length === 0} loading={edit.isPending}>
            Rename
          </Button>
        </div>
        {machines.length === 0 && <Text fz="sm" c="dimmed">No machine that you see here carries it.</Text>}
      </form>
    </Modal>
  )
}

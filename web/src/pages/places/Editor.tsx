import './places.css'
import { Alert, Anchor, Badge, Button, Group, Loader, Menu, Modal, NumberInput, Stack, Tabs, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { ask, Failed, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { fixed } from '../../format'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { inWords, type Layout, words } from './layout'
import { Plan, type Problem } from './Plan'
import { Power } from './Power'
import { ImportTool, PatternTool } from './Tools'
import { type Draft, useDraft } from './useDraft'
import { count, lines } from './words'

type Record = Schema['SiteRecord']
type Placement = Schema['PlacementBody']
type Check = Schema['LayoutCheck']

const draftOf = (s: Record): Draft => ({ title: s.title, ranges: s.ranges ?? [], layout: s.layout })

/** One site: its layout, its power and cooling, its addresses. */
export function Editor() {
  const { name } = useParams({ from: '/frame/places/sites/$name' })
  const path = `/sites/${encodeURIComponent(name)}`
  const site = useQuery({ queryKey: ['site', name], queryFn: ({ signal }) => ask<Record>('GET', path, undefined, signal), refetchOnWindowFocus: false, staleTime: Infinity, gcTime: 0 })
  const placement = useQuery({ queryKey: ['placement', name], queryFn: ({ signal }) => ask<Placement>('GET', `${path}/placement`, undefined, signal), refetchInterval: 15_000 })
  if (site.isPending || placement.isPending) return <Loader aria-label="loading" />
  const error = site.error ?? placement.error
  if (error && (!site.data || !placement.data)) {
    return (
      <Page title={name}>
        <Trouble what={`Site ${name} cannot be shown`} error={error} again={() => void site.refetch()} />
        <Anchor component={Link} to="/places/sites">
          All sites
        </Anchor>
      </Page>
    )
  }
  return <Inside key={name} name={name} path={path} first={site.data!} placement={placement.data!} />
}

function Inside({ name, path, first, placement }: { name: string; path: string; first: Record; placement: Placement }) {
  const may = useMay('configure')
  const queries = useQueryClient()
  const go = useNavigate()
  const [version, setVersion] = useState(first.version)
  const d = useDraft(draftOf(first))
  const [tool, setTool] = useState<'' | 'pattern' | 'import' | 'remove'>('')
  const machines = placement.machines ?? []
  const check = useCheck(path, d.draft.layout, may)
  const problems = useMemo(() => (check?.problems ?? []).map((p) => ({ ...p, what: inWords(d.draft.layout, p.what) })), [check, d.draft.layout])
  const edit = (what: string, layout: Layout) => d.change(what, { ...d.draft, layout })
  const save = useMutation({
    mutationFn: (over?: number) => ask<Record>('PUT', path, d.draft, undefined, { 'If-Match': `"${over ?? version}"` }),
    onSuccess: (s) => {
      setVersion(s.version)
      d.saved(draftOf(s))
      queries.setQueryData(['site', name], s)
      void queries.invalidateQueries({ queryKey: ['placement', name] })
      void queries.invalidateQueries({ queryKey: ['sites'] })
    },
  })
  const clash = save.error instanceof Failed && save.error.status === 412
  const theirs = async () => {
    const s = await ask<Record>('GET', path)
    setVersion(s.version)
    d.open(draftOf(s))
    save.reset()
  }
  const mine = async () => {
    const s = await ask<Record>('GET', path)
    save.mutate(s.version)
  }
  const remove = useMutation({
    mutationFn: () => ask('DELETE', path),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['sites'] })
      void go({ to: '/places/sites' })
    },
  })
  const conflicts = placement.conflicts ?? []

  return (
    <Page
      title={d.draft.title}
      note={
        <>
          <Anchor component={Link} to="/places/sites" fz="sm">
            Sites
          </Anchor>{' '}
          · {count(machines.length, 'machine')}, {fixed(placement.slots, 0)} slots, {fixed(placement.empty_total, 0)} empty · version {version}
        </>
      }
      actions={
        <>
          {may && (
            <>
              <Button variant="default" disabled={!d.undo} onClick={d.undo} title={d.undoes ? `Undo: ${d.undoes}` : undefined}>
                Undo
              </Button>
              <Button variant="default" disabled={!d.redo} onClick={d.redo} title={d.redoes ? `Redo: ${d.redoes}` : undefined}>
                Redo
              </Button>
            </>
          )}
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="default">More</Button>
            </Menu.Target>
            <Menu.Dropdown>
              {may && <Menu.Item onClick={() => setTool('pattern')}>Add racks by pattern…</Menu.Item>}
              {may && <Menu.Item onClick={() => setTool('import')}>Import a table…</Menu.Item>}
              <Menu.Item component="a" href={`/api/v1${path}/layout?format=yaml`} download>
                Download as YAML
              </Menu.Item>
              <Menu.Item component="a" href={`/api/v1${path}/layout?format=csv`} download>
                Download as CSV
              </Menu.Item>
              {may && (
                <Menu.Item color="red" onClick={() => setTool('remove')}>
                  Remove the site…
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
          {may && (
            <Button disabled={!d.dirty || problems.length > 0} loading={save.isPending} onClick={() => save.mutate(undefined)} title={problems.length > 0 ? 'Mend what is not valid first' : undefined}>
              Save
            </Button>
          )}
        </>
      }
    >
      {!may && (
        <Alert color="gray" mb="sm" role="status">
          You may look at this site. Changing it takes the right to configure, which engineers and administrators have.
        </Alert>
      )}
      {clash ? (
        <Alert color="orange" title="Somebody else saved this site meanwhile" mb="sm" role="alert" data-testid="clash">
          <Text fz="sm">Your changes are still here and not saved.</Text>
          <Group mt="xs">
            <Button size="xs" variant="default" onClick={() => void theirs()}>
              Look at theirs, drop mine
            </Button>
            <Button size="xs" color="orange" onClick={() => void mine()}>
              Save mine over theirs
            </Button>
          </Group>
        </Alert>
      ) : (
        save.error && <Trouble what="Not saved" error={save.error} again={() => save.mutate(undefined)} />
      )}
      {problems.length > 0 && (
        <Alert color="red" title={`${count(problems.length, 'thing')} not valid yet`} mb="sm" role="status" data-testid="problems">
          {problems.slice(0, 8).map((p, i) => (
            <Text fz="sm" key={i}>
              {p.at && <b>{where(d.draft.layout, p)}: </b>}
              {p.what}
            </Text>
          ))}
          {problems.length > 8 && <Text fz="sm">and {problems.length - 8} more</Text>}
        </Alert>
      )}
      {d.dirty && problems.length === 0 && check && (
        <Text fz="sm" mb="xs" role="status" data-testid="effect">
          Not saved. Saving moves {count(check.moves, 'machine')}; {fixed(check.placed, 0)} of {fixed(machines.length, 0)} have a slot in this layout.
        </Text>
      )}

      <Tabs defaultValue="plan" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="plan">Plan</Tabs.Tab>
          <Tabs.Tab value="power">Power and cooling</Tabs.Tab>
          <Tabs.Tab value="conflicts" rightSection={conflicts.length > 0 ? <Badge size="sm" color="orange" variant="light">{fixed(conflicts.length, 0)}</Badge> : undefined}>
            Contradictions
          </Tabs.Tab>
          <Tabs.Tab value="site">Site</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="plan">
          {may && (
            <Group gap="xs" mb="sm">
              <Button size="compact-sm" variant="light" onClick={() => setTool('pattern')}>
                Add racks by pattern
              </Button>
              <Button size="compact-sm" variant="light" onClick={() => setTool('import')}>
                Import a table
              </Button>
            </Group>
          )}
          <Plan layout={d.draft.layout} machines={machines} problems={problems} may={may} change={edit} />
        </Tabs.Panel>
        <Tabs.Panel value="power">
          <Power layout={d.draft.layout} problems={problems} may={may} change={edit} />
        </Tabs.Panel>
        <Tabs.Panel value="conflicts">
          <Conflicts placement={placement} may={may} onDone={() => void queries.invalidateQueries({ queryKey: ['placement', name] })} />
        </Tabs.Panel>
        <Tabs.Panel value="site">
          <Facts draft={d.draft} problems={problems} may={may} change={d.change} />
        </Tabs.Panel>
      </Tabs>

      {tool === 'pattern' && (
        <PatternTool
          layout={d.draft.layout}
          onClose={() => setTool('')}
          onDone={(what, l) => {
            edit(what, l)
            setTool('')
          }}
        />
      )}
      {tool === 'import' && (
        <ImportTool
          name={name}
          layout={d.draft.layout}
          onClose={() => setTool('')}
          onDone={(what, l) => {
            edit(what, l)
            setTool('')
          }}
        />
      )}
      <Modal opened={tool === 'remove'} onClose={() => setTool('')} title={`Remove ${d.draft.title}?`}>
        <Stack gap="sm">
          <Text fz="sm">Its layout goes with it; the audit log keeps it. A site with machines cannot be removed.</Text>
          {remove.error && <Trouble what="Not removed" error={remove.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setTool('')}>
              Leave as it is
            </Button>
            <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
              Remove the site
            </Button>
          </Group>
        </Stack>
      </Modal>
      <Modal opened={d.blocker.status === 'blocked'} onClose={() => d.blocker.reset?.()} title="Leave without saving?">
        <Stack gap="sm">
          <Text fz="sm">The changes to this site are not saved.</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => d.blocker.reset?.()}>
              Stay
            </Button>
            <Button color="red" onClick={() => d.blocker.proceed?.()}>
              Leave, drop the changes
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Page>
  )
}

/** What the server says of a draft, a moment after it changed. */
function useCheck(path: string, layout: Layout, may: boolean): Check | undefined {
  const [settled, setSettled] = useState(layout)
  useEffect(() => {
    const t = window.setTimeout(() => setSettled(layout), 350)
    return () => window.clearTimeout(t)
  }, [layout])
  const q = useQuery({ queryKey: ['check', path, settled], queryFn: ({ signal }) => ask<Check>('POST', `${path}/check`, { layout: settled }, signal), enabled: may, placeholderData: (old) => old, gcTime: 30_000 })
  return q.data
}

/** Where a problem is, in the owner's names. */
const where = (l: Layout, p: Problem) => (p.at.includes('/') ? p.at : words(l, p.at).join(', '))

function Facts({ draft, problems, may, change }: { draft: Draft; problems: Problem[]; may: boolean; change: (what: string, d: Draft) => void }) {
  const l = draft.layout
  const set = (key: keyof Layout, value: unknown) => change(`type ${key}`, { ...draft, layout: { ...l, [key]: value === '' ? undefined : value } })
  const wrong = (at: string) => problems.find((p) => p.at === at)?.what
  const [ranges, setRanges] = useState(draft.ranges.join('\n'))
  const told = useMemo(() => lines(ranges).join(), [ranges])
  useEffect(() => {
    if (told !== draft.ranges.join()) setRanges(draft.ranges.join('\n'))
    // Only when they change elsewhere: by undo.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [draft.ranges])
  return (
    <Stack maw={620} gap="sm">
      <TextInput label="Title" value={draft.title} readOnly={!may} required onChange={(e) => change('type title', { ...draft, title: e.currentTarget.value, layout: { ...l, name: e.currentTarget.value } })} error={wrong('name')} />
      <Textarea
        label="Addresses"
        description="One range a line, such as 10.20.0.0/16 or 10.20.0.5-10.20.1.9. Machines found in them belong to this site; they are scanned from time to time."
        autosize
        minRows={2}
        readOnly={!may}
        value={ranges}
        onChange={(e) => {
          setRanges(e.currentTarget.value)
          change('type addresses', { ...draft, ranges: lines(e.currentTarget.value) })
        }}
      />
      <Group grow align="flex-start">
        <TextInput label="Jurisdiction" placeholder="US-TX" value={l.jurisdiction ?? ''} readOnly={!may} error={wrong('jurisdiction')} onChange={(e) => set('jurisdiction', e.currentTarget.value)} />
        <TextInput label="Time zone" placeholder="America/Chicago" value={l.zone ?? ''} readOnly={!may} error={wrong('zone')} onChange={(e) => set('zone', e.currentTarget.value)} />
      </Group>
      <Group grow align="flex-start">
        <NumberInput label="Latitude, degrees north" value={l.latitude ?? ''} decimalScale={5} readOnly={!may} error={wrong('latitude')} onChange={(v) => set('latitude', v === '' ? undefined : Number(v))} />
        <NumberInput label="Longitude, degrees east" value={l.longitude ?? ''} decimalScale={5} readOnly={!may} error={wrong('longitude')} onChange={(v) => set('longitude', v === '' ? undefined : Number(v))} />
      </Group>
      <Group grow align="flex-start">
        <NumberInput label="Cap at the grid connection, MW" value={l.cap_w ? l.cap_w / 1e6 : ''} min={0} decimalScale={3} readOnly={!may} error={wrong('cap')} onChange={(v) => set('cap_w', v === '' ? undefined : Number(v) * 1e6)} />
        <TextInput label="Tariff" description="By its name in the configuration." value={l.tariff ?? ''} readOnly={!may} onChange={(e) => set('tariff', e.currentTarget.value)} />
      </Group>
    </Stack>
  )
}

const kinds: { [k: string]: string } = { claimed: 'Two machines, one slot', other: 'Another machine than described', 'by-hand': 'Placed by hand elsewhere', 'no-slot': 'Placed by hand, no such slot', nowhere: 'No slot for it' }

const versionOf = (m: { version: number } | undefined): { [header: string]: string } => (m ? { 'If-Match': `"${m.version}"` } : {})

function Conflicts({ placement, may, onDone }: { placement: Placement; may: boolean; onDone: () => void }) {
  const names = useMemo(() => new Map((placement.machines ?? []).map((m) => [m.id, m])), [placement])
  const follow = useMutation({ mutationFn: (id: number) => ask('PUT', `/machines/${id}/place`, {}, undefined, versionOf(names.get(id))), onSettled: onDone })
  const list = (placement.conflicts ?? []).toSorted((a, b) => Number(a.kind === 'nowhere') - Number(b.kind === 'nowhere'))
  const empty = placement.empty ?? []
  return (
    <div className="two">
      <section>
        <Text fw={600} mb={6}>
          {list.length === 0 ? 'Nothing contradicts the layout' : count(list.length, 'contradiction')}
        </Text>
        {follow.error && <Trouble what="Not changed" error={follow.error} />}
        {list.length > 0 && (
          <div className="gridtable" data-testid="conflicts">
            <table>
              <thead>
                <tr>
                  <th>Machine</th>
                  <th>What</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {list.slice(0, 500).map((c) => (
                  <tr key={c.kind + c.machine} className="line">
                    <td style={{ whiteSpace: 'nowrap' }}>
                      <Anchor component={Link} to="/machines/$id" params={{ id: String(c.machine) } as never} fz="sm">
                        {names.get(c.machine)?.name ?? `machine ${c.machine}`}
                      </Anchor>
                    </td>
                    <td>
                      {kinds[c.kind]}
                      <Text fz="xs" c="dimmed">
                        {c.why}
                      </Text>
                    </td>
                    <td>
                      {may && (c.kind === 'by-hand' || c.kind === 'no-slot') && (
                        <Button size="compact-xs" variant="default" onClick={() => follow.mutate(c.machine)}>
                          Follow the layout
                        </Button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <section>
        <Text fw={600} mb={6}>
          {count(placement.empty_total, 'empty slot')}
        </Text>
        <Text fz="sm" c="dimmed">
          {empty.slice(0, 200).join(', ')}
          {placement.empty_total > 200 && ` and ${fixed(placement.empty_total - 200, 0)} more`}
        </Text>
      </section>
    </div>
  )
}

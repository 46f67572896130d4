import { Alert, Autocomplete, Button, Group, Modal, Stack, TagsInput, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ask, type Machine } from '../../../api/client'
import { useMay } from '../../../frame/me'
import { same } from '../../../parts/merge'
import { useEdit } from '../../../parts/useEdit'
import { useBunches } from '../EditDialog'

interface Draft {
  name: string
  group: string
  tags: string[]
  building: string
  container: string
  rack: string
  slot: string
}

const draftOf = (m: Machine): Draft => {
  const p = m.record.place ?? {}
  return { name: m.record.name ?? '', group: m.group, tags: m.record.tags ?? [], building: p.building ?? '', container: p.container ?? '', rack: p.rack ?? '', slot: p.slot ?? '' }
}

/** What the record says of one machine, to be changed by people: name, group,
 * tags, place, and whether it is in service. */
export function Edit({ m, onClose }: { m: Machine; onClose: () => void }) {
  const queries = useQueryClient()
  const mayRetire = useMay('configure')
  const groups = useBunches('groups')
  const tags = useBunches('tags')
  const [draft, setDraft] = useState(draftOf(m))
  const change = (next: Partial<Draft>) => setDraft({ ...draft, ...next })
  const from = useEdit<Machine, Draft>({ was: m, version: (x) => x.version, draftOf, draft, setDraft, newest: () => ask<Machine>('GET', `/machines/${m.id}`), names: { name: 'Name', group: 'Group', tags: 'Tags', building: 'Building', container: 'Container', rack: 'Rack', slot: 'Slot' } })
  const retired = !!m.record.retired
  const edit = useMutation({
    mutationFn: (body: unknown) => ask('PATCH', `/machines/${m.id}`, body, undefined, from.headers),
    onSuccess: () => {
      for (const k of ['machine', 'map', 'groups', 'tags', 'siblings']) void queries.invalidateQueries({ queryKey: [k] })
      onClose()
    },
  })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    const old = from.basis?.record.tags ?? []
    const { name, group, tags: carried, ...place } = draft
    const { building, container, rack, slot } = draftOf(from.basis ?? m)
    // A place that is sent is one set by hand: only when it was.
    const moved = same(place, { building, container, rack, slot }) ? {} : { place }
    edit.mutate({ name: name.trim(), group: group.trim(), ...moved, add_tags: carried.filter((t) => !old.includes(t)), remove_tags: old.filter((t) => !carried.includes(t)) })
  }
  const spot = (key: 'building' | 'container' | 'rack' | 'slot', label: string) => <TextInput label={label} value={draft[key]} maxLength={100} onChange={(e) => change({ [key]: e.currentTarget.value })} />
  return (
    <Modal opened onClose={onClose} title={`Edit ${m.name}`}>
      <Stack component="form" onSubmit={submit} gap="sm">
        <TextInput data-autofocus label="Name" description="Empty: its host name, else its address." value={draft.name} maxLength={100} onChange={(e) => change({ name: e.currentTarget.value })} />
        <Autocomplete label="Group" data={(groups.data ?? []).map((g) => g.name)} value={draft.group} onChange={(group) => change({ group })} maxLength={100} />
        <TagsInput label="Tags" data={(tags.data ?? []).map((t) => t.name)} value={draft.tags} onChange={(carried) => change({ tags: carried })} maxTags={20} />
        <Group grow gap="xs">
          {spot('building', 'Building')}
          {spot('container', 'Container')}
        </Group>
        <Group grow gap="xs">
          {spot('rack', 'Rack')}
          {spot('slot', 'Slot')}
        </Group>
        {from.says(edit.error, edit.reset) ??
          (edit.error && (
            <Alert color="red" role="alert">
              {edit.error.message}
            </Alert>
          ))}
        <Group justify="space-between">
          {mayRetire ? (
            <Button variant="subtle" color={retired ? undefined : 'red'} onClick={() => edit.mutate({ retired: !retired })}>
              {retired ? 'Take into service again' : 'Retire'}
            </Button>
          ) : (
            <span />
          )}
          <Button type="submit" loading={edit.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

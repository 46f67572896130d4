import { Alert, Autocomplete, Button, Group, Modal, Stack, TagsInput, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ask, type Machine } from '../../../api/client'
import { useMay } from '../../../frame/me'
import { useBunches } from '../EditDialog'

/** What the record says of one machine, to be changed by people: name, group,
 * tags, place, and whether it is in service. */
export function Edit({ m, onClose }: { m: Machine; onClose: () => void }) {
  const queries = useQueryClient()
  const mayRetire = useMay('configure')
  const groups = useBunches('groups')
  const tags = useBunches('tags')
  const was = m.record.place ?? {}
  const [name, setName] = useState(m.record.name ?? '')
  const [group, setGroup] = useState(m.group)
  const [carried, setCarried] = useState(m.record.tags ?? [])
  const [place, setPlace] = useState({ building: was.building ?? '', container: was.container ?? '', rack: was.rack ?? '', slot: was.slot ?? '' })
  const retired = !!m.record.retired
  const edit = useMutation({
    mutationFn: (body: unknown) => ask('PATCH', `/machines/${m.id}`, body),
    onSuccess: () => {
      for (const k of ['machine', 'map', 'groups', 'tags', 'siblings']) void queries.invalidateQueries({ queryKey: [k] })
      onClose()
    },
  })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    const old = m.record.tags ?? []
    edit.mutate({ name: name.trim(), group: group.trim(), place, add_tags: carried.filter((t) => !old.includes(t)), remove_tags: old.filter((t) => !carried.includes(t)) })
  }
  const spot = (key: keyof typeof place, label: string) => <TextInput label={label} value={place[key]} maxLength={100} onChange={(e) => setPlace({ ...place, [key]: e.currentTarget.value })} />
  return (
    <Modal opened onClose={onClose} title={`Edit ${m.name}`}>
      <Stack component="form" onSubmit={submit} gap="sm">
        <TextInput data-autofocus label="Name" description="Empty: its host name, else its address." value={name} maxLength={100} onChange={(e) => setName(e.currentTarget.value)} />
        <Autocomplete label="Group" data={(groups.data ?? []).map((g) => g.name)} value={group} onChange={setGroup} maxLength={100} />
        <TagsInput label="Tags" data={(tags.data ?? []).map((t) => t.name)} value={carried} onChange={setCarried} maxTags={20} />
        <Group grow gap="xs">
          {spot('building', 'Building')}
          {spot('container', 'Container')}
        </Group>
        <Group grow gap="xs">
          {spot('rack', 'Rack')}
          {spot('slot', 'Slot')}
        </Group>
        {edit.error && (
          <Alert color="red" role="alert">
            {edit.error.message}
          </Alert>
        )}
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

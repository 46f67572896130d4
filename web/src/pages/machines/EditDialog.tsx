import { Autocomplete, TagsInput, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Row, type Schema } from '../../api/client'
import { fixed, power } from '../../format'
import { Confirm } from '../../parts/Confirm'

export type Bunch = Schema['Bunch']

/** Names of groups or tags in use, for suggestions. */
export function useBunches(kind: 'groups' | 'tags', site?: string) {
  return useQuery({ queryKey: [kind, site], queryFn: ({ signal }) => ask<Bunch[]>('GET', `/${kind}${site ? `?site=${encodeURIComponent(site)}` : ''}`, undefined, signal) })
}

/** What is written in the record of several machines at once. */
export function EditDialog({ what, rows, onClose }: { what: 'group' | 'tags' | 'retire'; rows: Row[]; onClose: () => void }) {
  const queries = useQueryClient()
  const groups = useBunches('groups')
  const tags = useBunches('tags')
  const [group, setGroup] = useState('')
  const [add, setAdd] = useState<string[]>([])
  const [remove, setRemove] = useState<string[]>([])
  const machines = rows.map((r) => r.id)
  const edit = useMutation({
    mutationFn: () => ask('POST', '/machines/edit', { machines, ...(what === 'group' ? { group: group.trim() } : what === 'tags' ? { add_tags: add, remove_tags: remove } : { retired: true }) }),
    onSuccess: () => {
      for (const k of ['groups', 'tags', 'map', 'machine']) void queries.invalidateQueries({ queryKey: [k] })
      onClose()
    },
  })
  const n = `${fixed(rows.length, 0)} ${rows.length === 1 ? 'machine' : 'machines'}`
  const carried = [...new Set(rows.flatMap((r) => r.tags ?? []))].sort()
  const common = { opened: true, onClose, busy: edit.isPending, error: edit.error, onConfirm: () => edit.mutate() }
  if (what === 'group') {
    const moved = rows.filter((r) => r.group && r.group !== group.trim()).length
    return (
      <Confirm {...common} title={`Group: ${n}`} button={group.trim() ? `Put into ${group.trim()}` : 'Take out of their groups'} effects={[{ name: 'Change', value: n }, { name: 'Leave another group', value: fixed(moved, 0) }]} inputs={<Autocomplete label="Group" description="One group a machine; it is what dispatch and passwords go by. Empty takes them out." data={(groups.data ?? []).map((g) => g.name)} value={group} onChange={setGroup} maxLength={100} />} />
    )
  }
  if (what === 'tags')
    return (
      <Confirm
        {...common}
        title={`Tags: ${n}`}
        button="Change the tags"
        disabled={add.length + remove.length === 0}
        effects={[{ name: 'Change', value: n }]}
        inputs={
          <>
            <TagsInput label="Add" data={(tags.data ?? []).map((t) => t.name)} value={add} onChange={setAdd} maxTags={20} placeholder="Type, then Enter" />
            {carried.length > 0 && <TagsInput label="Remove" data={carried} value={remove} onChange={(v) => setRemove(v.filter((t) => carried.includes(t)))} />}
          </>
        }
      />
    )
  const draws = rows.reduce((sum, r) => sum + (r.power_w ?? 0), 0)
  return (
    <Confirm
      {...common}
      title={`Retire: ${n}`}
      danger
      button={`Retire ${n}`}
      effects={[
        { name: 'Leave lists and the map', value: n },
        { name: 'Are no longer polled', value: draws > 0 ? `they draw ${power(draws).join(' ')} now, and go on doing so` : n },
      ]}
      warning="Retiring changes the record, not the machine. History stays. A retired machine comes back when somebody takes it into service again on its page."
    >
      <Text fz="sm">Use it for machines that are sold, scrapped or gone.</Text>
    </Confirm>
  )
}

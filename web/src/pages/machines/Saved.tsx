import { Alert, Button, Checkbox, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { toQuery } from './filter'

type SavedFilter = Schema['SavedFilter']

/** Filters that are kept under a name, for oneself or for everybody. */
export function Saved({ search, onApply }: { search: Record<string, unknown>; onApply: (query: Record<string, string>) => void }) {
  const queries = useQueryClient()
  const mayShare = useMay('repair')
  const [naming, setNaming] = useState(false)
  const [name, setName] = useState('')
  const [shared, setShared] = useState(false)
  const list = useQuery({ queryKey: ['filters'], queryFn: ({ signal }) => ask<SavedFilter[]>('GET', '/filters', undefined, signal) })
  const fresh = () => void queries.invalidateQueries({ queryKey: ['filters'] })
  const save = useMutation({
    mutationFn: () => ask('POST', '/filters', { name: name.trim(), query: toQuery(search), shared }),
    onSuccess: () => {
      setNaming(false)
      setName('')
      fresh()
    },
  })
  const remove = useMutation({ mutationFn: (id: number) => ask('DELETE', `/filters/${id}`), onSuccess: fresh })
  const have = list.data ?? []
  return (
    <>
      <Menu position="bottom-start" withinPortal>
        <Menu.Target>
          <Button size="xs" variant="default">
            Saved filters{have.length > 0 && ` (${have.length})`}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {have.length === 0 && <Menu.Label>None yet</Menu.Label>}
          {have.map((f) => (
            <Menu.Item key={f.id} onClick={() => onApply(Object.fromEntries(new URLSearchParams(f.query)))} title={decodeURIComponent(f.query.replaceAll('+', ' '))}>
              {f.name}
              {f.shared && (
                <Text span c="dimmed" fz="xs" ml={6}>
                  shared by {f.actor}
                </Text>
              )}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setNaming(true)}>Save or remove…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={naming} onClose={() => setNaming(false)} title="Saved filters">
        <Stack gap="sm" component="form" onSubmit={(e) => (e.preventDefault(), name.trim() && save.mutate())}>
          <TextInput data-autofocus label="Save what is shown now as" value={name} maxLength={100} onChange={(e) => setName(e.currentTarget.value)} description={toQuery(search) ? decodeURIComponent(toQuery(search).replaceAll('+', ' ')).replaceAll('&', ', ') : 'All machines'} />
          {mayShare && <Checkbox label="For everybody" checked={shared} onChange={(e) => setShared(e.currentTarget.checked)} />}
          {(save.error || remove.error) && (
            <Alert color="red" role="alert">
              {(save.error ?? remove.error)!.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button type="submit" disabled={!name.trim()} loading={save.isPending}>
              {have.some((f) => f.name === name.trim() && f.shared === shared) ? 'Replace' : 'Save'}
            </Button>
          </Group>
          {have.map((f) => (
            <Group key={f.id} justify="space-between" gap="xs">
              <Text fz="sm">
                {f.name} {f.shared && <Text span c="dimmed" fz="xs">shared</Text>}
              </Text>
              {(!f.shared || mayShare) && (
                <Button size="compact-xs" variant="subtle" color="gray" aria-label={`Remove ${f.name}`} onClick={() => remove.mutate(f.id)}>
                  Remove
                </Button>
              )}
            </Group>
          ))}
        </Stack>
      </Modal>
    </>
  )
}

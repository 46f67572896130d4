import { Badge, Button, Checkbox, Group, Modal, NativeSelect, SegmentedControl, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ask, type Right, type Schema } from '../../api/client'
import { useMay, useMe } from '../../frame/me'
import { Confirm } from '../../parts/Confirm'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Ago, day, type KeyInfo, Once, rightNames, useRoles, Wrong } from './access'

const ended = (k: KeyInfo) => !!k.revoked || (!!k.expires && new Date(k.expires).getTime() < Date.now())

/** API keys: one's own, and for an admin everybody's. */
export function KeysPage() {
  const { of } = useSearch({ from: '/frame/settings/keys' })
  const go = useNavigate({ from: '/settings/keys' })
  const admin = useMay('administer')
  const queries = useQueryClient()
  const all = of === 'everybody' && admin
  const [old, setOld] = useState(false)
  const [sort, setSort] = useState<[string, boolean]>(['created', true])
  const [making, setMaking] = useState(false)
  const [ending, setEnding] = useState<KeyInfo>()
  const keys = useQuery({ queryKey: ['keys', all], queryFn: ({ signal }) => ask<KeyInfo[]>('GET', `/keys?of=${all ? 'everybody' : 'me'}`, undefined, signal) })
  const revoke = useMutation({
    mutationFn: (k: KeyInfo) => ask('DELETE', `/keys/${k.id}`),
    onSuccess: () => setEnding(undefined),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['keys'] }),
  })
  const shown = keys.data?.filter((k) => old || !ended(k)) ?? []
  const hidden = (keys.data?.length ?? 0) - shown.length
  const columns: Column<KeyInfo>[] = [
    { key: 'name', title: 'Name', width: 'minmax(130px,1.2fr)', by: (k) => k.name.toLowerCase(), show: (k) => k.name },
    ...(all ? [{ key: 'owner', title: 'Owner', width: 'minmax(100px,0.8fr)', by: (k: KeyInfo) => k.owner.toLowerCase(), show: (k: KeyInfo) => k.owner }] : []),
    { key: 'scopes', title: 'May', width: 'minmax(150px,1.4fr)', show: (k) => k.scopes?.map((s) => rightNames[s]).join(', ') },
    { key: 'prefix', title: 'Begins', width: '160px', show: (k) => <span className="hash">{k.prefix}…</span> },
    { key: 'used', title: 'Last used', width: '130px', by: (k) => k.last_used, show: (k) => <Ago at={k.last_used} /> },
    { key: 'created', title: 'Made', width: '120px', by: (k) => k.created_at, show: (k) => day(k.created_at) },
    {
      key: 'works',
      title: 'Works',
      width: '150px',
      by: (k) => k.expires ?? '9',
      show: (k) =>
        k.revoked ? (
          <Badge tt="none" color="red" variant="light">
            revoked
          </Badge>
        ) : ended(k) ? (
          <Badge tt="none" color="gray" variant="light">
            expired
          </Badge>
        ) : k.expires ? (
          `until ${day(k.expires)}`
        ) : (
          'until revoked'
        ),
    },
    {
      key: 'end',
      title: '',
      width: '96px',
      show: (k) =>
        ended(k) || (k.owner === 'console' && k.name === 'console') ? null : (
          <Button size="compact-xs" variant="light" color="red" aria-label={`Revoke ${k.name}`} onClick={() => setEnding(k)}>
            Revoke
          </Button>
        ),
    },
  ]
  return (
    <Page title="API keys" note="For programs: Grafana, scripts, your own tools. A key can never do more than its owner." actions={<Button onClick={() => setMaking(true)}>Make a key</Button>}>
      <Group mb="sm" gap="md">
        {admin && (
          <SegmentedControl
            size="xs"
            aria-label="Whose keys"
            value={all ? 'everybody' : 'me'}
            onChange={(v) => void go({ search: (s) => ({ ...s, of: v === 'everybody' ? 'everybody' : undefined }), replace: true })}
            data={[
              { value: 'me', label: 'Yours' },
              { value: 'everybody', label: "Everybody's" },
            ]}
          />
        )}
        {(hidden > 0 || old) && <Checkbox size="xs" label={`Those that ended, too${hidden > 0 ? ` (${hidden})` : ''}`} checked={old} onChange={(e) => setOld(e.currentTarget.checked)} />}
      </Group>
      {keys.error ? (
        <Trouble what="The keys could not be read" error={keys.error} again={() => void keys.refetch()} />
      ) : !keys.data ? (
        <Skeleton h={120} aria-label="loading" />
      ) : shown.length === 0 ? (
        <Empty title="No keys yet">
          A program sends its key with each request: <code>Authorization: Bearer blst_…</code> On Ballast's own machine, <code>ballast key add grafana</code> makes one, too.
        </Empty>
      ) : (
        <DataTable label="API keys" testid="keys" rows={shown} columns={columns} id={(k) => k.id} sort={sort[0]} desc={sort[1]} onSort={(k, d) => setSort([k, d])} rowHeight={36} />
      )}
      <Modal opened={making} onClose={() => setMaking(false)} title="Make an API key" size="md">
        <KeyForm onDone={() => setMaking(false)} />
      </Modal>
      <Confirm
        title="Revoke the key"
        opened={!!ending}
        onClose={() => setEnding(undefined)}
        danger
        button="Revoke it"
        busy={revoke.isPending}
        error={revoke.error}
        effects={
          ending
            ? [
                { name: 'Key', value: `${ending.name} (${ending.prefix}…)` },
                { name: 'Owner', value: ending.owner },
                { name: 'Last used', value: ending.last_used ? day(ending.last_used, true) : 'never' },
              ]
            : []
        }
        onConfirm={() => ending && revoke.mutate(ending)}
      >
        <Text fz="sm">Programs that use it are refused from now on. It cannot be taken back.</Text>
      </Confirm>
    </Page>
  )
}

function KeyForm({ onDone }: { onDone: () => void }) {
  const me = useMe()
  const roles = useRoles()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<string[]>(['look'])
  const [days, setDays] = useState('90')
  const make = useMutation({
    mutationFn: () => ask<Schema['NewKey']>('POST', '/keys', { name, scopes, expires: days === '0' ? undefined : new Date(Date.now() + Number(days) * 86_400_000).toISOString() }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['keys'] }),
  })
  if (make.data) {
    return <Once what="the key" secret={make.data.key} note="The program sends it with each request: Authorization: Bearer, and the key." onDone={onDone} />
  }
  const meaning = new Map(roles.data?.flatMap((r) => r.rights ?? []).map((r) => [r.right as string, r.meaning]))
  const submit = (e: FormEvent) => {
    e.preventDefault()
    make.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <Wrong error={make.error} />
        <TextInput label="What it is for" placeholder="grafana" data-autofocus required maxLength={60} value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <Checkbox.Group label="What it may do" description="As little as the program needs." value={scopes} onChange={setScopes}>
          <Stack gap={6} mt={6}>
            {(me.data?.rights ?? []).map((r: Right) => (
              <Checkbox key={r} value={r} label={rightNames[r]} description={meaning.get(r)} />
            ))}
          </Stack>
        </Checkbox.Group>
        <NativeSelect
          label="It works for"
          value={days}
          onChange={(e) => setDays(e.currentTarget.value)}
          data={[
            { value: '7', label: 'a week' },
            { value: '30', label: '30 days' },
            { value: '90', label: '90 days' },
            { value: '365', label: 'a year' },
            { value: '0', label: 'ever, until it is revoked' },
          ]}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending} disabled={scopes.length === 0}>
            Make the key
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

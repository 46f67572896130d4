import { Button, Group, Loader, NativeSelect, SegmentedControl, Text, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ask, type Schema } from '../../api/client'
import { useLivePart } from '../../api/live'
import { useView } from '../../frame/view'
import { fixed, span } from '../../format'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { actions, type Command, states, wishWords } from './actions'
import { CommandState } from './CommandState'

type Batch = Schema['LedgerBatch']
const page = 100

export const took = (c: Command) => (c.confirmed_at ? (Date.parse(c.confirmed_at) - Date.parse(c.created_at)) / 1000 : null)
const secs = (s: number | null) => (s === null ? '–' : s < 60 ? `${fixed(s, 1)} s` : span(s))
const when = (t: string) => new Date(t).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' })

const single: Column<Command>[] = [
  { key: 'at', title: 'Given', width: '190px', show: (c) => when(c.created_at) },
  { key: 'machine', title: 'Machine', width: 'minmax(120px,0.8fr)', show: (c) => <MachineName id={c.machine} /> },
  { key: 'what', title: 'What', width: 'minmax(130px,0.9fr)', show: (c) => wishWords(c.kind, c.setting) },
  { key: 'state', title: 'State', width: '145px', show: (c) => <CommandState of={c.state} /> },
  { key: 'took', title: 'Took', width: '84px', num: true, show: (c) => secs(took(c)) },
  { key: 'who', title: 'Who', width: '110px', show: (c) => c.actor },
  { key: 'why', title: 'Why and how it stands', width: 'minmax(200px,2fr)', show: (c) => [c.reason, c.detail !== c.reason && c.detail].filter(Boolean).join(' · ') },
]

const many: Column<Batch>[] = [
  { key: 'at', title: 'Given', width: '190px', show: (b) => when(b.created_at) },
  { key: 'what', title: 'What', width: 'minmax(140px,1fr)', show: (b) => wishWords(b.kind, b.setting) },
  { key: 'machines', title: 'Machines', width: '96px', num: true, show: (b) => fixed(b.machines, 0) },
  {
    key: 'states',
    title: 'States',
    width: 'minmax(250px,2fr)',
    show: (b) => (
      <span className="map-legend" style={{ padding: 0, minHeight: 0, flexWrap: 'nowrap' }}>
        {states.map((s) => (b.states[s.key] ? <CommandState key={s.key} of={s.key} count={b.states[s.key]} /> : null))}
      </span>
    ),
  },
  { key: 'refused', title: 'Refused', width: '84px', num: true, show: (b) => fixed((b.refused ?? []).reduce((n, r) => n + (r.machines?.length ?? 0), 0), 0) },
  { key: 'who', title: 'Who', width: '120px', show: (b) => b.actor },
  { key: 'why', title: 'Why', width: 'minmax(120px,1fr)', show: (b) => b.reason ?? '' },
]

export function MachineName({ id }: { id: number }) {
  return <>{useLivePart((l) => l.rows.get(id)?.name) ?? `machine ${id}`}</>
}

/** Every command that was given: what was asked of several machines at once,
 * and machine by machine. */
export function Commands() {
  const search = useSearch({ from: '/frame/commands' })
  const go = useNavigate()
  const set = (next: Partial<typeof search>) => void go({ to: '/commands', search: (old) => ({ ...old, ...next }) as never, replace: true })
  return (
    <Page title="Commands" note="An acknowledgement proves nothing: a command counts as done once a later reading shows it." actions={<SegmentedControl size="xs" aria-label="List" value={search.list ?? 'batch'} onChange={(v) => set({ list: v === 'single' ? 'single' : undefined })} data={[{ value: 'batch', label: 'As given' }, { value: 'single', label: 'Machine by machine' }]} />}>
      <Group gap="xs" mb="sm">
        <NativeSelect size="xs" aria-label="Kind" value={search.kind ?? ''} onChange={(e) => set({ kind: e.currentTarget.value || undefined })} data={[{ value: '', label: 'Any kind' }, ...actions.map((a) => ({ value: a.kind, label: a.title }))]} />
        {search.list === 'single' && <NativeSelect size="xs" aria-label="State" value={search.state ?? ''} onChange={(e) => set({ state: e.currentTarget.value || undefined })} data={[{ value: '', label: 'Any state' }, ...states.map((s) => ({ value: s.key, label: s.key }))]} />}
        <TextInput size="xs" aria-label="By whom" placeholder="By whom" defaultValue={search.by ?? ''} onBlur={(e) => set({ by: e.currentTarget.value.trim() || undefined })} onKeyDown={(e) => e.key === 'Enter' && set({ by: e.currentTarget.value.trim() || undefined })} />
        {search.machine && (
          <Button size="compact-sm" variant="light" onClick={() => set({ machine: undefined })} title="Show all machines">
            Only <MachineName id={Number(search.machine)} /> ✕
          </Button>
        )}
      </Group>
      {search.list === 'single' ? <Single /> : <Many />}
    </Page>
  )
}

function usePages<T extends { id: string }>(key: string, path: string, filter: Record<string, string | undefined>) {
  const { site } = useView()
  const query = new URLSearchParams({ limit: String(page) })
  for (const [k, v] of Object.entries({ site, ...filter })) if (v) query.set(k, v)
  const text = query.toString()
  return useInfiniteQuery({
    queryKey: [key, 'list', text],
    queryFn: ({ pageParam, signal }) => ask<T[]>('GET', `${path}?${text}${pageParam ? `&before=${encodeURIComponent(pageParam)}` : ''}`, undefined, signal),
    initialPageParam: '',
    getNextPageParam: (last) => (last.length === page ? last[last.length - 1]!.id : undefined),
    refetchInterval: 3000,
  })
}

function Many() {
  const search = useSearch({ from: '/frame/commands' })
  const go = useNavigate()
  const q = usePages<Batch>('batches', '/batches', { kind: search.kind, actor: search.by })
  return <Listed q={q} label="Batches" columns={many} onOpen={(b) => void go({ to: '/commands/$id', params: { id: b.id } })} />
}

function Single() {
  const search = useSearch({ from: '/frame/commands' })
  const go = useNavigate()
  const q = usePages<Command>('commands', '/commands', { kind: search.kind, actor: search.by, state: search.state, machine: search.machine })
  return <Listed q={q} label="Commands" columns={single} onOpen={(c) => void go({ to: '/commands/one/$id', params: { id: c.id } })} />
}

function Listed<T extends { id: string }>({ q, label, columns, onOpen }: { q: ReturnType<typeof usePages<T>>; label: string; columns: Column<T>[]; onOpen: (row: T) => void }) {
  const rows = useMemo(() => q.data?.pages.flat() ?? [], [q.data])
  if (q.error && !q.data) return <Trouble what="The commands cannot be shown" error={q.error} again={() => void q.refetch()} />
  if (!q.data) return <Loader size="sm" aria-label="loading" />
  if (rows.length === 0) return <Empty title="No commands">Choose machines on the page Machines, or open one, and ask something of them: it stands here then, with how it went.</Empty>
  return (
    <>
      <DataTable label={label} testid={label.toLowerCase()} rows={rows} columns={columns} id={(r) => r.id} onOpen={onOpen} />
      <Group mt="xs" gap="sm">
        <Text fz="xs" c="dimmed">
          {fixed(rows.length, 0)} shown, newest first.
        </Text>
        {q.hasNextPage && (
          <Button size="compact-xs" variant="default" loading={q.isFetchingNextPage} onClick={() => void q.fetchNextPage()}>
            Older ones
          </Button>
        )}
      </Group>
    </>
  )
}

export const commandColumns = single

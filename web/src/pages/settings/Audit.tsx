import { Anchor, Button, Group, Modal, Skeleton, Text, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { day, NoRight } from './access'
import { Chain } from './Chain'

type Row = Schema['LedgerAuditRow']

/** 2026-11-23 09:55:11, in the reader's time zone: short, and it sorts. */
const time = (at: string) => new Date(at).toLocaleString('sv-SE')

const columns: Column<Row>[] = [
  { key: 'seq', title: '#', width: '64px', num: true, show: (r) => r.seq.toLocaleString('en-US') },
  { key: 'at', title: 'When', width: '178px', show: (r) => <time dateTime={r.at}>{time(r.at)}</time> },
  { key: 'actor', title: 'Who', width: 'minmax(110px,1fr)', show: (r) => r.actor },
  { key: 'action', title: 'What', width: 'minmax(130px,1fr)', show: (r) => r.action },
  { key: 'subject', title: 'To what', width: 'minmax(110px,1fr)', show: (r) => r.subject },
  { key: 'detail', title: 'Detail', width: 'minmax(160px,2fr)', show: (r) => r.detail },
]

/** Who did what to what, and the proof that nobody changed the log. */
export function AuditPage() {
  const may = useMay('administer')
  const search = useSearch({ from: '/frame/settings/audit' })
  const [open, setOpen] = useState<Row>()
  const filters = new URLSearchParams()
  for (const k of ['actor', 'action', 'subject'] as const) if (search[k]) filters.set(k, search[k])
  // A day as people choose it begins and ends in their own time zone.
  if (search.since) filters.set('since', new Date(`${search.since}T00:00:00`).toISOString())
  if (search.until) {
    const end = new Date(`${search.until}T00:00:00`)
    end.setDate(end.getDate() + 1)
    filters.set('until', end.toISOString())
  }
  const log = useInfiniteQuery({
    queryKey: ['audit', filters.toString()],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => ask<Schema['AuditPage']>('GET', `/audit?limit=200${pageParam ? `&before=${pageParam}` : ''}&${filters}`, undefined, signal),
    getNextPageParam: (last) => last.next,
    enabled: may,
  })
  if (!may) {
    return (
      <Page title="Audit">
        <NoRight what="The audit log is an admin's to see." />
      </Page>
    )
  }
  const rows = log.data?.pages.flatMap((p) => p.rows ?? []) ?? []
  return (
    <Page
      title="Audit"
      note="Who did what to what. Rows are only ever added, in the transaction of the change itself, and each carries the fingerprint of the one before."
      actions={
        <Button component="a" variant="default" href={`/api/v1/audit/export?${filters}`} download>
          Download as CSV
        </Button>
      }
    >
      <Chain head={log.data?.pages[0]?.head} />
      <Filters />
      {log.error ? (
        <Trouble what="The log could not be read" error={log.error} again={() => void log.refetch()} />
      ) : !log.data ? (
        <Skeleton h={300} aria-label="loading" />
      ) : rows.length === 0 ? (
        <Empty title="No row fits">Take a filter away: a name must be whole, an action may end in a dot (user.) to mean everything that begins so.</Empty>
      ) : (
        <>
          <DataTable label="Audit log" testid="audit" rows={rows} columns={columns} id={(r) => r.seq} onOpen={setOpen} rowTitle={(r) => r.detail} />
          <Group mt="xs" gap="sm">
            <Text fz="sm" c="dimmed" data-testid="audit-count">
              {rows.length.toLocaleString('en-US')} rows
            </Text>
            {log.hasNextPage && (
              <Button size="compact-sm" variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
                Older rows
              </Button>
            )}
          </Group>
        </>
      )}
      <Modal opened={!!open} onClose={() => setOpen(undefined)} title={open ? `Row ${open.seq}` : ''} size="lg">
        {open && <OneRow row={open} onClose={() => setOpen(undefined)} />}
      </Modal>
    </Page>
  )
}

function Filters() {
  const search = useSearch({ from: '/frame/settings/audit' })
  const go = useNavigate({ from: '/settings/audit' })
  const [words, setWords] = useState({ actor: search.actor ?? '', action: search.action ?? '', subject: search.subject ?? '' })
  useEffect(() => setWords({ actor: search.actor ?? '', action: search.action ?? '', subject: search.subject ?? '' }), [search.actor, search.action, search.subject])
  const set = (next: Partial<typeof search>) => void go({ search: (s) => ({ ...s, ...next }), replace: true })
  const field = (key: keyof typeof words, label: string, placeholder: string) => (
    <TextInput
      size="xs"
      label={label}
      placeholder={placeholder}
      flex="1 1 140px"
      maw={220}
      value={words[key]}
      onChange={(e) => setWords({ ...words, [key]: e.currentTarget.value })}
      onBlur={() => set({ [key]: words[key].trim() || undefined })}
    />
  )
  const some = Object.values(search).some(Boolean) && (search.actor || search.action || search.subject || search.since || search.until)
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        set({ actor: words.actor.trim() || undefined, action: words.action.trim() || undefined, subject: words.subject.trim() || undefined })
      }}
    >
      <Group gap="sm" align="flex-end" mb="sm">
        {field('actor', 'Who', 'alice')}
        {field('action', 'What', 'user. or machine.edit')}
        {field('subject', 'To what', 'machine/17')}
        <TextInput size="xs" type="date" label="From" value={search.since ?? ''} onChange={(e) => set({ since: e.currentTarget.value || undefined })} />
        <TextInput size="xs" type="date" label="To" value={search.until ?? ''} onChange={(e) => set({ until: e.currentTarget.value || undefined })} />
        <Button type="submit" size="xs" variant="default">
          Filter
        </Button>
        {some && (
          <Button size="xs" variant="subtle" color="gray" onClick={() => set({ actor: undefined, action: undefined, subject: undefined, since: undefined, until: undefined })}>
            Show all
          </Button>
        )}
      </Group>
    </form>
  )
}

function OneRow({ row, onClose }: { row: Row; onClose: () => void }) {
  const go = useNavigate({ from: '/settings/audit' })
  let detail = row.detail ?? ''
  try {
    detail = JSON.stringify(JSON.parse(detail), null, 2)
  } catch {
    // words, not JSON: shown as they are
  }
  const only = (what: 'actor' | 'action' | 'subject') => (
    <Anchor
      component="button"
      type="button"
      fz="sm"
      onClick={() => {
        onClose()
        void go({ search: (s) => ({ ...s, [what]: row[what] }) })
      }}
    >
      {row[what]}
    </Anchor>
  )
  return (
    <>
      <dl className="facts">
        <dt>When</dt>
        <dd>{day(row.at, true)} <Text span fz="xs" c="dimmed">{row.at}</Text></dd>
        <dt>Who</dt>
        <dd>{only('actor')}</dd>
        <dt>What</dt>
        <dd>{only('action')}</dd>
        <dt>To what</dt>
        <dd>{only('subject')}</dd>
        <dt>Fingerprint</dt>
        <dd className="hash">{row.hash}</dd>
        <dt>Of the row before</dt>
        <dd className="hash">{row.prev}</dd>
      </dl>
      {detail && <pre style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontSize: 13, margin: '12px 0 0' }}>{detail}</pre>}
    </>
  )
}

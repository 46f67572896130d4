import { Anchor, Badge, Button, Group, Loader, SegmentedControl, Select, Tabs, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ask } from '../../api/client'
import { useLive } from '../../api/live'
import { useView } from '../../frame/view'
import { span } from '../../format'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Actions } from './actions'
import { type AlarmRow, moment } from './api'
import { Severity, severities } from './Severity'

/** What is wrong, where, is it safe, what to press: the answer for somebody who
 * was woken. */
export function AlarmsPage() {
  const { tab, severity } = useSearch({ from: '/frame/alarms' })
  const go = useNavigate({ from: '/alarms' })
  return (
    <Page
      title="Alarms"
      actions={
        <Anchor component={Link} to="/alarms/quiet" fz="sm">
          Silences and maintenance
        </Anchor>
      }
    >
      <Tabs value={tab ?? 'open'} onChange={(v) => void go({ search: (old) => ({ ...old, tab: v === 'history' ? 'history' : undefined }), replace: true })} keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="open">Open</Tabs.Tab>
          <Tabs.Tab value="history">History</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="open">
          <OpenList />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <Select
            mb="sm"
            w={200}
            size="xs"
            label="Severity"
            data={[{ value: '', label: 'all' }, { value: 'minor', label: 'minor and worse' }, { value: 'major', label: 'major and worse' }, { value: 'critical', label: 'critical' }]}
            value={severity ?? ''}
            allowDeselect={false}
            onChange={(v) => void go({ search: (old) => ({ ...old, severity: (v || undefined) as typeof severity }), replace: true })}
          />
          <HistoryList severity={severity} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function OpenList() {
  const live = useLive()
  const go = useNavigate({ from: '/alarms' })
  const { severity } = useSearch({ from: '/frame/alarms' })
  if (!live.alarms) {
    return (
      <Group gap="xs" mt="md">
        <Loader size="xs" /> <Text>{live.connected ? 'Reading the alarms…' : 'Waiting for the connection…'}</Text>
      </Group>
    )
  }
  const least = severity ? severities.indexOf(severity) : severities.length - 1
  const all = live.alarms.open.filter((a) => severities.indexOf(a.severity) <= least)
  const loud = all.filter((a) => !a.acked_at && !a.quiet && a.severity !== 'info')
  const calm = all.filter((a) => a.severity !== 'info' && (a.acked_at || a.quiet))
  const info = all.filter((a) => a.severity === 'info')
  return (
    <div className={live.connected ? '' : 'stale'}>
      {live.alarms.open.length > 3 && (
        <SegmentedControl
          size="xs"
          mb="sm"
          aria-label="Least severity shown"
          value={severity ?? ''}
          onChange={(v) => void go({ search: (old) => ({ ...old, severity: (v || undefined) as typeof severity }), replace: true })}
          data={[{ value: '', label: 'all' }, { value: 'minor', label: 'minor and worse' }, { value: 'major', label: 'major and worse' }, { value: 'critical', label: 'critical' }]}
        />
      )}
      {loud.length === 0 && (
        <Empty title="Nothing needs you">{calm.length + info.length > 0 ? 'What is open is taken on, kept quiet or for information.' : 'No alarm is open. Rules say what raises one; the history shows what was.'}</Empty>
      )}
      {loud.map((a) => (
        <Card key={a.id} alarm={a} now={live.at / 1000} />
      ))}
      <Folded title="Taken on or quiet" alarms={calm} now={live.at / 1000} />
      <Folded title="For information" alarms={info} now={live.at / 1000} />
      {live.alarms.more > 0 && (
        <Text fz="sm" c="dimmed">
          and {live.alarms.more} more
        </Text>
      )}
    </div>
  )
}

/** One alarm with everything that is needed at 3 a.m., without a click. */
function Card({ alarm: a, now }: { alarm: AlarmRow; now: number }) {
  return (
    <article className={`alarm-card ${a.severity}`} aria-label={a.title} data-testid="alarm-card">
      <div className="what">
        <Severity of={a.severity} />
        <h2>
          <Link to="/alarms/$id" params={{ id: String(a.id) }}>
            {a.title}
          </Link>
        </h2>
        <span className="alarm-age" title={`since ${moment(a.since)}`}>
          for {span(now - a.since)}
        </span>
      </div>
      <Marks alarm={a} />
      <dl>
        <dt>It means</dt>
        <dd>
          {a.means} {a.hint && <strong>{a.hint}</strong>}
        </dd>
        <dt>Is it safe?</dt>
        <dd>{a.safe}</dd>
        <dt>What to do</dt>
        <dd>{a.press}</dd>
      </dl>
      <Group gap="sm" mt={8}>
        <Actions alarm={a} />
        <Anchor component={Link} to="/alarms/$id" params={{ id: String(a.id) } as never} fz="sm">
          {a.active === 1 ? 'Details' : `All ${a.active}`}
        </Anchor>
      </Group>
    </article>
  )
}

export function Marks({ alarm: a }: { alarm: AlarmRow }) {
  if (!a.acked_at && !a.quiet && !a.flapping && !a.reopened) return null
  return (
    <Group gap={6} my={4}>
      {a.acked_at > 0 && (
        <Badge size="sm" variant="light" color="blue" tt="none">
          taken on by {a.acked_by}
          {a.ack_note ? `: ${a.ack_note}` : ''}
        </Badge>
      )}
      {a.quiet && (
        <Badge size="sm" variant="light" color="gray" tt="none">
          {a.quiet}
        </Badge>
      )}
      {a.flapping && (
        <Badge size="sm" variant="outline" color="orange" tt="none">
          flapping
        </Badge>
      )}
      {a.reopened > 0 && (
        <Badge size="sm" variant="outline" color="orange" tt="none">
          came back {a.reopened === 1 ? 'once' : `${a.reopened} times`}
        </Badge>
      )}
    </Group>
  )
}

function Folded({ title, alarms, now }: { title: string; alarms: AlarmRow[]; now: number }) {
  if (alarms.length === 0) return null
  return (
    <section aria-label={title} className="alarm-folded">
      <h2>
        {title} ({alarms.length})
      </h2>
      {alarms.map((a) => (
        <div key={a.id} className="alarm-line">
          <Severity of={a.severity} quiet />
          <div className="words">
            <Link to="/alarms/$id" params={{ id: String(a.id) }}>
              {a.title}
            </Link>
            <Marks alarm={a} />
          </div>
          <span className="alarm-age">for {span(now - a.since)}</span>
        </div>
      ))}
    </section>
  )
}

const page = 100

function HistoryList({ severity }: { severity?: string }) {
  const view = useView()
  const go = useNavigate()
  const list = useInfiniteQuery({
    queryKey: ['alarms', 'ended', view.site, severity],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => ask<AlarmRow[]>('GET', `/alarms?state=ended&limit=${page}${view.query ? `&${view.query}` : ''}${severity ? `&severity=${severity}` : ''}${pageParam ? `&before=${pageParam}` : ''}`, undefined, signal),
    getNextPageParam: (last) => (last.length === page ? last.at(-1)!.id : undefined),
  })
  const rows = useMemo(() => list.data?.pages.flat() ?? [], [list.data])
  const columns: Column<AlarmRow>[] = useMemo(
    () => [
      { key: 'opened', title: 'Began', width: '185px', show: (a) => moment(a.since) },
      { key: 'severity', title: 'Severity', width: '96px', show: (a) => <Severity of={a.severity} /> },
      { key: 'title', title: 'What', width: 'minmax(260px,3fr)', show: (a) => <Link to="/alarms/$id" params={{ id: String(a.id) }}>{a.title}</Link> },
      { key: 'lasted', title: 'Lasted', width: '110px', num: true, show: (a) => span(a.ended - a.since) },
      { key: 'peak', title: 'At worst', width: '84px', num: true, show: (a) => a.peak },
      { key: 'how', title: 'How it ended', width: 'minmax(150px,1fr)', show: (a) => (a.phase === 'merged' ? `part of alarm ${a.into}` : a.acked_by ? `over; taken on by ${a.acked_by}` : 'over') },
    ],
    [],
  )
  if (list.error) return <Trouble what="The history of alarms cannot be read" error={list.error} again={() => void list.refetch()} />
  if (list.isPending) {
    return (
      <Group gap="xs">
        <Loader size="xs" /> <Text>Reading the history…</Text>
      </Group>
    )
  }
  if (rows.length === 0) return <Empty title="No alarm has ended yet">What was open and is over stands here, with its whole life.</Empty>
  return (
    <>
      <DataTable label="Alarms that are over" rows={rows} columns={columns} id={(a) => a.id} rowHeight={34} onOpen={(a) => void go({ to: '/alarms/$id', params: { id: String(a.id) } })} rowTitle={(a) => a.title} testid="alarm-history" />
      {list.hasNextPage && (
        <Button mt="sm" variant="default" size="xs" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Older ones
        </Button>
      )}
    </>
  )
}

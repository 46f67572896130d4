import { Group, Loader, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { ask, Failed } from '../../api/client'
import { useLive } from '../../api/live'
import { span } from '../../format'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Marks } from './Alarms'
import { Actions } from './actions'
import { type AlarmBody, type Member, moment, where } from './api'
import { Severity } from './Severity'

/** One alarm: what, where, what to press, its machines and its whole life. */
export function AlarmPage() {
  const { id } = useParams({ from: '/frame/alarms/$id' })
  const live = useLive()
  // Live alarms change: ask again when this one did.
  const row = live.alarms?.open.find((a) => String(a.id) === id)
  const mark = row ? `${row.active}/${row.severity}/${row.acked_at}/${row.quiet}/${row.title}` : 'over'
  const alarm = useQuery({ queryKey: ['alarm', id], queryFn: ({ signal }) => ask<AlarmBody>('GET', `/alarms/${id}`, undefined, signal), refetchInterval: (q) => (q.state.data?.phase === 'open' ? 15_000 : false) })
  const { refetch } = alarm
  useEffect(() => {
    if (mark) void refetch()
  }, [mark, refetch])

  if (alarm.error instanceof Failed && alarm.error.status === 404) {
    return (
      <Page title={`Alarm ${id}`}>
        <Empty title="There is no such alarm">It may be of a site that you may not look at.</Empty>
      </Page>
    )
  }
  if (alarm.error) return <Trouble what={`Alarm ${id} cannot be read`} error={alarm.error} again={() => void alarm.refetch()} />
  if (alarm.isPending) {
    return (
      <Page title={`Alarm ${id}`}>
        <Group gap="xs">
          <Loader size="xs" /> <Text>Reading the alarm…</Text>
        </Group>
      </Page>
    )
  }
  return <Whole alarm={alarm.data} />
}

const endings: Record<string, string> = { resolved: 'over', merged: 'part of another' }

function Whole({ alarm: a }: { alarm: AlarmBody }) {
  const active = (a.members ?? []).filter((m) => m.left === 0)
  const left = (a.members ?? []).filter((m) => m.left !== 0)
  return (
    <Page
      title={a.title}
      note={
        <Group gap="sm">
          <Severity of={a.severity} quiet={a.phase !== 'open'} />
          <span>
            alarm {a.id} · {where(a)}
            {a.site ? ` · ${a.site}` : ''} · since {moment(a.since)}
            {a.ended > 0 ? ` · ${endings[a.phase]} since ${moment(a.ended)}, after ${span(a.ended - a.since)}` : ''}
          </span>
        </Group>
      }
      actions={<Actions alarm={a} size="sm" />}
    >
      <Marks alarm={a} />
      {a.into !== undefined && a.into > 0 && (
        <Text my="xs">
          It became part of{' '}
          <Link to="/alarms/$id" params={{ id: String(a.into) }}>
            alarm {a.into}
          </Link>
          .
        </Text>
      )}
      <dl className="facts advice">
        <dt>It means</dt>
        <dd>{a.means}</dd>
        {a.hint && (
          <>
            <dt>Instruments</dt>
            <dd>
              <strong>{a.hint}</strong>
            </dd>
          </>
        )}
        <dt>Is it safe?</dt>
        <dd>{a.safe}</dd>
        <dt>What to do</dt>
        <dd>{a.press}</dd>
      </dl>
      {active.length > 0 && <Members title={`In trouble (${active.length})`} members={active} />}
      {left.length > 0 && <Members title={`Were in it (${left.length})`} members={left} gone />}
      <Deliveries alarm={a} />
      <Life alarm={a} />
    </Page>
  )
}

function Members({ title, members, gone }: { title: string; members: Member[]; gone?: boolean }) {
  const go = useNavigate()
  const [sort, setSort] = useState<{ key: string; desc: boolean }>({ key: '', desc: false })
  const columns: Column<Member>[] = useMemo(
    () => [
      { key: 'name', title: 'What', width: 'minmax(130px,1fr)', by: (m) => m.name, show: (m) => (m.machine ? <Link to="/machines/$id" params={{ id: String(m.machine) }}>{m.name}</Link> : m.name) },
      { key: 'place', title: 'Place', width: 'minmax(110px,1fr)', by: (m) => m.place, show: (m) => m.place || '–' },
      { key: 'detail', title: 'Seen', width: 'minmax(180px,2fr)', show: (m) => <span className={m.stale ? 'stale' : ''}>{m.detail}{m.stale ? ' (nothing new is known)' : ''}</span> },
      { key: 'since', title: 'Since', width: '200px', by: (m) => m.since, show: (m) => moment(m.since) },
      gone
        ? { key: 'left', title: 'Left', width: 'minmax(170px,1fr)', by: (m) => m.left, show: (m) => `${moment(m.left)}: ${m.why ?? ''}` }
        : { key: 'raises', title: 'Times', width: '70px', num: true, by: (m) => m.raises, show: (m) => Math.max(m.raises, 1) },
    ],
    [gone],
  )
  return (
    <section>
      <Title order={2} fz={16} mt="md" mb={6}>
        {title}
      </Title>
      <DataTable
        label={title}
        rows={members}
        columns={columns}
        id={(m) => `${m.subject}/${m.rule}`}
        sort={sort.key}
        desc={sort.desc}
        onSort={(key, desc) => setSort({ key, desc })}
        onOpen={(m) => m.machine && void go({ to: '/machines/$id', params: { id: String(m.machine) } })}
        rowTitle={(m) => m.detail}
        testid={gone ? 'left' : 'members'}
      />
    </section>
  )
}

const told: Record<string, string> = { trigger: 'told', acknowledge: 'told that it was taken on', resolve: 'told that it is over', report: 'tested' }

function Deliveries({ alarm: a }: { alarm: AlarmBody }) {
  return (
    <section>
      <Title order={2} fz={16} mt="lg" mb={6}>
        Who was told
      </Title>
      {(a.deliveries ?? []).length === 0 && (
        <Text fz="sm" c="dimmed">
          Nobody{a.severity === 'info' ? ': it is for information' : a.quiet ? ': it is kept quiet' : ' yet. Settings, Notifications say who is told of what.'}
        </Text>
      )}
      <ul className="alarm-life">
        {(a.deliveries ?? []).map((d, i) => (
          <li key={`${d.receiver}-${i}`}>
            <time>{moment(d.at)}</time>
            <span>
              {d.title || `receiver ${d.receiver}, deleted since`} {told[d.what]}
              {d.state !== 'delivered' && (
                <strong className={d.state === 'failed' ? 'bad' : ''}>
                  {d.state === 'failed' ? ': not delivered' : `: not yet delivered, ${d.attempts} ${d.attempts === 1 ? 'try' : 'tries'}`}
                </strong>
              )}
              {d.answer && <span className="dim"> ({d.answer})</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

const steps: Record<string, string> = {
  opened: 'opened', reopened: 'came back', grew: 'grew', shrank: 'shrank', cause: 'named anew', split: 'split off', merged: 'became part of another', severity: 'more urgent',
  acknowledged: 'taken on', quiet: 'kept quiet', loud: 'not quiet any more', told: 'told', resolved: 'over',
}

function Life({ alarm: a }: { alarm: AlarmBody }) {
  return (
    <section>
      <Title order={2} fz={16} mt="lg" mb={6}>
        Its life
      </Title>
      <ol className="alarm-life" data-testid="life">
        {(a.events ?? []).map((e) => (
          <li key={e.seq}>
            <time>{moment(Date.parse(e.at) / 1000)}</time>
            <span>
              {steps[e.kind] ?? e.kind}
              {e.actor ? ` by ${e.actor}` : ''}
              {e.detail ? `: ${e.detail}` : ''}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

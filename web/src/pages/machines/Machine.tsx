import { Alert, Button, Group, Loader, Text, Title } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ask, type Machine } from '../../api/client'
import { useLivePart } from '../../api/live'
import { typing } from '../../frame/Keys'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { fixed, power, span, spanNs } from '../../format'
import { Condition } from '../../parts/Condition'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { type Action, actions } from './actions'
import { CommandDialog } from './CommandDialog'
import { Follow } from './Follow'
import { CommandList, Identity, Notes, Parts, PoolList } from './one/About'
import { Boards } from './one/Boards'
import { Compare } from './one/Compare'
import { Edit } from './one/Edit'
import { Faults } from './one/Faults'
import { Past } from './one/Past'
import { neighbours } from './order'

/** One machine: what it tells now, board by board, how that came about, how it
 * compares, and what it can be told to do. */
export function MachinePage() {
  const { id } = useParams({ from: '/frame/machines/$id' })
  const { seconds } = useView()
  const seen = useLivePart((l) => l.rows.get(Number(id))?.seen)
  const connected = useLivePart((l) => l.connected)
  const q = useQuery({ queryKey: ['machine', id, seen], queryFn: ({ signal }) => ask<Machine>('GET', `/machines/${encodeURIComponent(id)}`, undefined, signal), placeholderData: (old, query) => (query?.queryKey[1] === id ? keepPreviousData(old) : undefined) })
  if (q.isPending) return <Loader aria-label="loading" />
  if (q.error && !q.data) return <Trouble what={`Machine ${id} cannot be shown`} error={q.error} again={() => void q.refetch()} />
  const m = q.data!
  const r = m.reading
  const stale = !connected || m.condition === 'silent'
  return (
    <Page
      title={m.name}
      note={
        <>
          <Condition of={m.condition} /> for {span(Date.now() / 1000 - m.since)} · {[m.make, m.model].filter(Boolean).join(' ') || 'model not told'} · {m.addr || 'no address'} · {m.place || 'not placed'}
          {m.group && ` · group ${m.group}`}
          {m.record.tags?.map((t) => ` · ${t}`)}
        </>
      }
      actions={<Neighbours id={Number(id)} />}
    >
      <Act m={m} />
      {m.record.retired && (
        <Alert color="gray" title="Retired" mb="sm">
          Since {new Date(m.record.retired).toLocaleString()}: not polled and in no list.
        </Alert>
      )}
      {m.trouble && (
        <Alert color="orange" title={m.condition === 'silent' ? 'It does not answer' : 'The last poll gave no reading'} mb="sm" role="status">
          {m.trouble}. {m.seen ? `Last answer ${span(Date.now() / 1000 - m.seen)} ago; what follows is from then.` : 'It has not answered yet.'}
        </Alert>
      )}
      {r ? <Told m={m} r={r} id={id} hours={seconds / 3600} stale={stale} seen={seen} /> : <Text mt="md">No reading yet.</Text>}
      <Heading>Notes</Heading>
      <Notes m={m} />
      <Heading>Commands</Heading>
      <CommandList m={m} />
      <Heading>About this machine</Heading>
      <Identity m={m} />
    </Page>
  )
}

function Heading({ children }: { children: string }) {
  return (
    <Title order={2} mt="lg" mb="xs">
      {children}
    </Title>
  )
}

function Told({ m, r, id, hours, stale, seen }: { m: Machine; r: NonNullable<Machine['reading']>; id: string; hours: number; stale: boolean; seen?: number }) {
  const [p, pUnit] = power(r.power_w)
  return (
    <>
      <div className="figures">
        <Figure name="Hashrate" value={fixed(r.hashrate_now_ths ?? r.hashrate_average_ths, 2)} unit="TH/s" stale={stale} note={`average ${fixed(r.hashrate_average_ths, 2)}, expected ${fixed(r.hashrate_nominal_ths, 2)}`} source="Measured by the machine: its shortest window." />
        <Figure name="Power" value={p} unit={pUnit} stale={stale} note={r.power_source ? `${r.power_source}${r.power_limit_w ? `, limit ${fixed(r.power_limit_w, 0)} W` : ''}` : 'not told'} source={r.power_source === 'psu' ? 'Measured by the power supply.' : 'Estimated by the firmware.'} />
        <Figure name="Efficiency" value={fixed(m.efficiency_j_per_th, 2)} unit="J/TH" stale={stale} source="Power over present hashrate." />
        <Figure name={r.temp_chip_c != null ? 'Hottest chip' : 'Hottest board'} value={fixed(r.temp_chip_c ?? r.temp_board_c, 1)} unit="°C" stale={stale} note={r.temp_ambient_c != null ? `ambient ${fixed(r.temp_ambient_c, 1)}` : undefined} source="Measured by the machine." />
        <Figure name="Up for" value={spanNs(r.uptime_ns ?? r.miner_uptime_ns)} stale={stale} source={r.uptime_ns != null ? 'Uptime of the control board.' : 'Uptime of the mining process.'} />
      </div>
      <Faults m={m} />
      <Heading>Boards</Heading>
      <Boards r={r} />
      <Heading>Among its siblings</Heading>
      <Compare id={id} seen={seen} />
      <Heading>History</Heading>
      <Past id={id} hours={hours} boards={r.boards ?? []} />
      {(!!r.fans?.length || !!r.psus?.length) && (
        <>
          <Heading>Fans and power supply</Heading>
          <Parts r={r} />
        </>
      )}
      <Heading>Pools</Heading>
      <PoolList r={r} />
    </>
  )
}

/** What this machine can be told to do, by its envelope and the rights of who
 * looks. */
function Act({ m }: { m: Machine }) {
  const may = { command: useMay('command'), repair: useMay('repair') }
  const [action, setAction] = useState<Action>()
  const [batch, setBatch] = useState<string>()
  const [edit, setEdit] = useState(false)
  const kinds = m.envelope?.kinds ?? []
  const asleep = m.condition === 'sleeping'
  const can = actions.filter((a) => (a.right === 'command' ? may.command : may.repair) && (kinds.length === 0 || (kinds as string[]).includes(a.kind)) && !m.record.retired && (a.kind !== 'sleep' || !asleep) && (a.kind !== 'wake' || asleep || kinds.length === 0))
  return (
    <>
      {(can.length > 0 || may.repair) && (
        <Group gap={6} mb="sm" role="toolbar" aria-label="What to do with this machine">
          {can.map((a) => (
            <Button key={a.kind} size="compact-sm" variant="default" onClick={() => setAction(a)}>
              {a.title}…
            </Button>
          ))}
          {may.repair && (
            <Button size="compact-sm" variant="subtle" onClick={() => setEdit(true)}>
              Edit…
            </Button>
          )}
        </Group>
      )}
      {action && (
        <CommandDialog
          action={action}
          machines={one(m.id)}
          envelope={m.envelope}
          names={m.name}
          onClose={() => setAction(undefined)}
          onGiven={(b) => {
            setAction(undefined)
            setBatch(b)
          }}
        />
      )}
      {batch && <Follow id={batch} onClose={() => setBatch(undefined)} />}
      {edit && <Edit m={m} onClose={() => setEdit(false)} />}
    </>
  )
}

// One list for each machine, so that a preview is not asked for anew.
const lists = new Map<number, number[]>()
function one(id: number): number[] {
  let l = lists.get(id)
  if (!l) lists.set(id, (l = [id]))
  return l
}

/** The way to the next machine of the table that one came from. */
function Neighbours({ id }: { id: number }) {
  const go = useNavigate()
  const { before, after, at, of } = neighbours(id)
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (typing(e) || e.ctrlKey || e.metaKey || e.altKey) return
      const to = e.key === 'k' ? before : e.key === 'j' ? after : undefined
      if (to !== undefined && !document.querySelector('[role=dialog]')) void go({ to: '/machines/$id', params: { id: String(to) } })
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [before, after, go])
  return (
    <Group gap="xs">
      {at >= 0 && (
        <>
          <Text fz="sm" c="dimmed">
            {fixed(at + 1, 0)} of {fixed(of, 0)}
          </Text>
          <Button size="compact-sm" variant="default" disabled={before === undefined} onClick={() => void go({ to: '/machines/$id', params: { id: String(before) } })} title="Key k" aria-label="Previous machine">
            ‹
          </Button>
          <Button size="compact-sm" variant="default" disabled={after === undefined} onClick={() => void go({ to: '/machines/$id', params: { id: String(after) } })} title="Key j" aria-label="Next machine">
            ›
          </Button>
        </>
      )}
      <Link className="link" to="/machines">
        All machines
      </Link>
    </Group>
  )
}

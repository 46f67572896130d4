import { Alert, Badge, Button, Chip, Group, Input, Modal, NumberInput, SegmentedControl, Stack, Text, Textarea, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '../../api/client'
import { useLive } from '../../api/live'
import { useMay } from '../../frame/me'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { listed, useEdit } from '../../parts/useEdit'
import { type MaintenanceWindow, type Match, matchWords, moment, type Silence, useRenew, type WindowNow } from './api'
import { MatchFields } from './MatchFields'

/** What keeps alarms from telling anybody: silences for now, windows for work
 * that is planned. */
export function QuietPage() {
  const command = useMay('command')
  const configure = useMay('configure')
  const [adding, setAdding] = useState<'silence' | 'window'>()
  const [editing, setEditing] = useState<WindowNow>()
  return (
    <Page title="Silences and maintenance" note="Alarms that are kept quiet stay in the list and are told when the quiet ends, if they are still open.">
      <Group justify="space-between" mt="sm">
        <Title order={2}>
          Silences
        </Title>
        {command && (
          <Button size="xs" onClick={() => setAdding('silence')}>
            Add a silence
          </Button>
        )}
      </Group>
      <Silences may={command} />
      <Group justify="space-between" mt="xl">
        <Title order={2}>
          Maintenance windows
        </Title>
        {configure && (
          <Button size="xs" onClick={() => setAdding('window')}>
            Add a window
          </Button>
        )}
      </Group>
      <Windows may={configure} onEdit={setEditing} />
      {adding === 'silence' && <SilenceForm onClose={() => setAdding(undefined)} />}
      {adding === 'window' && <WindowForm onClose={() => setAdding(undefined)} />}
      {editing && <WindowForm was={editing} onClose={() => setEditing(undefined)} />}
    </Page>
  )
}

function Silences({ may }: { may: boolean }) {
  const renew = useRenew()
  const list = useQuery({ queryKey: ['silences'], queryFn: ({ signal }) => ask<Silence[]>('GET', '/silences', undefined, signal), refetchInterval: 30_000 })
  const [error, setError] = useState<Error>()
  if (list.error) return <Trouble what="The silences cannot be read" error={list.error} again={() => void list.refetch()} />
  if (list.isPending) return <Text c="dimmed">Reading…</Text>
  if (list.data.length === 0) return <Empty title="Nothing is silenced">An alarm is silenced from its own page; a silence for a place or a rule is added here.</Empty>
  const end = async (id: number) => {
    setError(undefined)
    try {
      await ask('DELETE', `/silences/${id}`)
      await renew('silences')
    } catch (e) {
      setError(e as Error)
    }
  }
  return (
    <>
      {error && <Trouble what="The silence could not be ended" error={error} />}
      {list.data.map((s) => (
        <div key={s.id} className="setup-line" data-testid="silence">
          <div className="words">
            <Text fw={600}>{s.alarm ? `alarm ${s.alarm}` : matchWords(s.match)}</Text>
            <Text fz="sm">{s.reason}</Text>
            <Text fz="sm" c="dimmed">
              until {moment(Date.parse(s.until) / 1000)}, by {s.by}
              {s.most ? `, up to ${s.most}` : ''}
            </Text>
          </div>
          {may && (
            <Button size="compact-sm" variant="default" onClick={() => void end(s.id)} aria-label={`End the silence of ${s.alarm ? `alarm ${s.alarm}` : matchWords(s.match)}`}>
              End now
            </Button>
          )}
        </div>
      ))}
    </>
  )
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

function when(w: WindowNow): string {
  if (w.days?.length) return `${w.days.map((d) => weekdays[d]).join(', ')} at ${w.start} for ${w.minutes} min, ${w.zone}`
  return `${w.from ? moment(Date.parse(w.from) / 1000) : ''} to ${w.to ? moment(Date.parse(w.to) / 1000) : ''}`
}

function Windows({ may, onEdit }: { may: boolean; onEdit: (w: WindowNow) => void }) {
  const list = useQuery({ queryKey: ['windows'], queryFn: ({ signal }) => ask<WindowNow[]>('GET', '/maintenance-windows', undefined, signal), refetchInterval: 30_000 })
  if (list.error) return <Trouble what="The maintenance windows cannot be read" error={list.error} again={() => void list.refetch()} />
  if (list.isPending) return <Text c="dimmed">Reading…</Text>
  if (list.data.length === 0) return <Empty title="No maintenance is planned">While a window is open, alarms of its place tell nobody. It may come back every week, on the site's own clock.</Empty>
  return list.data.map((w) => (
    <div key={w.id} className="setup-line" data-testid="window">
      <div className="words">
        <Group gap="xs">
          <Text fw={600}>{w.title}</Text>
          {w.open && (
            <Badge size="sm" color="blue" tt="none">
              open until {moment(w.until)}
            </Badge>
          )}
          {w.off && (
            <Badge size="sm" color="gray" tt="none">
              switched off
            </Badge>
          )}
        </Group>
        <Text fz="sm">{matchWords(w.match)}</Text>
        <Text fz="sm" c="dimmed">
          {when(w)}
        </Text>
      </div>
      {may && (
        <Button size="compact-sm" variant="default" onClick={() => onEdit(w)} aria-label={`Change ${w.title}`}>
          Change
        </Button>
      )}
    </div>
  ))
}

function inHours(h: number): string {
  const d = new Date(Date.now() + h * 3600_000)
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function SilenceForm({ onClose }: { onClose: () => void }) {
  const renew = useRenew()
  const [match, setMatch] = useState<Match>({})
  const [until, setUntil] = useState(inHours(2))
  const [reason, setReason] = useState('')
  const [error, setError] = useState('')
  const submit = async () => {
    setError('')
    try {
      await ask('POST', '/silences', { match, until: new Date(until).toISOString(), reason })
      await renew('silences')
      onClose()
    } catch (e) {
      setError((e as Error).message)
    }
  }
  return (
    <Modal opened onClose={onClose} title="Add a silence" size="lg">
      <form
        onSubmit={(e) => {
          e.preventDefault()
          void submit()
        }}
      >
        <Stack gap="sm">
          <Text fz="sm">An alarm is quiet when everything in it is picked here: one that reaches further is told.</Text>
          <MatchFields value={match} onChange={setMatch} />
          <TextInput type="datetime-local" label="Until (your clock)" required value={until} onChange={(e) => setUntil(e.currentTarget.value)} />
          <Textarea label="Why" required autosize minRows={2} maxLength={500} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          {error && (
            <Alert color="red" role="alert">
              {error}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={!reason.trim()}>
              Silence
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

interface WindowDraft {
  title: string
  match: Match
  again: 'once' | 'weekly'
  from: string
  to: string
  days: string[]
  start: string
  minutes: number | string
  zone: string
}

function WindowForm({ was, onClose }: { was?: WindowNow; onClose: () => void }) {
  const renew = useRenew()
  const live = useLive()
  const local = (t?: string) => (t ? inHours((Date.parse(t) - Date.now()) / 3600_000) : '')
  const [soon] = useState(() => [inHours(1), inHours(3)] as const)
  const draftOf = (w?: WindowNow): WindowDraft => ({
    title: w?.title ?? '',
    match: w?.match ?? {},
    again: w?.days?.length ? 'weekly' : 'once',
    from: local(w?.from) || soon[0],
    to: local(w?.to) || soon[1],
    days: (w?.days ?? []).map(String),
    start: w?.start || '02:00',
    minutes: w?.minutes ?? 120,
    zone: w?.zone ?? live.site?.zone ?? 'UTC',
  })
  const [draft, setDraft] = useState(() => draftOf(was))
  const { title, match, again, from, to, days, start, minutes, zone } = draft
  const set = (next: Partial<WindowDraft>) => setDraft((d) => ({ ...d, ...next }))
  const edit = useEdit<WindowNow, WindowDraft>({ was, version: (w) => w.version, draftOf, draft, setDraft, newest: () => listed<WindowNow>('/maintenance-windows', was?.id), names: { title: 'What is done', match: 'Where', again: 'How often', from: 'From', to: 'To', days: 'Days', start: 'Begins', minutes: 'Minutes', zone: 'Time zone' } })
  const [error, setError] = useState<Error>()
  const body = (): Partial<MaintenanceWindow> => ({
    id: was?.id ?? 0,
    title,
    match,
    zone,
    ...(again === 'once' ? { from: new Date(from).toISOString(), to: new Date(to).toISOString() } : { days: days.map(Number).sort(), start, minutes: Number(minutes) }),
  })
  const send = async (method: string, path: string, b?: unknown) => {
    setError(undefined)
    try {
      await ask(method, path, b, undefined, method === 'PUT' ? edit.headers : {})
      await renew('windows')
      onClose()
    } catch (e) {
      setError(e as Error)
    }
  }
  return (
    <Modal opened onClose={onClose} title={was ? 'Change the maintenance window' : 'Add a maintenance window'} size="lg">
      <form
        onSubmit={(e) => {
          e.preventDefault()
          void send(was ? 'PUT' : 'POST', `/maintenance-windows${was ? `/${was.id}` : ''}`, body())
        }}
      >
        <Stack gap="sm">
          <TextInput label="What is done" required maxLength={100} placeholder="Filter change in C03" value={title} onChange={(e) => set({ title: e.currentTarget.value })} data-autofocus />
          <MatchFields value={match} onChange={(match) => set({ match })} place />
          <SegmentedControl value={again} onChange={(v) => set({ again: v as WindowDraft['again'] })} data={[{ value: 'once', label: 'Once' }, { value: 'weekly', label: 'Every week' }]} aria-label="How often" />
          {again === 'once' ? (
            <Group grow>
              <TextInput type="datetime-local" label="From (your clock)" required value={from} onChange={(e) => set({ from: e.currentTarget.value })} />
              <TextInput type="datetime-local" label="To" required value={to} onChange={(e) => set({ to: e.currentTarget.value })} />
            </Group>
          ) : (
            <>
              <Input.Wrapper label="Days">
                <Chip.Group multiple value={days} onChange={(days) => set({ days })}>
                  <Group gap={6}>
                    {weekdays.map((d, i) => (
                      <Chip key={d} value={String(i)} size="sm">
                        {d}
                      </Chip>
                    ))}
                  </Group>
                </Chip.Group>
              </Input.Wrapper>
              <Group grow align="flex-start">
                <TextInput type="time" label="Begins" required value={start} onChange={(e) => set({ start: e.currentTarget.value })} />
                <NumberInput label="Minutes" required min={1} max={1440} value={minutes} onChange={(minutes) => set({ minutes })} />
                <TextInput label="Time zone of the site" required value={zone} onChange={(e) => set({ zone: e.currentTarget.value })} />
              </Group>
            </>
          )}
          {edit.says(error, () => setError(undefined)) ??
            (error && (
              <Alert color="red" role="alert">
                {error.message}
              </Alert>
            ))}
          <Group justify="space-between">
            {was ? (
              <Button variant="subtle" color="red" onClick={() => void send('DELETE', `/maintenance-windows/${was.id}`)}>
                Delete
              </Button>
            ) : (
              <span />
            )}
            <Group>
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit">Save</Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

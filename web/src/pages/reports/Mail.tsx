import { Alert, Button, Checkbox, Group, Loader, Modal, Stack, Table, TagsInput, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useView } from '../../frame/view'
import { Confirm } from '../../parts/Confirm'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { listed, useEdit } from '../../parts/useEdit'
import './reports.css'

type Schedule = Schema['ReportSchedule']
type Body = Schema['SchedulesBody']
type Send = Schema['LedgerReportSend']
type Draft = { recipients: string[]; at: string; attach: string[]; enabled: boolean }

const draftOf = (s: Schedule): Draft => ({ recipients: s.recipients ?? [], at: s.at, attach: s.attach ?? [], enabled: s.enabled })

/** Which reports go out by e-mail, to whom and when, and how it went. */
export function MailPage() {
  const view = useView()
  const queries = useQueryClient()
  const site = view.query ? `?${view.query}` : ''
  const q = useQuery({ queryKey: ['report-schedules', view.site], queryFn: ({ signal }) => ask<Body>('GET', `/reports/schedules${site}`, undefined, signal), refetchInterval: 30_000, retry: false })
  const sends = useQuery({ queryKey: ['report-sends', view.site], queryFn: ({ signal }) => ask<Send[]>('GET', `/reports/sends${site}`, undefined, signal), refetchInterval: 30_000, retry: false })
  const [open, setOpen] = useState<Partial<Schedule>>()
  const [doomed, setDoomed] = useState<Schedule>()
  const anew = () => Promise.all([queries.invalidateQueries({ queryKey: ['report-schedules'] }), queries.invalidateQueries({ queryKey: ['report-sends'] })])
  const send = useMutation({ mutationFn: (id: number) => ask<Send>('POST', `/reports/schedules/${id}/send`), onSettled: anew })
  const remove = useMutation({
    mutationFn: (id: number) => ask('DELETE', `/reports/schedules/${id}`),
    onSuccess: async () => {
      setDoomed(undefined)
      await anew()
    },
  })
  const fresh = () => setOpen({})
  const schedules = q.data?.schedules ?? []
  return (
    <Page title="Reports by e-mail" note="The report of the day before, every day at a time on the site's clocks." actions={schedules.length > 0 && <Button size="xs" onClick={fresh}>New schedule</Button>}>
      {q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The schedules cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.data && !q.data.mail && (
        <Alert color="orange" mb="md" title="No mail server is set up">
          Schedules can be made and nothing is sent until the configuration names a mail server.
        </Alert>
      )}
      {q.data && schedules.length === 0 && (
        <Empty title="No report goes out yet" action={<Button size="sm" onClick={fresh}>New schedule</Button>}>
          Name who should have the daily report in their mail, and when. A run that was missed is caught up once.
        </Empty>
      )}
      {send.data && (send.data.error ? <Alert color="red" role="alert" mb="sm" title="It was not sent">{send.data.error}</Alert> : <Alert color="teal" role="status" mb="sm">Sent the report of {send.data.day} to {send.data.to?.join(', ')}.</Alert>)}
      {send.error && <Alert color="red" role="alert" mb="sm">{send.error.message}</Alert>}
      {schedules.length > 0 && (
        <Table.ScrollContainer minWidth={720} type="native" tabIndex={0}>
          <Table data-testid="schedules" fz="sm" verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Site</Table.Th>
                <Table.Th>At</Table.Th>
                <Table.Th>To</Table.Th>
                <Table.Th>With</Table.Th>
                <Table.Th>Next</Table.Th>
                <Table.Th>Last</Table.Th>
                <Table.Th />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {schedules.map((s) => (
                <Table.Tr key={s.id}>
                  <Table.Td>{s.site}</Table.Td>
                  <Table.Td>{s.at}</Table.Td>
                  <Table.Td style={{ overflowWrap: 'anywhere', minWidth: 180 }}>{s.recipients?.join(', ')}</Table.Td>
                  <Table.Td>{s.attach?.join(', ').toUpperCase() || 'text only'}</Table.Td>
                  <Table.Td>{s.next ? new Date(s.next).toLocaleString() : 'switched off'}</Table.Td>
                  <Table.Td>{s.last ? <Outcome of={s.last} /> : 'never'}</Table.Td>
                  <Table.Td>
                    <Group gap={4} wrap="nowrap" justify="flex-end">
                      <Button size="compact-xs" variant="default" disabled={!q.data?.mail} loading={send.isPending && send.variables === s.id} onClick={() => send.mutate(s.id)}>
                        Send now
                      </Button>
                      <Button size="compact-xs" variant="default" aria-label={`Change the schedule at ${s.at}`} onClick={() => setOpen(s)}>
                        Change
                      </Button>
                      <Button size="compact-xs" variant="subtle" color="red" aria-label={`Delete the schedule at ${s.at}`} onClick={() => { remove.reset(); setDoomed(s) }}>
                        Delete
                      </Button>
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {(sends.data ?? []).length > 0 && (
        <>
          <h2 className="part">What was sent</h2>
          <Table fz="sm" verticalSpacing={4} data-testid="sends">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>When</Table.Th>
                <Table.Th>Report of</Table.Th>
                <Table.Th>To</Table.Th>
                <Table.Th>How it went</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {sends.data!.map((s) => (
                <Table.Tr key={s.id}>
                  <Table.Td>{new Date(s.at).toLocaleString()}</Table.Td>
                  <Table.Td>{s.day}</Table.Td>
                  <Table.Td style={{ overflowWrap: 'anywhere', minWidth: 180 }}>{s.to?.join(', ')}</Table.Td>
                  <Table.Td>
                    {s.error ? <Text span c="red" fz="sm">{s.error}</Text> : 'the mail server took it'}
                    {s.by_hand ? ', sent by hand' : ''}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </>
      )}
      <Modal opened={!!open} onClose={() => setOpen(undefined)} title={open?.id ? 'Change the schedule' : 'Send the daily report'} size="md">
        {open && (
          <ScheduleForm
            was={open.id ? open : undefined}
            site={view.site}
            onClose={() => setOpen(undefined)}
            onDone={async () => {
              setOpen(undefined)
              await anew()
            }}
          />
        )}
      </Modal>
      <Confirm
        title="Delete the schedule"
        opened={!!doomed}
        onClose={() => setDoomed(undefined)}
        effects={doomed && [{ name: 'No longer sent to', value: doomed.recipients?.join(', ') ?? '' }, { name: 'Forgotten', value: 'what was sent so far' }]}
        button="Delete it"
        danger
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => doomed && remove.mutate(doomed.id)}
      />
    </Page>
  )
}

function ScheduleForm({ was, site, onClose, onDone }: { was?: Partial<Schedule>; site?: string; onClose: () => void; onDone: () => Promise<void> }) {
  const [draft, setDraft] = useState<Draft>(was ? draftOf(was as Schedule) : { recipients: [], at: '07:00', attach: ['pdf'], enabled: true })
  const edit = useEdit<Schedule, Draft>({ was: was as Schedule | undefined, version: (s) => s.version, draftOf, draft, setDraft, newest: () => listed<Schedule>('/reports/schedules', was?.id, 'schedules'), names: { recipients: 'Recipients', at: 'Time of day', attach: 'Attachments', enabled: 'Switched on' } })
  const save = useMutation({
    mutationFn: (d: Draft) => (was ? ask('PUT', `/reports/schedules/${was.id}`, d, undefined, edit.headers) : ask('POST', '/reports/schedules', { ...d, site })),
    onSuccess: onDone,
  })
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        save.mutate(draft)
      }}
    >
      <Stack gap="sm">
        <TagsInput label="Recipients" description="E-mail addresses; Enter adds one." acceptValueOnBlur splitChars={[',', ';', ' ']} value={draft.recipients} onChange={(recipients) => setDraft({ ...draft, recipients })} data-autofocus />
        <TextInput label="Time of day" description="On the site's clocks." type="time" required value={draft.at} onChange={(e) => setDraft({ ...draft, at: e.currentTarget.value })} />
        <Checkbox.Group label="Attachments" value={draft.attach} onChange={(attach) => setDraft({ ...draft, attach })}>
          <Group mt={4}>
            <Checkbox value="pdf" label="PDF" />
            <Checkbox value="csv" label="CSV, a line for each machine" />
          </Group>
        </Checkbox.Group>
        <Checkbox label="Switched on" checked={draft.enabled} onChange={(e) => setDraft({ ...draft, enabled: e.currentTarget.checked })} />
        {edit.says(save.error, save.reset) ?? (save.error && <Alert color="red" role="alert">{save.error.message}</Alert>)}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={draft.recipients.length === 0}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Outcome({ of: s }: { of: Send }) {
  return s.error ? (
    <Text span fz="sm" c="red" title={s.error}>
      failed {new Date(s.at).toLocaleString()}
    </Text>
  ) : (
    <>
      {s.day}, sent {new Date(s.at).toLocaleString()}
    </>
  )
}

import { Alert, Badge, Button, Group, Loader, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import type { Escalation, ReceiverInfo } from './api'
import { EscalationForm } from './EscalationForm'
import { kinds, ReceiverForm } from './ReceiverForm'
import { Severity } from './Severity'

/** Who is told of which alarms, and how they are reached. */
export function NotificationsPage() {
  const may = useMay('configure')
  const receivers = useQuery({ queryKey: ['receivers'], queryFn: ({ signal }) => ask<ReceiverInfo[]>('GET', '/receivers', undefined, signal), enabled: may })
  const escalations = useQuery({ queryKey: ['escalations'], queryFn: ({ signal }) => ask<Escalation[]>('GET', '/escalations', undefined, signal) })
  const [receiver, setReceiver] = useState<Partial<ReceiverInfo>>()
  const [escalation, setEscalation] = useState<Partial<Escalation>>()
  if (!may) {
    return (
      <Page title="Notifications">
        <Empty title="This takes the right to configure">Ask an engineer or an administrator.</Empty>
      </Page>
    )
  }
  const list = receivers.data ?? []
  return (
    <Page title="Notifications" note="Receivers are people and programs that can be told; an escalation says who is told of what, and who next.">
      <Group justify="space-between" mt="sm">
        <Title order={2}>
          Receivers
        </Title>
        <Button size="xs" onClick={() => setReceiver({})}>
          Add a receiver
        </Button>
      </Group>
      {receivers.error && <Trouble what="The receivers cannot be read" error={receivers.error} again={() => void receivers.refetch()} />}
      {receivers.isPending && <Loader size="sm" aria-label="loading" />}
      {receivers.data?.length === 0 && <Empty title="Nobody can be told yet">Add an e-mail address, a Slack or Telegram channel, PagerDuty or a webhook, and send it a test.</Empty>}
      {list.map((r) => (
        <ReceiverLine key={r.id} receiver={r} onEdit={() => setReceiver(r)} />
      ))}
      <Group justify="space-between" mt="xl">
        <Title order={2}>
          Escalations
        </Title>
        <Button size="xs" disabled={list.length === 0} onClick={() => setEscalation({})}>
          Add an escalation
        </Button>
      </Group>
      {escalations.error && <Trouble what="The escalations cannot be read" error={escalations.error} again={() => void escalations.refetch()} />}
      {escalations.data?.length === 0 && <Empty title="Alarms tell nobody yet">{list.length === 0 ? 'Add a receiver first.' : 'An escalation names severities and steps: who is told at once, and who when nobody takes the alarm on.'}</Empty>}
      {(escalations.data ?? []).map((e) => (
        <div key={e.id} className={`setup-line${e.off ? ' off' : ''}`} data-testid="escalation">
          <div className="words">
            <Group gap="sm">
              <Text fw={600}>{e.title}</Text>
              {(e.severities ?? []).map((s) => (
                <Severity key={s} of={s} />
              ))}
              {e.off && (
                <Badge size="sm" color="gray" tt="none">
                  switched off
                </Badge>
              )}
            </Group>
            <Text fz="sm">
              {(e.steps ?? []).map((s) => `${s.after_min === 0 ? 'at once' : `after ${s.after_min} min`}: ${(s.receivers ?? []).map((id) => list.find((r) => r.id === id)?.title ?? `receiver ${id}`).join(', ')}`).join(' → ')}
            </Text>
            <Text fz="sm" c="dimmed">
              {e.sites?.length ? `sites ${e.sites.join(', ')}` : 'all sites'}
              {e.quiet?.from ? ` · below ${e.quiet.below} waits from ${e.quiet.from} to ${e.quiet.to}, ${e.quiet.zone}` : ''}
              {e.ends ? ' · told when it is over' : ''}
            </Text>
          </div>
          <Button size="compact-sm" variant="default" onClick={() => setEscalation(e)} aria-label={`Change ${e.title}`}>
            Change
          </Button>
        </div>
      ))}
      {receiver && <ReceiverForm was={receiver} onClose={() => setReceiver(undefined)} />}
      {escalation && <EscalationForm was={escalation} receivers={list} onClose={() => setEscalation(undefined)} />}
    </Page>
  )
}

function target(r: ReceiverInfo): string {
  const s = r.settings
  switch (s.kind) {
    case 'email':
      return `${(s.to ?? []).join(', ')} through ${s.host}`
    case 'webhook':
      return s.url ?? ''
    case 'telegram':
      return `chat ${s.chat}`
    default:
      return s.url || (r.secrets?.length ? 'its address is kept secret' : '')
  }
}

function ReceiverLine({ receiver: r, onEdit }: { receiver: ReceiverInfo; onEdit: () => void }) {
  const [busy, setBusy] = useState(false)
  const [answer, setAnswer] = useState<Schema['TestBody']>()
  const test = async () => {
    setBusy(true)
    setAnswer(undefined)
    try {
      setAnswer(await ask('POST', `/receivers/${r.id}/test`, {}))
    } catch (e) {
      setAnswer({ delivered: false, answer: (e as Error).message, took_ms: 0 })
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className={`setup-line${r.off ? ' off' : ''}`} data-testid="receiver">
      <div className="words">
        <Group gap="sm">
          <Text fw={600}>{r.title}</Text>
          <Text fz="sm">{kinds[r.settings.kind]}</Text>
          {r.off && (
            <Badge size="sm" color="gray" tt="none">
              switched off
            </Badge>
          )}
        </Group>
        <Text fz="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {target(r)}
        </Text>
        {answer && (
          <Alert mt={6} color={answer.delivered ? 'teal' : 'red'} role="status" title={answer.delivered ? `Delivered in ${answer.took_ms} ms; the receiver says` : 'Not delivered'}>
            <span style={{ overflowWrap: 'anywhere' }}>{answer.answer || 'nothing'}</span>
          </Alert>
        )}
      </div>
      <Group gap={6} wrap="nowrap">
        <Button size="compact-sm" variant="light" loading={busy} onClick={() => void test()} aria-label={`Send a test to ${r.title}`}>
          Send a test
        </Button>
        <Button size="compact-sm" variant="default" onClick={onEdit} aria-label={`Change ${r.title}`}>
          Change
        </Button>
      </Group>
    </div>
  )
}

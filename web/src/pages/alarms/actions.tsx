import { Alert, Button, Group, Modal, Select, Stack, Text, Textarea } from '@mantine/core'
import { useState } from 'react'
import { ask } from '../../api/client'
import { useMay } from '../../frame/me'
import { type AlarmRow, useRenew } from './api'

/** The two things to do with an alarm. They are left out where the right lacks. */
export function Actions({ alarm, size = 'xs' }: { alarm: AlarmRow; size?: 'xs' | 'sm' }) {
  const repair = useMay('repair')
  const command = useMay('command')
  const [asking, setAsking] = useState<'ack' | 'silence'>()
  if (alarm.phase !== 'open') return null
  return (
    <Group gap={6} wrap="nowrap">
      {repair && !alarm.acked_at && (
        <Button size={size} onClick={() => setAsking('ack')} aria-label={`Acknowledge: ${alarm.title}`}>
          Acknowledge
        </Button>
      )}
      {command && !alarm.quiet && (
        <Button size={size} variant="default" onClick={() => setAsking('silence')} aria-label={`Silence: ${alarm.title}`}>
          Silence…
        </Button>
      )}
      {asking === 'ack' && <AckModal alarm={alarm} onClose={() => setAsking(undefined)} />}
      {asking === 'silence' && <SilenceModal alarm={alarm} onClose={() => setAsking(undefined)} />}
    </Group>
  )
}

function useSend(onDone: () => void) {
  const renew = useRenew()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState('')
  const send = async (path: string, body: unknown) => {
    setBusy(true)
    setError('')
    try {
      await ask('POST', path, body)
      await renew('alarms', 'alarm', 'silences')
      onDone()
    } catch (e) {
      setError((e as Error).message)
    } finally {
      setBusy(false)
    }
  }
  return { busy, error, send }
}

function AckModal({ alarm, onClose }: { alarm: AlarmRow; onClose: () => void }) {
  const [note, setNote] = useState('')
  const { busy, error, send } = useSend(onClose)
  return (
    <Modal opened onClose={onClose} title="Take this alarm on">
      <form
        onSubmit={(e) => {
          e.preventDefault()
          void send(`/alarms/${alarm.id}/acknowledge`, { note })
        }}
      >
        <Stack gap="sm">
          <Text fw={500}>{alarm.title}</Text>
          <Text fz="sm">Nobody else is told while it is yours. It stays open until the machines are well.</Text>
          <Textarea label="Note" description="What you are about to do, for those who look later" autosize minRows={2} maxLength={500} data-autofocus value={note} onChange={(e) => setNote(e.currentTarget.value)} />
          {error && (
            <Alert color="red" role="alert">
              {error}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            <Button type="submit" loading={busy}>
              Acknowledge
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

const spans = [
  { value: '30', label: '30 minutes' },
  { value: '120', label: '2 hours' },
  { value: '480', label: '8 hours' },
  { value: '1440', label: 'a day' },
  { value: '10080', label: 'a week' },
]

function SilenceModal({ alarm, onClose }: { alarm: AlarmRow; onClose: () => void }) {
  const [minutes, setMinutes] = useState('120')
  const [reason, setReason] = useState('')
  const { busy, error, send } = useSend(onClose)
  return (
    <Modal opened onClose={onClose} title="Keep this alarm quiet">
      <form
        onSubmit={(e) => {
          e.preventDefault()
          void send(`/alarms/${alarm.id}/silence`, { minutes: Number(minutes), reason })
        }}
      >
        <Stack gap="sm">
          <Text fw={500}>{alarm.title}</Text>
          <Text fz="sm">Nobody is told of it until then. It stays in the list, and is told again if it is still open.</Text>
          <Select label="For" data={spans} value={minutes} allowDeselect={false} onChange={(v) => setMinutes(v ?? '120')} />
          <Textarea label="Why" required autosize minRows={2} maxLength={500} data-autofocus value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          {error && (
            <Alert color="red" role="alert">
              {error}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Leave as it is
            </Button>
            <Button type="submit" loading={busy} disabled={!reason.trim()}>
              Silence
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

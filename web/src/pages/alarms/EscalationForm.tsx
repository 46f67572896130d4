import { ActionIcon, Alert, Button, Group, Modal, MultiSelect, NumberInput, Select, SimpleGrid, Stack, Switch, TagsInput, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type SiteInfo } from '../../api/client'
import { useLive } from '../../api/live'
import { type Escalation, type ReceiverInfo, useRenew } from './api'
import { severities } from './Severity'
import { listed, useEdit } from '../../parts/useEdit'

interface Step {
  after_min: number
  receivers: number[]
}

interface Draft {
  title: string
  forSites: string[]
  levels: string[]
  steps: Step[]
  quiet: boolean
  from: string
  to: string
  zone: string
  below: string
  ends: boolean
  off: boolean
}

const names = { title: 'Title', forSites: 'Sites', levels: 'Alarms that are', steps: 'Steps', quiet: 'Quiet hours', from: 'From', to: 'To', zone: 'Time zone', below: 'Waits below', ends: 'Tell too when it is over', off: 'Switched off' }

/** Who is told of which alarms, at once and when nobody takes them on. */
export function EscalationForm({ was, receivers, onClose }: { was: Partial<Escalation>; receivers: ReceiverInfo[]; onClose: () => void }) {
  const renew = useRenew()
  const live = useLive()
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal), staleTime: 60_000 })
  const draftOf = (e: Partial<Escalation>): Draft => ({
    title: e.title ?? '',
    forSites: e.sites ?? [],
    levels: e.severities ?? ['critical', 'major'],
    steps: (e.steps ?? [{ after_min: 0, receivers: [] }]).map((s) => ({ after_min: s.after_min, receivers: s.receivers ?? [] })),
    quiet: Boolean(e.quiet?.from),
    from: e.quiet?.from || '22:00',
    to: e.quiet?.to || '06:00',
    zone: e.quiet?.zone || live.site?.zone || 'UTC',
    below: e.quiet?.below || 'critical',
    ends: e.ends ?? true,
    off: e.off ?? false,
  })
  const [draft, setDraft] = useState(() => draftOf(was))
  const { title, forSites, levels, steps, quiet, from, to, zone, below, ends, off } = draft
  const set = (next: Partial<Draft>) => setDraft((d) => ({ ...d, ...next }))
  const edit = useEdit<Partial<Escalation>, Draft>({ was: was.id ? was : undefined, version: (e) => e.version, draftOf, draft, setDraft, newest: () => listed<Escalation>('/escalations', was.id), names })
  const [error, setError] = useState<Error>()
  const step = (i: number, next: Partial<Step>) => set({ steps: steps.map((s, k) => (k === i ? { ...s, ...next } : s)) })
  const send = async (method: string) => {
    setError(undefined)
    try {
      const body = { id: was.id ?? 0, title, sites: forSites.length ? forSites : undefined, severities: levels, steps, ends, off, quiet: quiet ? { from, to, zone, below } : undefined }
      await ask(method, `/escalations${was.id ? `/${was.id}` : ''}`, method === 'DELETE' ? undefined : body, undefined, method === 'PUT' ? edit.headers : {})
      await renew('escalations')
      onClose()
    } catch (e) {
      setError(e as Error)
    }
  }
  return (
    <Modal opened onClose={onClose} title={was.id ? `Change: ${was.title}` : 'Add an escalation'} size="lg">
      <form
        onSubmit={(e) => {
          e.preventDefault()
          void send(was.id ? 'PUT' : 'POST')
        }}
      >
        <Stack gap="sm">
          <TextInput label="Title" required maxLength={100} value={title} onChange={(e) => set({ title: e.currentTarget.value })} data-autofocus />
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
            <MultiSelect label="Alarms that are" data={[...severities]} value={levels} onChange={(v) => set({ levels: v })} />
            <TagsInput label="Sites" data={sites.data?.map((s) => s.name) ?? []} placeholder={forSites.length ? '' : 'all'} value={forSites} onChange={(v) => set({ forSites: v })} />
          </SimpleGrid>
          {steps.map((s, i) => (
            // biome-ignore lint: steps have no identity but their place
            <Group key={i} align="flex-end" gap="xs" wrap="nowrap">
              <NumberInput label={i === 0 ? 'After (min)' : 'If nobody takes it on, after (min)'} w={130} min={0} value={s.after_min} onChange={(v) => step(i, { after_min: Number(v) })} aria-label={`Step ${i + 1}: minutes`} />
              <MultiSelect flex={1} label="tell" data={receivers.map((r) => ({ value: String(r.id), label: r.title }))} value={s.receivers.map(String)} onChange={(v) => step(i, { receivers: v.map(Number) })} aria-label={`Step ${i + 1}: receivers`} />
              {steps.length > 1 && (
                <ActionIcon variant="subtle" color="red" size="lg" aria-label={`Remove step ${i + 1}`} onClick={() => set({ steps: steps.filter((_, k) => k !== i) })}>
                  ×
                </ActionIcon>
              )}
            </Group>
          ))}
          {steps.length < 10 && (
            <Button variant="light" size="xs" w="fit-content" onClick={() => set({ steps: [...steps, { after_min: (steps.at(-1)?.after_min ?? 0) + 15, receivers: [] }] })}>
              Add a step
            </Button>
          )}
          <Switch label="Quiet hours" checked={quiet} onChange={(e) => set({ quiet: e.currentTarget.checked })} />
          {quiet && (
            <>
              <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
                <TextInput type="time" label="From" value={from} onChange={(e) => set({ from: e.currentTarget.value })} />
                <TextInput type="time" label="To" value={to} onChange={(e) => set({ to: e.currentTarget.value })} />
                <TextInput label="Time zone" value={zone} onChange={(e) => set({ zone: e.currentTarget.value })} />
                <Select label="Waits below" data={[...severities]} value={below} allowDeselect={false} onChange={(v) => v && set({ below: v })} />
              </SimpleGrid>
              <Text fz="sm" c="dimmed">
                What waits is told when the quiet hours end, if it is still open.
              </Text>
            </>
          )}
          <Switch label="Tell too when it is over" checked={ends} onChange={(e) => set({ ends: e.currentTarget.checked })} />
          <Switch label="In use" checked={!off} onChange={(e) => set({ off: !e.currentTarget.checked })} />
          {edit.says(error, () => setError(undefined)) ??
            (error && (
              <Alert color="red" role="alert">
                {error.message}
              </Alert>
            ))}
          <Group justify="space-between">
            {was.id ? (
              <Button variant="subtle" color="red" onClick={() => void send('DELETE')}>
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

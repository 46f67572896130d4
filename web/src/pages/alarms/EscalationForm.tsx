import { ActionIcon, Alert, Button, Group, Modal, MultiSelect, NumberInput, Select, SimpleGrid, Stack, Switch, TagsInput, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type SiteInfo } from '../../api/client'
import { useLive } from '../../api/live'
import { based, type Escalation, type ReceiverInfo, useRenew } from './api'
import { severities } from './Severity'

interface Step {
  after_min: number
  receivers: number[]
}

/** Who is told of which alarms, at once and when nobody takes them on. */
export function EscalationForm({ was, receivers, onClose }: { was: Partial<Escalation>; receivers: ReceiverInfo[]; onClose: () => void }) {
  const renew = useRenew()
  const live = useLive()
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal), staleTime: 60_000 })
  const [title, setTitle] = useState(was.title ?? '')
  const [forSites, setForSites] = useState<string[]>(was.sites ?? [])
  const [levels, setLevels] = useState<string[]>(was.severities ?? ['critical', 'major'])
  const [steps, setSteps] = useState<Step[]>((was.steps ?? [{ after_min: 0, receivers: [] }]).map((s) => ({ after_min: s.after_min, receivers: s.receivers ?? [] })))
  const [quiet, setQuiet] = useState(Boolean(was.quiet?.from))
  const [from, setFrom] = useState(was.quiet?.from || '22:00')
  const [to, setTo] = useState(was.quiet?.to || '06:00')
  const [zone, setZone] = useState(was.quiet?.zone || live.site?.zone || 'UTC')
  const [below, setBelow] = useState(was.quiet?.below || 'critical')
  const [ends, setEnds] = useState(was.ends ?? true)
  const [off, setOff] = useState(was.off ?? false)
  const [error, setError] = useState('')
  const step = (i: number, next: Partial<Step>) => setSteps((old) => old.map((s, k) => (k === i ? { ...s, ...next } : s)))
  const send = async (method: string) => {
    setError('')
    try {
      const body = { id: was.id ?? 0, title, sites: forSites.length ? forSites : undefined, severities: levels, steps, ends, off, quiet: quiet ? { from, to, zone, below } : undefined }
      await ask(method, `/escalations${was.id ? `/${was.id}` : ''}`, method === 'DELETE' ? undefined : body, undefined, method === 'PUT' ? based(was) : {})
      await renew('escalations')
      onClose()
    } catch (e) {
      setError((e as Error).message)
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
          <TextInput label="Title" required maxLength={100} value={title} onChange={(e) => setTitle(e.currentTarget.value)} data-autofocus />
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
            <MultiSelect label="Alarms that are" data={[...severities]} value={levels} onChange={setLevels} />
            <TagsInput label="Sites" data={sites.data?.map((s) => s.name) ?? []} placeholder={forSites.length ? '' : 'all'} value={forSites} onChange={setForSites} />
          </SimpleGrid>
          {steps.map((s, i) => (
            // biome-ignore lint: steps have no identity but their place
            <Group key={i} align="flex-end" gap="xs" wrap="nowrap">
              <NumberInput label={i === 0 ? 'After (min)' : 'If nobody takes it on, after (min)'} w={130} min={0} value={s.after_min} onChange={(v) => step(i, { after_min: Number(v) })} aria-label={`Step ${i + 1}: minutes`} />
              <MultiSelect flex={1} label="tell" data={receivers.map((r) => ({ value: String(r.id), label: r.title }))} value={s.receivers.map(String)} onChange={(v) => step(i, { receivers: v.map(Number) })} aria-label={`Step ${i + 1}: receivers`} />
              {steps.length > 1 && (
                <ActionIcon variant="subtle" color="red" size="lg" aria-label={`Remove step ${i + 1}`} onClick={() => setSteps((old) => old.filter((_, k) => k !== i))}>
                  ×
                </ActionIcon>
              )}
            </Group>
          ))}
          {steps.length < 10 && (
            <Button variant="light" size="xs" w="fit-content" onClick={() => setSteps((old) => [...old, { after_min: (old.at(-1)?.after_min ?? 0) + 15, receivers: [] }])}>
              Add a step
            </Button>
          )}
          <Switch label="Quiet hours" checked={quiet} onChange={(e) => setQuiet(e.currentTarget.checked)} />
          {quiet && (
            <>
              <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
                <TextInput type="time" label="From" value={from} onChange={(e) => setFrom(e.currentTarget.value)} />
                <TextInput type="time" label="To" value={to} onChange={(e) => setTo(e.currentTarget.value)} />
                <TextInput label="Time zone" value={zone} onChange={(e) => setZone(e.currentTarget.value)} />
                <Select label="Waits below" data={[...severities]} value={below} allowDeselect={false} onChange={(v) => v && setBelow(v)} />
              </SimpleGrid>
              <Text fz="sm" c="dimmed">
                What waits is told when the quiet hours end, if it is still open.
              </Text>
            </>
          )}
          <Switch label="Tell too when it is over" checked={ends} onChange={(e) => setEnds(e.currentTarget.checked)} />
          <Switch label="In use" checked={!off} onChange={(e) => setOff(!e.currentTarget.checked)} />
          {error && (
            <Alert color="red" role="alert">
              {error}
            </Alert>
          )}
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

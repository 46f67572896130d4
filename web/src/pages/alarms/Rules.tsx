import { Alert, Badge, Button, Group, Loader, Modal, MultiSelect, NumberInput, Select, SimpleGrid, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { fixed, span } from '../../format'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { listed, useEdit } from '../../parts/useEdit'
import { type Match, matchWords, type Rule, type RuleNow, type RulesBody, useRenew, type WatchInfo } from './api'
import { MatchFields } from './MatchFields'
import { Severity, severities } from './Severity'

type Preview = Schema['PreviewBody']

/** The rules that raise alarms, and what each of them does now. */
export function RulesPage() {
  const may = useMay('configure')
  const [editing, setEditing] = useState<Partial<RuleNow>>()
  const list = useQuery({ queryKey: ['alarm-rules'], queryFn: ({ signal }) => ask<RulesBody>('GET', '/alarm-rules', undefined, signal), refetchInterval: 10_000 })
  const watches = list.data?.watches ?? []
  return (
    <Page
      title="Alarm rules"
      note={list.data && list.data.at > 0 ? `Held against everything every few seconds; the last look took ${fixed(list.data.took_ms, 1)} ms.` : 'What raises an alarm, and when it is over.'}
      actions={
        may && (
          <Button size="xs" onClick={() => setEditing({ watch: 'chip-hot', severity: 'minor', raise_after_s: 300, clear_after_s: 300 })}>
            Add a rule
          </Button>
        )
      }
    >
      {list.error && <Trouble what="The rules cannot be read" error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <Loader size="sm" aria-label="loading" />}
      <div data-testid="rules">
        {(list.data?.rules ?? []).map((r) => (
          <RuleLine key={r.id} rule={r} info={watches.find((w) => w.watch === r.watch)} onEdit={may ? () => setEditing(r) : undefined} />
        ))}
      </div>
      {editing && <RuleForm was={editing} watches={watches} onClose={() => setEditing(undefined)} />}
    </Page>
  )
}

function level(v: number, unit: string): string {
  if (unit === 'share') return `${fixed(v * 100, v < 0.1 ? 1 : 0)} %`
  if (unit === 's') return span(v)
  return `${fixed(v, Number.isInteger(v) ? 0 : 1)}${unit ? ` ${v === 1 ? unit.replace(/s$/, '') : unit}` : ''}`
}

function levels(r: Rule, info?: WatchInfo): string {
  if (!info) return ''
  if (info.unit === '') return `For ${span(r.raise_after_s)}; over after ${span(r.clear_after_s)} without`
  const side = info.above ? 'At' : 'At or below'
  // "at most 0" is said as people say it.
  const over = info.above && r.clear === 0 ? 'with none' : `at ${info.above ? 'most' : 'least'} ${level(r.clear, info.unit)}`
  return `${side} ${level(r.raise, info.unit)}${r.raise_after_s ? ` for ${span(r.raise_after_s)}` : ''}; over ${over}${r.clear_after_s ? ` for ${span(r.clear_after_s)}` : ''}`
}

function RuleLine({ rule: r, info, onEdit }: { rule: RuleNow; info?: WatchInfo; onEdit?: () => void }) {
  const now = r.now
  const matched = matchWords(r.match)
  return (
    <div className={`setup-line${r.off ? ' off' : ''}`}>
      <div className="words">
        <Group gap="sm">
          <Severity of={r.severity} quiet={r.off} />
          <Text fw={600}>{r.title}</Text>
          {r.off && (
            <Badge size="sm" color="gray" tt="none">
              switched off
            </Badge>
          )}
          {now.raised > 0 && (
            <Badge size="sm" color="red" variant="light" tt="none">
              {now.raised} raised
            </Badge>
          )}
          {now.pending > 0 && (
            <Badge size="sm" color="orange" variant="light" tt="none">
              {now.pending} not long enough yet
            </Badge>
          )}
        </Group>
        <Text fz="sm">
          {info?.about} {levels(r, info)}
          {matched === 'everything' ? '' : `. Only ${matched}`}
        </Text>
        <Text fz="xs" c="dimmed">
          {r.off ? '' : `Now: ${now.judged} judged${now.off ? `, ${now.off} off on purpose` : ''}${now.excused ? `, ${now.excused} under a command` : ''}${now.can_not ? `, ${now.can_not} that tell nothing to judge` : ''}`}
        </Text>
      </div>
      {onEdit && (
        <Button size="compact-sm" variant="default" onClick={onEdit} aria-label={`Change ${r.title}`}>
          Change
        </Button>
      )}
    </div>
  )
}

const groups = ['psu', 'thermal', 'board', 'rail', 'sensor', 'firmware', 'control', 'advisory']

type Editing = Partial<RuleNow>

const draftOf = ({ now: _now, version: _version, ...rule }: Editing): Partial<Rule> => rule

const names = { title: 'Title', severity: 'Severity', watch: 'Watches', faults: 'Groups of faults', raise: 'Raised at', clear: 'Over at', raise_after_s: 'Raised after', clear_after_s: 'Over after', match: 'Where', means: 'It means', safe: 'Is it safe?', press: 'What to do', off: 'Switched off' }

function RuleForm({ was, watches, onClose }: { was: Editing; watches: WatchInfo[]; onClose: () => void }) {
  const renew = useRenew()
  const [rule, setRule] = useState<Partial<Rule>>(draftOf(was))
  const edit = useEdit<Editing, Partial<Rule>>({ was: was.id ? was : undefined, version: (r) => r.version, draftOf, draft: rule, setDraft: setRule, newest: () => listed<RuleNow>('/alarm-rules', was.id, 'rules'), names })
  const [preview, setPreview] = useState<Preview>()
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState('')
  const info = watches.find((w) => w.watch === rule.watch)
  const set = (next: Partial<Rule>) => {
    setRule((r) => ({ ...r, ...next }))
    setPreview(undefined)
  }
  const yesNo = info?.unit === ''
  const scale = info?.unit === 'share' ? 100 : 1
  const unit = info?.unit === 'share' ? '%' : (info?.unit ?? '')
  const body = () => ({ id: 0, raise: 1, clear: 0, raise_after_s: 0, clear_after_s: 0, title: '', means: '', safe: '', press: '', ...rule, ...(yesNo ? { raise: 1, clear: 0 } : {}), key: rule.key })
  const send = async (what: string, method: string, path: string) => {
    setBusy(what)
    setError(undefined)
    try {
      const got = await ask<Preview>(method, path, method === 'DELETE' ? undefined : body(), undefined, method === 'PUT' ? edit.headers : {})
      if (what === 'preview') setPreview(got)
      else {
        await renew('alarm-rules')
        onClose()
      }
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy('')
    }
  }
  return (
    <Modal opened onClose={onClose} title={was.id ? `Change: ${was.title}` : 'Add a rule'} size="xl">
      <form
        onSubmit={(e) => {
          e.preventDefault()
          void send('save', was.id ? 'PUT' : 'POST', `/alarm-rules${was.id ? `/${was.id}` : ''}`)
        }}
      >
        <Stack gap="sm">
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
            <TextInput label="Title" required maxLength={100} value={rule.title ?? ''} onChange={(e) => set({ title: e.currentTarget.value })} data-autofocus />
            <Select label="Severity" data={severities.map((s) => ({ value: s, label: s }))} value={rule.severity} allowDeselect={false} onChange={(v) => v && set({ severity: v })} />
          </SimpleGrid>
          <Select label="Watches" description={info?.about} data={watches.map((w) => ({ value: w.watch, label: w.watch.replaceAll('-', ' ') }))} value={rule.watch} allowDeselect={false} searchable onChange={(v) => v && set({ watch: v, raise: undefined, clear: undefined })} />
          {rule.watch === 'fault-told' && <MultiSelect label="Groups of faults" data={groups} value={rule.faults ?? []} onChange={(faults) => set({ faults })} />}
          <SimpleGrid cols={{ base: 1, xs: 2, sm: 4 }} spacing="sm">
            {!yesNo && (
              <>
                <NumberInput label={`Raised ${info?.above ? 'at' : 'at or below'} (${unit})`} required decimalScale={2} value={rule.raise === undefined ? '' : rule.raise * scale} onChange={(v) => set({ raise: v === '' ? undefined : Number(v) / scale })} />
                <NumberInput label={`Over at ${info?.above ? 'most' : 'least'} (${unit})`} required decimalScale={2} value={rule.clear === undefined ? '' : rule.clear * scale} onChange={(v) => set({ clear: v === '' ? undefined : Number(v) / scale })} />
              </>
            )}
            <NumberInput label="Raised after (s)" required min={0} value={rule.raise_after_s ?? 0} onChange={(v) => set({ raise_after_s: Number(v) })} />
            <NumberInput label="Over after (s)" required min={0} value={rule.clear_after_s ?? 0} onChange={(v) => set({ clear_after_s: Number(v) })} />
          </SimpleGrid>
          <MatchFields value={rule.match ?? {}} onChange={(match: Match) => set({ match })} />
          <Textarea label="It means" autosize minRows={1} maxLength={1000} value={rule.means ?? ''} onChange={(e) => set({ means: e.currentTarget.value })} />
          <Textarea label="Is it safe?" autosize minRows={1} maxLength={1000} value={rule.safe ?? ''} onChange={(e) => set({ safe: e.currentTarget.value })} />
          <Textarea label="What to do" autosize minRows={1} maxLength={1000} value={rule.press ?? ''} onChange={(e) => set({ press: e.currentTarget.value })} />
          <Switch label="In use" checked={!rule.off} onChange={(e) => set({ off: !e.currentTarget.checked })} />
          {preview && (
            <Alert color={preview.now.raised > 0 ? 'orange' : 'teal'} title={`Right now: ${preview.now.raised} of ${preview.now.judged} at or beyond the level`} data-testid="preview">
              <Text fz="sm">
                {preview.now.off > 0 && `${preview.now.off} are off on purpose and left alone. `}
                {preview.now.excused > 0 && `${preview.now.excused} are under a command. `}
                {preview.now.can_not > 0 && `${preview.now.can_not} tell nothing to judge.`}
              </Text>
              {(preview.members ?? []).slice(0, 8).map((m) => (
                <Text fz="sm" key={m.subject}>
                  {m.name} {m.place ? `(${m.place})` : ''}: {m.detail}
                </Text>
              ))}
              {(preview.members ?? []).length > 8 && <Text fz="sm">and {(preview.members ?? []).length - 8} more</Text>}
            </Alert>
          )}
          {edit.says(error, () => setError(undefined)) ??
            (error && (
              <Alert color="red" role="alert">
                {error.message}
              </Alert>
            ))}
          <Group justify="space-between">
            {was.id ? (
              <Button variant="subtle" color="red" loading={busy === 'delete'} onClick={() => void send('delete', 'DELETE', `/alarm-rules/${was.id}`)}>
                Delete
              </Button>
            ) : (
              <span />
            )}
            <Group>
              <Button variant="light" loading={busy === 'preview'} onClick={() => void send('preview', 'POST', '/alarm-rules/preview')}>
                What would it raise now?
              </Button>
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" loading={busy === 'save'}>
                Save
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

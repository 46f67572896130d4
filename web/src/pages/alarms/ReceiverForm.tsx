import { Alert, Button, Group, Modal, NumberInput, PasswordInput, Select, SimpleGrid, Stack, Switch, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { ask } from '../../api/client'
import { listed, useEdit } from '../../parts/useEdit'
import { type ReceiverInfo, useRenew } from './api'

export const kinds: Record<string, string> = { email: 'e-mail', webhook: 'webhook', slack: 'Slack', telegram: 'Telegram', pagerduty: 'PagerDuty' }

type Settings = ReceiverInfo['settings']

type Draft = Settings & { title: string; off: boolean }

const draftOf = (r: Partial<ReceiverInfo>): Draft => ({ ...(r.settings ?? { kind: 'email', security: 'starttls' }), title: r.title ?? '', off: r.off ?? false })

const names = { title: 'Title', off: 'Switched off', kind: 'Kind', host: 'Mail server', security: 'Encryption', port: 'Port', from: 'From', to: 'To', user: 'Account', ca: 'Certificate of the mail server', url: 'Address', chat: 'Chat' }

const secretOf: Record<string, { name: string; label: string; about: string }> = {
  email: { name: 'password', label: 'Password', about: 'Of the account at the mail server' },
  webhook: { name: 'key', label: 'Signing key', about: 'Signs what is sent (HMAC-SHA256, header X-Ballast-Signature); may be left out' },
  slack: { name: 'url', label: 'Webhook address', about: 'From Slack: Incoming Webhooks. It is a secret' },
  telegram: { name: 'token', label: "Bot's token", about: 'From @BotFather' },
  pagerduty: { name: 'key', label: 'Integration key', about: 'Of an Events API v2 integration' },
}

/** A receiver's settings. Secrets go in and never come out. */
export function ReceiverForm({ was, onClose }: { was: Partial<ReceiverInfo>; onClose: () => void }) {
  const renew = useRenew()
  const [draft, setDraft] = useState(draftOf(was))
  const { title, off, ...s } = draft
  const change = (next: Partial<Draft>) => setDraft((old) => ({ ...old, ...next }))
  const edit = useEdit<Partial<ReceiverInfo>, Draft>({ was: was.id ? was : undefined, version: (r) => r.version, draftOf, draft, setDraft, newest: () => listed<ReceiverInfo>('/receivers', was.id), names })
  const [secret, setSecret] = useState('')
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const set = (next: Partial<Settings>) => change(next)
  const sec = secretOf[s.kind]!
  const known = was.settings?.kind === s.kind && (was.secrets ?? []).includes(sec.name)
  const send = async (method: string) => {
    setBusy(true)
    setError(undefined)
    try {
      await ask(method, `/receivers${was.id ? `/${was.id}` : ''}`, method === 'DELETE' ? undefined : { title, settings: s, off, secrets: secret ? { [sec.name]: secret } : undefined }, undefined, method === 'PUT' ? edit.headers : {})
      await renew('receivers', 'escalations')
      onClose()
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={was.id ? `Change: ${was.title}` : 'Add a receiver'} size="lg">
      <form
        onSubmit={(e) => {
          e.preventDefault()
          void send(was.id ? 'PUT' : 'POST')
        }}
      >
        <Stack gap="sm">
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
            <TextInput label="Title" required maxLength={100} placeholder="Night shift" value={title} onChange={(e) => change({ title: e.currentTarget.value })} data-autofocus />
            <Select
              label="Kind"
              data={Object.entries(kinds).map(([value, label]) => ({ value, label }))}
              value={s.kind}
              allowDeselect={false}
              onChange={(v) => {
                setDraft({ title, off, ...(v === 'email' ? { kind: 'email', security: 'starttls' } : { kind: v as Settings['kind'] }) })
                setSecret('')
              }}
            />
          </SimpleGrid>
          {s.kind === 'email' && (
            <>
              <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
                <TextInput label="Mail server" required placeholder="mail.example.com" value={s.host ?? ''} onChange={(e) => set({ host: e.currentTarget.value })} />
                <Select
                  label="Encryption"
                  data={[{ value: 'starttls', label: 'STARTTLS' }, { value: 'tls', label: 'TLS' }, { value: 'none', label: 'none' }]}
                  value={s.security}
                  allowDeselect={false}
                  onChange={(v) => set({ security: v as Settings['security'] })}
                />
                <NumberInput label="Port" min={0} max={65535} placeholder={s.security === 'tls' ? '465' : s.security === 'none' ? '25' : '587'} value={s.port || ''} onChange={(v) => set({ port: v === '' ? undefined : Number(v) })} />
              </SimpleGrid>
              <TextInput label="From" required type="email" placeholder="ballast@example.com" value={s.from ?? ''} onChange={(e) => set({ from: e.currentTarget.value })} />
              <TagsInput label="To" description="One address each; Enter adds it" value={s.to ?? []} onChange={(to) => set({ to })} />
              <TextInput label="Account" description="Empty: the server takes mail without sign-in" autoComplete="off" value={s.user ?? ''} onChange={(e) => set({ user: e.currentTarget.value || undefined })} />
              <Textarea label="Certificate of the mail server" description="Only for a server of your own that no public authority vouches for (PEM)" autosize minRows={1} maxRows={4} value={s.ca ?? ''} onChange={(e) => set({ ca: e.currentTarget.value || undefined })} />
            </>
          )}
          {s.kind === 'webhook' && <TextInput label="Address" required type="url" placeholder="https://example.com/hooks/ballast" value={s.url ?? ''} onChange={(e) => set({ url: e.currentTarget.value })} />}
          {s.kind === 'telegram' && <TextInput label="Chat" required description="Id of the chat, or @ and the channel's name" value={s.chat ?? ''} onChange={(e) => set({ chat: e.currentTarget.value })} />}
          {(s.kind === 'telegram' || s.kind === 'pagerduty') && (
            <TextInput
              label="Another base address"
              type="url"
              description={s.kind === 'pagerduty' ? 'For the service region EU: https://events.eu.pagerduty.com' : 'For a Bot API server of your own'}
              value={s.url ?? ''}
              onChange={(e) => set({ url: e.currentTarget.value || undefined })}
            />
          )}
          <PasswordInput label={sec.label} description={known ? 'Set. Leave empty to keep it' : sec.about} autoComplete="new-password" required={!known && s.kind !== 'email' && s.kind !== 'webhook'} value={secret} onChange={(e) => setSecret(e.currentTarget.value)} />
          <Switch label="In use" checked={!off} onChange={(e) => change({ off: !e.currentTarget.checked })} />
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
              <Button type="submit" loading={busy}>
                Save
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

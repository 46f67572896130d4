import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { ask, type Right, type Schema, type SiteInfo } from '../../api/client'
import { span } from '../../format'

export type Person = Schema['Person']
export type Grant = Schema['LedgerGrant']
export type Role = Schema['RoleInfo']['role']
export type KeyInfo = Schema['KeyInfo']
export type Account = Schema['Account']
export type Session = Schema['SessionInfo']
export type NewLink = Schema['NewLink']

/** Roles in the order in which they grow, with what they are called. */
export const roles: { value: Role; label: string; what: string }[] = [
  { value: 'viewer', label: 'Viewer', what: 'looks' },
  { value: 'technician', label: 'Technician', what: 'works at the racks' },
  { value: 'operator', label: 'Operator', what: 'commands machines' },
  { value: 'engineer', label: 'Engineer', what: 'changes sites, limits and rules' },
  { value: 'finance', label: 'Finance', what: 'sees to debt and contracts' },
  { value: 'admin', label: 'Admin', what: 'everything, people and keys too' },
  { value: 'tenant', label: 'Tenant', what: 'sees what is theirs' },
]

export const roleName = (r: string) => roles.find((x) => x.value === r)?.label ?? r

export const rightNames: Record<Right, string> = {
  look: 'Look',
  repair: 'Repair',
  command: 'Command',
  configure: 'Configure',
  money: 'Money',
  administer: 'Administer',
  portal: 'Portal',
}

export function useRoles() {
  return useQuery({ queryKey: ['roles'], queryFn: ({ signal }) => ask<Schema['RoleInfo'][]>('GET', '/roles', undefined, signal), staleTime: Number.POSITIVE_INFINITY })
}

export function useSites() {
  return useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal), staleTime: 60_000 })
}

/** Which role where, in words: "Operator at Odessa, Viewer everywhere". */
export function grantWords(grants: readonly Grant[] | null | undefined, sites?: readonly SiteInfo[]): string {
  if (!grants || grants.length === 0) return 'no role'
  return grants.map((g) => `${roleName(g.role)} ${g.site ? `at ${sites?.find((s) => s.name === g.site)?.title || g.site}` : 'everywhere'}`).join(', ')
}

/** How long ago, with the exact time to hover; `never` when it never was. */
export function Ago({ at, never = 'never' }: { at?: string; never?: string }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const t = window.setInterval(() => setNow(Date.now()), 30_000)
    return () => window.clearInterval(t)
  }, [])
  if (!at) return <span>{never}</span>
  const seconds = (now - new Date(at).getTime()) / 1000
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {seconds < 60 ? 'now' : `${span(seconds)} ago`}
    </time>
  )
}

/** A date to the day, or to the minute. */
export function day(at: string, minutes = false): string {
  return new Date(at).toLocaleString(undefined, minutes ? { dateStyle: 'medium', timeStyle: 'short' } : { dateStyle: 'medium' })
}

/** A part of a settings page. */
export function Part({ title, note, actions, children }: { title: string; note?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className="part" aria-label={title}>
      <Group justify="space-between" align="flex-start" gap="sm" mb={6}>
        <div style={{ minWidth: 0, flex: '1 1 240px' }}>
          <h2>{title}</h2>
          {note && (
            <Text fz="sm" c="dimmed" component="div">
              {note}
            </Text>
          )}
        </div>
        {actions}
      </Group>
      {children}
    </section>
  )
}

/** A secret that is shown this once: a link or a key, with a way to copy it. */
export function Once({ what, secret, note, onDone }: { what: string; secret: string; note: ReactNode; onDone: () => void }) {
  const [copied, setCopied] = useState(false)
  const box = useRef<HTMLElement>(null)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret)
      setCopied(true)
    } catch {
      // Without TLS browsers give no clipboard: mark it, so that the keys can copy it.
      const range = document.createRange()
      if (box.current) range.selectNodeContents(box.current)
      const selection = window.getSelection()
      selection?.removeAllRanges()
      selection?.addRange(range)
    }
  }
  return (
    <Stack gap="sm" data-testid="once">
      <Alert color="orange" title={`Copy ${what} now`}>
        It is shown this once. Ballast keeps only its fingerprint.
      </Alert>
      <Code block ref={box as never} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap', userSelect: 'all' }} data-testid="secret">
        {secret}
      </Code>
      <Text fz="sm" c="dimmed" component="div">
        {note}
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
        <Button onClick={onDone}>Done</Button>
      </Group>
    </Stack>
  )
}

/** What went wrong with a form, in the server's words. */
export function Wrong({ error }: { error: Error | null }) {
  if (!error) return null
  return (
    <Alert color="red" role="alert">
      {error.message}
    </Alert>
  )
}

/** No right to see this: what it takes, and who can help. */
export function NoRight({ what }: { what: string }) {
  return (
    <Alert color="gray" title="This is not yours to see" my="md" data-testid="no-right">
      {what} An admin can give you the role it takes.
    </Alert>
  )
}

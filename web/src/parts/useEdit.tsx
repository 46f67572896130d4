import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { type ReactNode, useRef, useState } from 'react'
import { ask, Failed } from '../api/client'
import { merge, same } from './merge'

interface Editing<T, D> {
  /** What the form was opened with; undefined for something new. */
  was: T | undefined
  /** Its version, as the API tells it. */
  version: (t: T) => number | undefined
  /** What of it the form holds, field by field. */
  draftOf: (t: T) => D
  draft: D
  setDraft: (d: D) => void
  /** Reads it anew; undefined when it is not there any more. */
  newest: () => Promise<T | undefined>
  /** The form's words for its fields. */
  names?: Partial<Record<keyof D & string, string>>
}

interface Told<D> {
  theirs: D
  taken: (keyof D & string)[]
  both: (keyof D & string)[]
}

/** One thing of a list, read anew. */
export async function listed<T extends { id: number }>(path: string, id: number | undefined, field?: string): Promise<T | undefined> {
  const all = await ask<unknown>('GET', path)
  return ((field ? (all as Record<string, T[]>)[field] : (all as T[])) ?? []).find((x) => x.id === id)
}

/** An edit that overwrites nothing that somebody else saved meanwhile: it sends
 * the version that the form was opened with, and when there is a newer one it
 * offers that, with everything that was typed put over it. */
export function useEdit<T, D extends object>(e: Editing<T, D>) {
  const [basis, setBasis] = useState(e.was)
  const [told, setTold] = useState<Told<D> | 'gone'>()
  const [trouble, setTrouble] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const latest = useRef(e) // what is typed while the newest is on its way is kept, too
  latest.current = e
  const version = basis && e.version(basis)
  const name = (key: keyof D & string) => e.names?.[key] ?? key.replaceAll('_', ' ')
  const load = async (quiet = false): Promise<boolean> => {
    setBusy(true)
    setTrouble(undefined)
    try {
      const now = await e.newest()
      if (!now) {
        setTold('gone')
        return true
      }
      const { draft: mine, draftOf, setDraft } = latest.current
      const theirs = draftOf(now)
      const { draft, taken, both } = merge(basis ? draftOf(basis) : mine, mine, theirs)
      setBasis(now)
      setDraft(draft)
      setTold(quiet && taken.length + both.length === 0 ? undefined : { theirs, taken, both })
      return true
    } catch (err) {
      setTrouble(err as Error)
      return false
    } finally {
      setBusy(false)
    }
  }
  return {
    /** What the edit is made from. */
    basis,
    /** The header that says so. */
    headers: (version ? { 'If-Match': `"${version}"` } : {}) as Record<string, string>,
    /** Goes on from what was just saved. */
    rebase: (t: T) => {
      setBasis(t)
      setTold(undefined)
    },
    /** Goes on from the newest; quiet: says nothing when it is the same here. */
    load,
    /** What to say of an error of saving, and of what was loaded; undefined
     * when the error has nothing to do with anybody else. */
    says: (error: Error | null | undefined, reset: () => void): ReactNode => {
      if (error instanceof Failed && error.status === 412) {
        return (
          <Alert color="orange" role="alert" title="Somebody else changed this meanwhile" data-testid="clash">
            <Stack gap={6} align="flex-start">
              <Text fz="sm">
                {told === 'gone' ? 'It was removed. What you typed still stands here: copy what you need of it.' : 'Nothing was saved, and everything that you typed still stands here. Load the newest: what you did not touch becomes as they have it, what you typed stays.'}
              </Text>
              {trouble && <Text fz="sm">It could not be loaded: {trouble.message}</Text>}
              {told !== 'gone' && (
                <Button size="xs" color="orange" loading={busy} onClick={() => void load().then((ok) => ok && reset())}>
                  Load the newest
                </Button>
              )}
            </Stack>
          </Alert>
        )
      }
      if (error || !told) return undefined
      if (told === 'gone') {
        return (
          <Alert color="orange" role="alert" data-testid="clash">
            It was removed meanwhile. What you typed still stands here: copy what you need of it.
          </Alert>
        )
      }
      const open = told.both.filter((k) => !same(e.draft[k], told.theirs[k]))
      return (
        <Alert color="blue" role="status" title="This is the newest, with what you typed" data-testid="newest">
          <Stack gap={6}>
            <Text fz="sm">
              {told.taken.length > 0 ? `As they have it now: ${told.taken.map(name).join(', ')}. ` : 'They changed nothing else that stands here. '}
              Not saved yet.
            </Text>
            {open.map((k) => (
              <Group key={k} gap="xs" wrap="nowrap" justify="space-between" align="flex-start">
                <Text fz="sm" style={{ overflowWrap: 'anywhere' }}>
                  <b>{name(k)}</b>: yours stands. They have {shown(told.theirs[k])}.
                </Text>
                <Button size="compact-xs" variant="default" style={{ flexShrink: 0 }} onClick={() => e.setDraft({ ...e.draft, [k]: told.theirs[k] })} aria-label={`Take theirs: ${name(k)}`}>
                  Take theirs
                </Button>
              </Group>
            ))}
          </Stack>
        </Alert>
      )
    },
  }
}

/** A value as one line, for somebody who must choose. */
function shown(v: unknown): string {
  if (v === undefined || v === null || v === '' || (Array.isArray(v) && v.length === 0)) return 'nothing'
  if (Array.isArray(v)) return v.map((x) => (x && typeof x === 'object' ? Object.values(x).filter((y) => typeof y !== 'boolean' && y !== '').join(' ') : String(x))).join(', ')
  if (typeof v === 'boolean') return v ? 'yes' : 'no'
  const text = typeof v === 'object' ? JSON.stringify(v) : String(v)
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

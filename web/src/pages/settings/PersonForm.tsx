import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '../../api/client'
import { Confirm } from '../../parts/Confirm'
import { same } from '../../parts/merge'
import { listed, useEdit } from '../../parts/useEdit'
import { day, type Grant, grantWords, type NewLink, Once, type Person, useSites, Wrong } from './access'
import { GrantsEditor } from './GrantsEditor'

interface Draft {
  fullName: string
  grants: Grant[]
}

const draftOf = (p: Person): Draft => ({ fullName: p.full_name ?? '', grants: p.grants ?? [] })

/** One person: name, roles, and the ways to keep them out or let them in again. */
export function PersonForm({ person, onDone }: { person: Person; onDone: () => void }) {
  const queries = useQueryClient()
  const sites = useSites()
  const [draft, setDraft] = useState(draftOf(person))
  const { fullName, grants } = draft
  const from = useEdit<Person, Draft>({ was: person, version: (p) => p.version, draftOf, draft, setDraft, newest: () => listed<Person>('/people', person.id), names: { fullName: 'Full name', grants: 'Roles' } })
  const [sure, setSure] = useState(false)
  const again = () => void queries.invalidateQueries({ queryKey: ['people'] })
  const edit = useMutation({
    mutationFn: (change: { full_name?: string; grants?: Grant[]; disabled?: boolean }) => ask<Person>('PATCH', `/people/${person.id}`, { ...change, version: from.basis?.version }),
    onSuccess: (p, change) => {
      again()
      from.rebase(p)
      if (person.self) void queries.invalidateQueries({ queryKey: ['me'] })
      if (change.disabled === undefined || change.disabled) onDone()
    },
  })
  const reset = useMutation({ mutationFn: () => ask<NewLink>('POST', `/people/${person.id}/reset`), onSuccess: () => void queries.invalidateQueries({ queryKey: ['invites'] }) })
  const out = useMutation({ mutationFn: () => ask<{ ended: number }>('DELETE', `/people/${person.id}/sessions`), onSuccess: again })
  if (reset.data) {
    return <Once what="the link" secret={reset.data.link} note={`It sets a new password for ${person.name}, once, until ${day(reset.data.expires, true)}, and signs them out everywhere.`} onDone={onDone} />
  }
  const changed = !same(draft, draftOf(from.basis ?? person))
  const program = !person.signs_in?.length
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        edit.mutate({ full_name: fullName !== (from.basis?.full_name ?? '') ? fullName : undefined, grants })
      }}
    >
      <Stack>
        {from.says(edit.error, edit.reset) ?? <Wrong error={edit.error ?? reset.error ?? out.error} />}
        {person.disabled && <Alert color="red">Disabled since {day(person.disabled, true)}: cannot sign in, and keys of this account do not work.</Alert>}
        {person.elsewhere && <Alert color="gray">Has roles at sites that are not yours, too. Name, password and disabling are up to an admin of all of them.</Alert>}
        <TextInput label="Full name" maxLength={100} disabled={person.elsewhere} value={fullName} onChange={(e) => setDraft({ ...draft, fullName: e.currentTarget.value })} />
        <GrantsEditor value={grants} onChange={(grants) => setDraft({ ...draft, grants })} />
        <Group justify="space-between">
          <Text fz="xs" c="dimmed">
            Account since {day(person.created_at)}
          </Text>
          <Button type="submit" disabled={!changed} loading={edit.isPending}>
            Save
          </Button>
        </Group>
        <div className="items">
          <div>
            <Text fz="sm">
              {person.sessions === 0 ? 'Not signed in anywhere.' : `Signed in with ${person.sessions} ${person.sessions === 1 ? 'browser' : 'browsers'}.`}
              {out.data && ` ${out.data.ended} ended.`}
            </Text>
            <Button size="compact-sm" variant="default" disabled={person.sessions === 0} loading={out.isPending} onClick={() => out.mutate()}>
              Sign out everywhere
            </Button>
          </div>
          {!program && (
            <div>
              <Text fz="sm">Forgot the password, or never had one?</Text>
              <Button size="compact-sm" variant="default" disabled={!!person.disabled || person.elsewhere} loading={reset.isPending} onClick={() => reset.mutate()}>
                Make a reset link
              </Button>
            </div>
          )}
          <div>
            <Text fz="sm">{person.disabled ? 'Let them in again, with the roles above.' : 'Keep them out from now on.'}</Text>
            {person.disabled ? (
              <Button size="compact-sm" variant="default" loading={edit.isPending} onClick={() => edit.mutate({ disabled: false })}>
                Enable
              </Button>
            ) : (
              <Button size="compact-sm" color="red" variant="light" disabled={person.elsewhere} onClick={() => setSure(true)}>
                Disable
              </Button>
            )}
          </div>
        </div>
      </Stack>
      <Confirm
        title={`Disable ${person.name}`}
        opened={sure}
        onClose={() => setSure(false)}
        danger
        button={`Disable ${person.name}`}
        busy={edit.isPending}
        error={edit.error}
        effects={[
          { name: 'Role', value: grantWords(person.grants, sites.data) },
          { name: 'Browsers signed out', value: String(person.sessions) },
          { name: 'API keys', value: 'stop working' },
        ]}
        warning={person.self ? 'This is your own account: you will be signed out at once.' : undefined}
        onConfirm={() => edit.mutate({ disabled: true })}
      >
        <Text fz="sm">The account and what it did stay in the record. It can be enabled again.</Text>
      </Confirm>
    </form>
  )
}

import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { addPasskey, hasPasskeys } from '../../api/passkey'
import { Confirm } from '../../parts/Confirm'
import { type Account, Ago, day, Part, Wrong } from './access'

type Passkey = Schema['PasskeyInfo']

/** Passkeys: registered, named, removed. */
export function Passkeys({ account }: { account: Account }) {
  const queries = useQueryClient()
  const again = () => void queries.invalidateQueries({ queryKey: ['account'] })
  const methods = useQuery({ queryKey: ['methods'], queryFn: ({ signal }) => ask<Schema['SignInMethods']>('GET', '/session/methods', undefined, signal), staleTime: 60_000 })
  const [adding, setAdding] = useState(false)
  const [naming, setNaming] = useState<Passkey>()
  const [removing, setRemoving] = useState<Passkey>()
  const [name, setName] = useState('')
  const rename = useMutation({
    mutationFn: () => ask('PATCH', `/account/passkeys/${naming!.id}`, { name }),
    onSuccess: () => {
      again()
      setNaming(undefined)
    },
  })
  const remove = useMutation({
    mutationFn: (p: Passkey) => ask('DELETE', `/account/passkeys/${p.id}`),
    onSuccess: () => {
      again()
      setRemoving(undefined)
    },
  })
  const can = methods.data?.passkeys && hasPasskeys()
  return (
    <Part
      title="Passkeys"
      note="Sign in with this device's fingerprint, face or PIN, or with a security key. A passkey cannot be guessed, nor typed into a false page."
      actions={
        can && (
          <Button variant="default" onClick={() => setAdding(true)}>
            Add a passkey
          </Button>
        )
      }
    >
      {account.passkeys?.length ? (
        <ul className="items" data-testid="passkeys">
          {account.passkeys.map((p) => (
            <li key={p.id}>
              <div>
                <Text fz="sm" fw={500}>
                  {p.name}
                </Text>
                <Text fz="sm" c="dimmed">
                  since {day(p.created_at)} · last used <Ago at={p.last_used} />
                  {p.synced && ' · kept on several devices'}
                </Text>
              </div>
              <Group gap={6}>
                <Button
                  size="compact-sm"
                  variant="default"
                  aria-label={`Rename ${p.name}`}
                  onClick={() => {
                    setName(p.name)
                    setNaming(p)
                  }}
                >
                  Rename
                </Button>
                <Button size="compact-sm" variant="light" color="red" aria-label={`Remove ${p.name}`} onClick={() => setRemoving(p)}>
                  Remove
                </Button>
              </Group>
            </li>
          ))}
        </ul>
      ) : (
        <Text fz="sm" c="dimmed">
          {can ? 'None yet.' : methods.data && !methods.data.passkeys ? 'Passkeys need Ballast to be reached under a name over TLS; an admin sets url and tls in its configuration.' : 'This browser has no passkeys on this page.'}
        </Text>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title="Add a passkey" size="sm">
        <Add
          account={account}
          onDone={() => {
            setAdding(false)
            again()
          }}
        />
      </Modal>
      <Modal opened={!!naming} onClose={() => setNaming(undefined)} title="Rename the passkey" size="sm">
        <form
          onSubmit={(e: FormEvent) => {
            e.preventDefault()
            rename.mutate()
          }}
        >
          <Stack>
            <Wrong error={rename.error} />
            <TextInput label="Name of the passkey" data-autofocus required maxLength={60} value={name} onChange={(e) => setName(e.currentTarget.value)} />
            <Group justify="flex-end">
              <Button type="submit" loading={rename.isPending}>
                Save
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      <Confirm
        title="Remove the passkey"
        opened={!!removing}
        onClose={() => setRemoving(undefined)}
        danger
        button="Remove it"
        busy={remove.isPending}
        error={remove.error}
        effects={removing ? [{ name: 'Passkey', value: removing.name }] : []}
        onConfirm={() => removing && remove.mutate(removing)}
      >
        <Text fz="sm">It opens your account no more. Delete it on the device, too, or the device goes on offering it.</Text>
      </Confirm>
    </Part>
  )
}

function Add({ account, onDone }: { account: Account; onDone: () => void }) {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const add = useMutation({ mutationFn: () => addPasskey(name.trim(), password), onSuccess: onDone })
  return (
    <form
      onSubmit={(e: FormEvent) => {
        e.preventDefault()
        add.mutate()
      }}
    >
      <Stack>
        <Wrong error={add.error} />
        <TextInput label="Name of the passkey" description="The device that holds it, so that you know it later." placeholder="Work laptop" data-autofocus required maxLength={60} value={name} onChange={(e) => setName(e.currentTarget.value)} />
        {account.password && <PasswordInput label="Your password" description="A passkey outlasts this session: say once more who you are." autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />}
        <Group justify="flex-end">
          <Button type="submit" loading={add.isPending}>
            Go on
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

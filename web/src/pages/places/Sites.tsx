import './places.css'
import { Anchor, Button, Group, Loader, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ask, type Schema, type SiteInfo } from '../../api/client'
import { useMay } from '../../frame/me'
import { dash, fixed, power } from '../../format'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { lines } from './words'

/** The sites: where they are, whose addresses, how many of their machines have a place. */
export function Sites() {
  const q = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal), refetchInterval: 15_000 })
  const may = useMay('configure')
  const [add, setAdd] = useState(false)
  return (
    <Page
      title="Sites"
      note="Where the machines stand. Addresses and layout of a site decide which machine is whose, and in which slot."
      actions={
        may && (
          <>
            <Button component={Link} to="/places/discovery" variant="default">
              Find machines
            </Button>
            <Button onClick={() => setAdd(true)}>Add a site</Button>
          </>
        )
      }
    >
      {q.isPending ? (
        <Loader aria-label="loading" />
      ) : q.error ? (
        <Trouble what="The sites cannot be shown" error={q.error} again={() => void q.refetch()} />
      ) : q.data.length === 0 ? (
        <Empty title="No sites that you may see">Somebody who administers Ballast can give you a role at a site.</Empty>
      ) : (
        <div className="gridtable">
          <table data-testid="sites">
            <thead>
              <tr>
                <th>Site</th>
                <th className="num">Machines</th>
                <th className="num">In a slot</th>
                <th className="num">Slots</th>
                <th className="num">Cap</th>
                <th>Addresses</th>
                <th>Where</th>
              </tr>
            </thead>
            <tbody>
              {q.data.map((s) => (
                <tr key={s.name} className="line">
                  <td>
                    {s.recorded ? (
                      <Anchor component={Link} to="/places/sites/$name" params={{ name: s.name } as never}>
                        {s.title}
                      </Anchor>
                    ) : (
                      s.title
                    )}
                    {s.title !== s.name && (
                      <Text span fz="xs" c="dimmed">
                        {' '}
                        {s.name}
                      </Text>
                    )}
                  </td>
                  <td className="num">{fixed(s.machines, 0)}</td>
                  <td className="num">{fixed(s.placed, 0)}</td>
                  <td className="num">{s.slots ? fixed(s.slots, 0) : dash}</td>
                  <td className="num">{s.cap_w ? power(s.cap_w).join(' ') : dash}</td>
                  <td>{s.ranges?.join(', ') || dash}</td>
                  <td>{[s.jurisdiction, s.zone].filter(Boolean).join(', ') || dash}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {add && <AddSite onClose={() => setAdd(false)} />}
    </Page>
  )
}

function AddSite({ onClose }: { onClose: () => void }) {
  const go = useNavigate()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [title, setTitle] = useState('')
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone)
  const [ranges, setRanges] = useState('')
  const add = useMutation({
    mutationFn: () => ask<Schema['SiteRecord']>('POST', '/sites', { name, title, zone, ranges: lines(ranges) }),
    onSuccess: (s) => {
      void queries.invalidateQueries({ queryKey: ['sites'] })
      void go({ to: '/places/sites/$name', params: { name: s.name } })
    },
  })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    add.mutate()
  }
  return (
    <Modal opened onClose={onClose} title="Add a site">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput label="Short name" description="For grants and metrics; it never changes." required maxLength={63} value={name} onChange={(e) => setName(e.currentTarget.value)} placeholder="odessa-1" data-autofocus />
          <TextInput label="Title" value={title} onChange={(e) => setTitle(e.currentTarget.value)} placeholder="Odessa, Texas" />
          <TextInput label="Time zone" value={zone} onChange={(e) => setZone(e.currentTarget.value)} />
          <Textarea label="Addresses" description="One range a line." autosize minRows={2} value={ranges} onChange={(e) => setRanges(e.currentTarget.value)} placeholder="10.20.0.0/16" />
          {add.error && <Trouble what="The site was not added" error={add.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Leave
            </Button>
            <Button type="submit" loading={add.isPending}>
              Add the site
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

import { Button, Group, Table, Text, Textarea, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, type Machine } from '../../../api/client'
import { useMay } from '../../../frame/me'
import { dash, fixed } from '../../../format'
import { Trouble } from '../../../parts/Trouble'
import { wishWords } from '../actions'
import { CommandState } from '../CommandState'
import { took } from '../Commands'
import type { Reading } from './Boards'

/** Fans, power supplies and pools, as far as they are told. */
export function Parts({ r }: { r: Reading }) {
  const duty = r.fan_duty != null ? ` at ${fixed(100 * r.fan_duty, 0)} %` : ''
  return (
    <div className="boards">
      {!!r.fans?.length && (
        <section className="board" aria-label="Fans">
          <Text fw={600}>Fans{duty}</Text>
          <dl>
            {r.fans.map((f) => (
              <div key={`${f.psu} ${f.index}`} style={{ display: 'contents' }}>
                <dt>{f.name || `${f.psu ? 'PSU fan' : 'Fan'} ${f.index}`}</dt>
                <dd style={f.speed_rpm === 0 && r.state === 'hashing' ? { color: 'var(--down)', fontWeight: 600 } : undefined}>{f.speed_rpm != null ? `${fixed(f.speed_rpm, 0)} rpm` : dash}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      {r.psus?.map((p) => (
        <section className="board" key={p.index} aria-label={`Power supply ${p.index}`}>
          <Text fw={600}>Power supply{p.model && ` ${p.model}`}</Text>
          <dl>
            {(
              [
                ['In', [p.voltage_in_v != null && `${fixed(p.voltage_in_v, 0)} V`, p.current_in_a != null && `${fixed(p.current_in_a, 1)} A`, p.power_in_w != null && `${fixed(p.power_in_w, 0)} W`]],
                ['Out', [p.voltage_out_v != null && `${fixed(p.voltage_out_v, 2)} V`, p.current_out_a != null && `${fixed(p.current_out_a, 0)} A`, p.power_out_w != null && `${fixed(p.power_out_w, 0)} W`]],
                ['Temperature', [(p.temp_max_c ?? p.temp_c) != null && `${fixed(p.temp_max_c ?? p.temp_c, 0)} °C`]],
                ['Fan', [p.fan_rpm != null && `${fixed(p.fan_rpm, 0)} rpm`]],
                ['Status', [p.status]],
                ['Serial', [p.serial]],
              ] as [string, (string | false | undefined)[]][]
            ).map(([k, v]) => {
              const text = v.filter(Boolean).join(', ')
              return text ? (
                <div key={k} style={{ display: 'contents' }}>
                  <dt>{k}</dt>
                  <dd>{text}</dd>
                </div>
              ) : null
            })}
          </dl>
        </section>
      ))}
    </div>
  )
}

export function PoolList({ r }: { r: Reading }) {
  if (!r.pools?.length) return <Text c="dimmed">No pools told.</Text>
  return (
    <Table.ScrollContainer minWidth={500}>
      <Table fz="sm" verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>URL</Table.Th>
            <Table.Th>Worker</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th ta="right">Accepted</Table.Th>
            <Table.Th ta="right">Rejected</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {r.pools.map((p) => (
            <Table.Tr key={p.index}>
              <Table.Td>{p.url}</Table.Td>
              <Table.Td>{p.user}</Table.Td>
              <Table.Td>
                {p.alive === false ? 'dead' : p.alive ? 'alive' : (p.status ?? dash)}
                {p.active && ', in use'}
              </Table.Td>
              <Table.Td ta="right">{fixed(p.accepted, 0)}</Table.Td>
              <Table.Td ta="right">{fixed(p.rejected, 0)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** The last commands with how each went. */
export function CommandList({ m }: { m: Machine }) {
  if (!m.commands?.length)
    return (
      <Text c="dimmed" fz="sm">
        None yet.
      </Text>
    )
  return (
    <>
      <Table.ScrollContainer minWidth={560}>
        <Table fz="sm" verticalSpacing={4} data-testid="machine-commands">
          <Table.Tbody>
            {m.commands.map((c) => (
              <Table.Tr key={c.id}>
                <Table.Td>{new Date(c.created_at).toLocaleString()}</Table.Td>
                <Table.Td>
                  <Link className="link" to="/commands/one/$id" params={{ id: c.id }}>
                    {wishWords(c.kind, c.setting)}
                  </Link>
                </Table.Td>
                <Table.Td>
                  <CommandState of={c.state} />
                </Table.Td>
                <Table.Td ta="right">{took(c) !== null ? `${fixed(took(c), 1)} s` : ''}</Table.Td>
                <Table.Td>{c.actor}</Table.Td>
                <Table.Td>{c.detail}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Link className="link" to="/commands" search={{ list: 'single', machine: String(m.id) }} style={{ fontSize: 13 }}>
        All its commands
      </Link>
    </>
  )
}

/** What people wrote down about the machine. */
export function Notes({ m }: { m: Machine }) {
  const queries = useQueryClient()
  const may = useMay('repair')
  const [text, setText] = useState('')
  const fresh = () => void queries.invalidateQueries({ queryKey: ['machine', String(m.id)] })
  const add = useMutation({
    mutationFn: () => ask('POST', `/machines/${m.id}/notes`, { text }),
    onSuccess: () => {
      setText('')
      fresh()
    },
  })
  const remove = useMutation({ mutationFn: (id: number) => ask('DELETE', `/machines/${m.id}/notes/${id}`), onSuccess: fresh })
  const error = add.error ?? remove.error
  return (
    <div data-testid="notes">
      {(m.notes ?? []).map((n) => (
        <Group key={n.id} justify="space-between" wrap="nowrap" align="baseline" gap="sm" className="decision">
          <Text fz="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {n.text}
          </Text>
          <Group gap="xs" wrap="nowrap">
            <Text fz="xs" c="dimmed">
              {n.actor}, {new Date(n.at).toLocaleString()}
            </Text>
            {may && (
              <Button size="compact-xs" variant="subtle" color="gray" aria-label="Remove this note" onClick={() => remove.mutate(n.id)}>
                Remove
              </Button>
            )}
          </Group>
        </Group>
      ))}
      {error && <Trouble what="The note was not changed" error={error} />}
      {may ? (
        <form onSubmit={(e) => (e.preventDefault(), text.trim() && add.mutate())}>
          <Group align="end" gap="xs" mt="xs">
            <Textarea aria-label="A note" placeholder="Seen, done, replaced…" autosize minRows={1} maxRows={6} maxLength={4000} value={text} onChange={(e) => setText(e.currentTarget.value)} style={{ flex: 1, maxWidth: 620 }} />
            <Button type="submit" variant="default" disabled={!text.trim()} loading={add.isPending}>
              Write down
            </Button>
          </Group>
        </form>
      ) : (
        !m.notes?.length && <Text c="dimmed" fz="sm">None.</Text>
      )}
    </div>
  )
}

/** Who it is, and who and where it was. */
export function Identity({ m }: { m: Machine }) {
  const r = m.reading
  const facts: [string, string | undefined][] = [
    ['MAC', m.record.mac],
    ['Serial', m.record.serial],
    ['Host name', r?.identity.hostname || m.record.hostname],
    ['Control board', r?.identity.control_board],
    ['Firmware', [m.firmware, m.record.firmware_version].filter(Boolean).join(' ')],
    ['Says of itself', r ? [r.state, r.state_told].filter(Boolean).join(': ') : undefined],
    ['Profile and mode', r ? [r.profile, r.mode, r.tuning].filter(Boolean).join(', ') : undefined],
    ['Shares', r?.accepted != null ? `${fixed(r.accepted, 0)} accepted, ${fixed(r.rejected, 0)} rejected` : undefined],
    ['First seen', m.record.first_seen && new Date(m.record.first_seen).toLocaleString()],
  ]
  const when = (t: string) => new Date(t).toLocaleString()
  return (
    <>
      <dl className="facts">
        {facts
          .filter(([, v]) => v?.trim())
          .map(([k, v]) => (
            <div key={k} style={{ display: 'contents' }}>
              <dt>{k}</dt>
              <dd>{v}</dd>
            </div>
          ))}
      </dl>
      <Title order={3} fz={14} mt="md">
        Addresses
      </Title>
      <ul className="plainlist" data-testid="addresses">
        {(m.addresses ?? []).toReversed().map((a) => (
          <li key={a.since + a.addr}>
            {a.addr} from {when(a.since)} {a.until ? `to ${when(a.until)}` : 'until now'}
          </li>
        ))}
        {!m.addresses?.length && <li>None known.</li>}
      </ul>
      {!!m.changes?.length && (
        <>
          <Title order={3} fz={14} mt="md">
            Changes of what it says it is
          </Title>
          <ul className="plainlist">
            {m.changes.toReversed().map((c) => (
              <li key={c.at + c.field}>
                {when(c.at)}: {c.field.replaceAll('_', ' ')} {c.now || dash}, was {c.was || dash}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

import { Button, Group, Menu, Text } from '@mantine/core'
import { useState } from 'react'
import type { Row } from '../../api/client'
import { useMay } from '../../frame/me'
import { fixed, power } from '../../format'
import { type Action, actions } from './actions'
import { CommandDialog, mostAtOnce } from './CommandDialog'
import { EditDialog } from './EditDialog'
import { Follow } from './Follow'

/** What can be done with the machines that are chosen. */
export function Bulk({ chosen, fits, onAll, onNone }: { chosen: Row[]; fits: number; onAll: () => void; onNone: () => void }) {
  const may = { command: useMay('command'), repair: useMay('repair'), configure: useMay('configure') }
  const [action, setAction] = useState<{ action: Action; machines: number[] }>()
  const [edit, setEdit] = useState<{ what: 'group' | 'tags' | 'retire'; rows: Row[] }>()
  const [batch, setBatch] = useState<string>()
  const open = actions.filter((a) => (a.right === 'command' ? may.command : may.repair))
  const first = open.filter((a) => a.kind === 'sleep' || a.kind === 'wake' || (!may.command && a.right === 'repair'))
  const rest = open.filter((a) => !first.includes(a))
  const draws = chosen.reduce((n, r) => n + (r.power_w ?? 0), 0)
  const ask = (a: Action) => setAction({ action: a, machines: chosen.map((r) => r.id) })
  return (
    <>
      {chosen.length > 0 && (
        <Group className="bulk" gap="xs" role="toolbar" aria-label="What to do with the chosen machines">
          <Text fz="sm" fw={600} data-testid="chosen">
            {fixed(chosen.length, 0)} chosen
          </Text>
          <Text fz="sm" c="dimmed">
            {power(draws).join(' ')}
          </Text>
          {chosen.length < fits && (
            <Button size="compact-sm" variant="subtle" onClick={onAll}>
              All {fixed(fits, 0)} that fit
            </Button>
          )}
          <Button size="compact-sm" variant="subtle" color="gray" onClick={onNone}>
            None
          </Button>
          <Group gap={6} ml="auto">
            {first.map((a) => (
              <Button key={a.kind} size="compact-sm" variant="default" onClick={() => ask(a)}>
                {a.title}…
              </Button>
            ))}
            {(rest.length > 0 || may.repair) && (
              <Menu position="bottom-end" withinPortal>
                <Menu.Target>
                  <Button size="compact-sm" variant="default">
                    More…
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  {rest.map((a) => (
                    <Menu.Item key={a.kind} onClick={() => ask(a)}>
                      {a.title}…
                    </Menu.Item>
                  ))}
                  {may.repair && (
                    <>
                      <Menu.Divider />
                      <Menu.Item onClick={() => setEdit({ what: 'group', rows: chosen })}>Group…</Menu.Item>
                      <Menu.Item onClick={() => setEdit({ what: 'tags', rows: chosen })}>Tags…</Menu.Item>
                    </>
                  )}
                  {may.configure && <Menu.Item onClick={() => setEdit({ what: 'retire', rows: chosen })}>Retire…</Menu.Item>}
                </Menu.Dropdown>
              </Menu>
            )}
            {open.length === 0 && (
              <Text fz="sm" c="dimmed">
                Your role looks and does not command.
              </Text>
            )}
          </Group>
          {chosen.length > mostAtOnce && (
            <Text fz="xs" c="dimmed" w="100%">
              One command goes to at most {fixed(mostAtOnce, 0)} machines.
            </Text>
          )}
        </Group>
      )}
      {action && (
        <CommandDialog
          action={action.action}
          machines={action.machines}
          names={action.machines.length === 1 ? chosen[0]?.name : undefined}
          onClose={() => setAction(undefined)}
          onGiven={(b) => {
            setAction(undefined)
            setBatch(b)
          }}
        />
      )}
      {edit && <EditDialog what={edit.what} rows={edit.rows} onClose={() => setEdit(undefined)} />}
      {batch && <Follow id={batch} onClose={() => setBatch(undefined)} />}
    </>
  )
}

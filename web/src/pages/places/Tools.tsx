import { Alert, Button, Checkbox, Code, Group, Modal, NativeSelect, NumberInput, Stack, Table, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { fixed } from '../../format'
import { Trouble } from '../../parts/Trouble'
import { addPattern, type Layout, type Pattern } from './layout'
import { count } from './words'

/** Adds rows of racks by pattern, and says what that makes before it does. */
export function PatternTool({ layout, onClose, onDone }: { layout: Layout; onClose: () => void; onDone: (what: string, next: Layout) => void }) {
  const [p, setP] = useState<Pattern>({ building: '', containers: 'C{1..8}', racks: 'R{1..6}', slots: 24, columns: 4, from: '', step: 'on' })
  const set = (next: Partial<Pattern>) => setP({ ...p, ...next })
  const result = useMemo(() => {
    try {
      return addPattern(layout, p)
    } catch (e) {
      return e as Error
    }
  }, [layout, p])
  const bad = result instanceof Error
  return (
    <Modal opened onClose={onClose} title="Add racks by pattern" size="lg">
      <Stack gap="sm">
        <Text fz="sm" c="dimmed">
          {'C{1..8} stands for C1 to C8, R{01..12} for R01 to R12. Slots count left to right and from the floor up.'}
        </Text>
        <Group grow align="flex-start">
          <TextInput label="Containers" value={p.containers} onChange={(e) => set({ containers: e.currentTarget.value })} description="Empty: racks stand in the building itself." data-autofocus />
          <TextInput label="Racks in each" value={p.racks} onChange={(e) => set({ racks: e.currentTarget.value })} description="Same names in every container." />
        </Group>
        <Group grow align="flex-start">
          <NumberInput label="Slots in a rack" value={p.slots} min={1} max={10000} onChange={(v) => set({ slots: Number(v) || 0 })} />
          <NumberInput label="Side by side" value={p.columns} min={0} max={10000} onChange={(v) => set({ columns: Number(v) || 0 })} description="0: all in one row." />
          <TextInput label="In building" value={p.building} onChange={(e) => set({ building: e.currentTarget.value })} description="Empty: in the open." />
        </Group>
        <Group grow align="flex-start">
          <TextInput label="Addresses from" placeholder="10.20.1.1" value={p.from} onChange={(e) => set({ from: e.currentTarget.value })} description="Empty: machines are placed by hand or by table." />
          <NativeSelect
            label="Going on"
            value={p.step}
            onChange={(e) => set({ step: e.currentTarget.value as Pattern['step'] })}
            data={[
              { value: 'on', label: 'one after another' },
              { value: 'rack24', label: 'each rack in a /24 of its own' },
              { value: 'container24', label: 'each container in a /24 of its own' },
            ]}
          />
        </Group>
        {bad ? (
          <Alert color="orange" role="status">
            {result.message}
          </Alert>
        ) : (
          <Text fz="sm" data-testid="pattern-preview">
            Adds {count(result.containers, 'container')}, {count(result.racks, 'rack')} and {count(result.slots, 'slot')}
            {result.last && `, addresses ${p.from} to ${result.last}`}.
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Leave
          </Button>
          <Button disabled={bad} onClick={() => !bad && onDone(`add ${count(result.racks, 'rack')}`, result.layout)}>
            Add them
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

type Import = Schema['LayoutImport']

/** Reads a table of machines and slots: a preview first, and nothing changes
 * while one line is wrong. */
export function ImportTool({ name, layout, onClose, onDone }: { name: string; layout: Layout; onClose: () => void; onDone: (what: string, next: Layout) => void }) {
  const [kind, setKind] = useState<'csv' | 'foreman'>('csv')
  const [text, setText] = useState('')
  const [container, setContainer] = useState('')
  const [base, setBase] = useState('auto')
  const [top, setTop] = useState(true)
  const look = useMutation({ mutationFn: () => ask<Import>('POST', `/sites/${encodeURIComponent(name)}/import`, { text, layout, container, base, from_top: kind === 'foreman' && top }) })
  const r = look.data
  const problems = r?.problems ?? []
  return (
    <Modal opened onClose={onClose} title="Import which machine stands where" size="xl">
      <Stack gap="sm">
        <Group grow align="flex-start">
          <NativeSelect
            label="What it is"
            value={kind}
            onChange={(e) => {
              setKind(e.currentTarget.value as 'csv' | 'foreman')
              look.reset()
            }}
            data={[
              { value: 'csv', label: 'A table (CSV) of machines and slots' },
              { value: 'foreman', label: "Foreman's export of miners" },
            ]}
          />
          <TextInput label="Container of lines that name none" value={container} onChange={(e) => setContainer(e.currentTarget.value)} placeholder="Floor" />
        </Group>
        {kind === 'foreman' && (
          <Group align="flex-end">
            <NativeSelect
              label="Rows and indexes count from"
              value={base}
              onChange={(e) => setBase(e.currentTarget.value)}
              data={[
                { value: 'auto', label: 'find out (0 when a 0 occurs)' },
                { value: '0', label: '0' },
                { value: '1', label: '1' },
              ]}
            />
            <Checkbox label="Row numbers count from the top, as in Foreman's site map" checked={top} onChange={(e) => setTop(e.currentTarget.checked)} pb={8} />
          </Group>
        )}
        <input
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          aria-label="File with the table"
          onChange={(e) => {
            const f = e.currentTarget.files?.[0]
            if (!f) return
            void f.text().then((t) => {
              setText(t)
              look.reset()
            })
          }}
        />
        <Textarea
          label="Or paste it here"
          autosize
          minRows={4}
          maxRows={9}
          value={text}
          onChange={(e) => {
            setText(e.currentTarget.value)
            look.reset()
          }}
          placeholder={kind === 'csv' ? 'ip,mac,building,container,rack,slot\n10.20.1.1,,,C1,R1,1' : 'miner_mac,miner_ip,miner_rack_group,miner_rack,miner_row,miner_index'}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
        />
        {kind === 'foreman' && (
          <Text fz="xs" c="dimmed">
            Read are the columns miner_mac, miner_ip, miner_serial, miner_rack_group, miner_rack, miner_row and miner_index, and those of the bulk configuration file. Pool passwords in it are not read.
          </Text>
        )}
        {look.error && <Trouble what="The table was not read" error={look.error} />}
        {problems.length > 0 && (
          <Alert color="red" title={`${count(problems.length, 'line')} cannot be read; nothing changes`} role="alert" data-testid="import-problems">
            <Stack gap={2} mah={220} style={{ overflowY: 'auto' }}>
              {problems.slice(0, 100).map((p, i) => (
                <Text fz="sm" key={i}>
                  {p.line ? `Line ${p.line}: ` : ''}
                  {p.at && `${p.at}: `}
                  {p.what}
                </Text>
              ))}
            </Stack>
          </Alert>
        )}
        {r?.layout && (
          <div data-testid="import-preview">
            <Text fz="sm">
              {count(r.lines, 'machine')}: {r.placed} get a slot, {r.moved} move, {r.replaced} take another's slot, {r.same} stay.
              {r.skipped > 0 && ` ${count(r.skipped, 'line')} without a place passed over.`} {(r.added?.length ?? 0) > 0 && `Adds ${r.added!.slice(0, 6).join(', ')}${r.added!.length > 6 ? ` and ${fixed(r.added!.length - 6, 0)} more` : ''}.`}
            </Text>
            <Text fz="sm" c="dimmed">
              Read from{' '}
              {Object.entries(r.columns)
                .map(([what, from]) => `${from} (${what})`)
                .join(', ')}
              . {r.notes?.join(' ')}
            </Text>
            {(r.changes?.length ?? 0) > 0 && (
              <div style={{ maxHeight: 220, overflowY: 'auto' }}>
                <Table fz="sm" mt="xs">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Machine</Table.Th>
                      <Table.Th>From</Table.Th>
                      <Table.Th>To</Table.Th>
                      <Table.Th>Instead of</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {r.changes!.map((c) => (
                      <Table.Tr key={c.machine + c.to}>
                        <Table.Td>{c.machine}</Table.Td>
                        <Table.Td>{c.from}</Table.Td>
                        <Table.Td>{c.to}</Table.Td>
                        <Table.Td>{c.instead}</Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </div>
            )}
          </div>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Leave
          </Button>
          {r?.layout ? (
            <Button onClick={() => onDone(`import ${count(r.lines, 'machine')}`, r.layout!)}>Take it into the layout</Button>
          ) : (
            <Button disabled={!text.trim()} loading={look.isPending} onClick={() => look.mutate()}>
              Preview
            </Button>
          )}
        </Group>
        <Text fz="xs" c="dimmed">
          Which columns are read: <Code>docs/places.md</Code>
        </Text>
      </Stack>
    </Modal>
  )
}

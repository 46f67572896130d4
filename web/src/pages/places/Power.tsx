import { ActionIcon, Button, NativeSelect, NumberInput, Text, TextInput, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { type Layout, put } from './layout'
import type { Problem } from './Plan'

interface Props {
  layout: Layout
  problems: readonly Problem[]
  may: boolean
  change: (what: string, next: Layout) => void
}

type Kind = 'feeders' | 'pdus' | 'meters' | 'loops'
interface Col {
  key: string
  title: string
  kind: 'text' | 'kw' | 'number' | 'pick'
  from?: (l: Layout) => { name: string }[]
  options?: string[]
  none?: string
  at?: string // key in the server's messages, when it is another
}

const feeders = (l: Layout) => l.feeders ?? []
const tables: { kind: Kind; title: string; one: string; note: string; make: (name: string, l: Layout) => object; columns: Col[] }[] = [
  {
    kind: 'feeders',
    title: 'Feeders',
    one: 'feeder',
    note: 'Lines and transformers; each may hang on another, up to the grid.',
    make: (name) => ({ name }),
    columns: [
      { key: 'name', title: 'Name', kind: 'text' },
      { key: 'from', title: 'Hangs on', kind: 'pick', from: feeders, none: 'the grid' },
      { key: 'cap_w', title: 'Cap, kW', kind: 'kw', at: 'cap' },
      { key: 'voltage_v', title: 'Volts', kind: 'number', at: 'voltage' },
      { key: 'phases', title: 'Phases', kind: 'number' },
    ],
  },
  {
    kind: 'pdus',
    title: 'PDUs',
    one: 'PDU',
    note: 'Racks are on PDUs, PDUs on feeders.',
    make: (name, l) => ({ name, feeder: l.feeders?.[0]?.name ?? '' }),
    columns: [
      { key: 'name', title: 'Name', kind: 'text' },
      { key: 'feeder', title: 'Feeder', kind: 'pick', from: feeders, none: 'choose one' },
      { key: 'cap_w', title: 'Cap, kW', kind: 'kw', at: 'cap' },
      { key: 'outlets', title: 'Outlets', kind: 'number' },
      { key: 'source', title: 'Device', kind: 'text' },
    ],
  },
  {
    kind: 'meters',
    title: 'Meters',
    one: 'meter',
    note: 'What each measures: a feeder, a PDU, or, without either, the whole site.',
    make: (name) => ({ name }),
    columns: [
      { key: 'name', title: 'Name', kind: 'text' },
      { key: 'feeder', title: 'Feeder', kind: 'pick', from: feeders, none: '–' },
      { key: 'pdu', title: 'PDU', kind: 'pick', from: (l) => l.pdus ?? [], none: '–' },
      { key: 'source', title: 'Device', kind: 'text' },
    ],
  },
  {
    kind: 'loops',
    title: 'Cooling loops',
    one: 'loop',
    note: 'Fan walls, hydro loops, rows of tanks.',
    make: (name) => ({ name, cooling: 'air' }),
    columns: [
      { key: 'name', title: 'Name', kind: 'text' },
      { key: 'cooling', title: 'Cooling', kind: 'pick', options: ['air', 'hydro', 'immersion'] },
      { key: 'heat_w', title: 'Heat, kW', kind: 'kw', at: 'heat' },
      { key: 'supply_c', title: 'Supply, °C', kind: 'number', at: 'supply' },
      { key: 'hottest_c', title: 'Derate from, °C', kind: 'number', at: 'hottest' },
      { key: 'source', title: 'Device', kind: 'text' },
    ],
  },
]

/** Power and cooling: feeders, PDUs, meters and loops as tables. */
export function Power(p: Props) {
  return (
    <div style={{ display: 'grid', gap: 26, gridTemplateColumns: 'minmax(0, 1fr)' }}>
      {tables.map((t) => (
        <PartTable key={t.kind} {...p} table={t} />
      ))}
    </div>
  )
}

function PartTable({ layout, problems, may, change, table: t }: Props & { table: (typeof tables)[number] }) {
  const rows = (layout[t.kind] ?? []) as unknown as Record<string, string | number | null | undefined>[]
  const add = () => {
    const taken = rows.map((r) => r.name)
    let n = rows.length + 1
    const head = t.one[0]!.toUpperCase()
    while (taken.includes(head + n)) n++
    change(`add ${t.one} ${head}${n}`, put(layout, t.kind, [...rows, t.make(head + n, layout)]))
  }
  return (
    <section>
      <Title order={2} fz={16}>
        {t.title}
      </Title>
      <Text fz="sm" c="dimmed" mb={6}>
        {t.note}
      </Text>
      {rows.length > 0 && (
        <div className="gridtable">
          <table>
            <thead>
              <tr>
                {t.columns.map((c) => (
                  <th key={c.key}>{c.title}</th>
                ))}
                <th />
              </tr>
            </thead>
            <tbody>
              {rows.map((r, i) => (
                <tr key={i}>
                  {t.columns.map((c) => (
                    <td key={c.key}>
                      <Cell layout={layout} col={c} value={r[c.key]} may={may} label={`${c.title} of ${r.name}`} error={problems.find((x) => x.at === `${t.kind}[${i}].${c.at ?? c.key}`)?.what} set={(v) => change(`type ${t.one} ${i} ${c.key}`, put(layout, `${t.kind}[${i}].${c.key}`, v))} />
                    </td>
                  ))}
                  <td>
                    {may && (
                      <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${t.one} ${r.name}`} onClick={() => change(`remove ${t.one} ${r.name}`, put(layout, `${t.kind}[${i}]`, undefined))}>
                        ×
                      </ActionIcon>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {may && (
        <Button size="compact-sm" variant="default" mt={6} onClick={add}>
          Add a {t.one}
        </Button>
      )}
    </section>
  )
}

function Cell({ layout, col, value, may, label, error, set }: { layout: Layout; col: Col; value: string | number | null | undefined; may: boolean; label: string; error?: string; set: (v: unknown) => void }): ReactNode {
  const common = { size: 'xs' as const, 'aria-label': label, error }
  switch (col.kind) {
    case 'pick':
      return <NativeSelect {...common} disabled={!may} value={String(value ?? '')} onChange={(e) => set(e.currentTarget.value || (col.options || col.key === 'feeder' ? e.currentTarget.value : undefined))} data={col.options ?? [{ value: '', label: col.none! }, ...col.from!(layout).map((x) => ({ value: x.name, label: x.name }))]} />
    case 'kw':
      return <NumberInput {...common} w={110} readOnly={!may} min={0} value={value ? Number(value) / 1000 : ''} onChange={(v) => set(v === '' ? undefined : Number(v) * 1000)} />
    case 'number':
      return <NumberInput {...common} w={100} readOnly={!may} value={value ?? ''} onChange={(v) => set(v === '' ? undefined : Number(v))} />
    default:
      return <TextInput {...common} readOnly={!may} value={String(value ?? '')} onChange={(e) => set(e.currentTarget.value || (col.key === 'name' ? '' : undefined))} />
  }
}

import { Alert, Button, FileInput, Group, NativeSelect, SimpleGrid, Table, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { base64 } from '../debt/Import'
import { Months } from './Months'
import { decimal, when } from './words'

export type Brought = Schema['PriceBrought']
type How = Schema['ImportHow']

const choices = {
  clock: { label: 'Times are on', data: [{ value: '', label: "the site's clock" }, { value: 'standard', label: 'its standard time all year' }, { value: 'utc', label: 'UTC' }] },
  stamp: { label: 'Times are when intervals', data: [{ value: '', label: 'as the file tells' }, { value: 'start', label: 'begin' }, { value: 'end', label: 'end' }] },
  dates: { label: '03/04 is', data: [{ value: '', label: 'as the file tells' }, { value: 'mdy', label: 'March 4' }, { value: 'dmy', label: '3 April' }] },
  unit: { label: 'Values are', data: [{ value: '', label: 'as the file says' }, 'Wh', 'kWh', 'MWh', 'kW', 'MW'] },
  interval_min: { label: 'Intervals of', data: [{ value: '', label: 'as the file tells' }, ...['5', '10', '15', '20', '30', '60'].map((m) => ({ value: m, label: `${m} minutes` }))] },
} as const

type Choice = keyof typeof choices

/** Chooses a file, shows what was understood, and imports it: all or nothing. */
export function Bring({ site, path, what, accept, asks, invalidate }: { site: string; path: string; what: string; accept: string; asks: Choice[]; invalidate: string[] }) {
  const queries = useQueryClient()
  const [file, setFile] = useState<File | null>(null)
  const [data, setData] = useState('')
  const [how, setHow] = useState<How>({})
  const body = (h: How) => ({ site, name: file?.name ?? '', how: h })
  const preview = useMutation({ mutationFn: (b: { file: string; name: string; how: How }) => ask<Brought>('POST', path, { site, ...b, preview: true }) })
  const write = useMutation({
    mutationFn: (seen: number) => ask<Brought>('POST', path, { ...body(how), file: data, seen }),
    onSuccess: async () => {
      preview.reset()
      setFile(null)
      await Promise.all(invalidate.map((key) => queries.invalidateQueries({ queryKey: [key] })))
    },
  })
  const look = async (f: File | null, h: How) => {
    preview.reset()
    write.reset()
    if (!f) return setData('')
    const text = await base64(f)
    setData(text)
    preview.mutate({ file: text, name: f.name, how: h })
  }
  const choose = (c: Choice | 'meter', v: string) => {
    const next = { ...how, [c]: v === '' ? undefined : c === 'interval_min' ? Number(v) : v }
    setHow(next)
    if (c !== 'meter') void look(file, next)
  }
  const p = preview.data
  const problems = p?.file.problems ?? []
  const wanted = new Set(problems.map((x) => x.field))
  const moving = p ? p.added + p.changed : 0
  return (
    <section aria-label={`Import ${what}`} data-testid="bring">
      <Group align="flex-end" gap="md">
        <FileInput
          label={`File of ${what}`}
          placeholder="Choose a file"
          accept={accept}
          clearable
          clearButtonProps={{ 'aria-label': 'Take the file away' }}
          value={file}
          onChange={(f) => {
            setFile(f)
            void look(f, how)
          }}
          w={{ base: '100%', xs: 320 }}
        />
        {asks.includes('unit') && <TextInput label="Meter" description="where the file names none" placeholder="main" value={how.meter ?? ''} onChange={(e) => choose('meter', e.currentTarget.value)} onBlur={() => file && void look(file, how)} w={180} />}
      </Group>
      {file && (
        <SimpleGrid cols={{ base: 2, sm: 3, md: 5 }} spacing="sm" mt="sm" maw={1000}>
          {asks.map((c) => (
            <NativeSelect key={c} label={choices[c].label} size="xs" value={String(how[c] ?? '')} data={[...choices[c].data]} error={wanted.has(c)} onChange={(e) => choose(c, e.currentTarget.value)} />
          ))}
        </SimpleGrid>
      )}
      {preview.isPending && (
        <Text fz="sm" mt="sm">
          Reading the file…
        </Text>
      )}
      {preview.error && (
        <Alert color="red" role="alert" title="The file cannot be used" mt="sm">
          {preview.error.message}
        </Alert>
      )}
      {problems.length > 0 && (
        <Alert color="red" role="alert" mt="sm" title={problems.length === 1 ? 'Something is in the way; nothing would be imported' : `${problems.length} things are in the way; nothing would be imported`} data-testid="problems">
          <ul className="plainlist">
            {problems.slice(0, 30).map((x, i) => (
              // biome-ignore lint: problems may repeat
              <li key={i}>
                {x.line ? <b>Line {x.line}: </b> : null}
                {x.line ? x.what : capital(x.what)}.{x.do ? ` ${capital(x.do)}.` : ''}
              </li>
            ))}
            {problems.length > 30 && <li>and {problems.length - 30} more</li>}
          </ul>
        </Alert>
      )}
      {p && problems.length === 0 && <Preview p={p} moving={moving} busy={write.isPending} onWrite={() => write.mutate(p.seen)} />}
      {write.error && (
        <Alert color="red" role="alert" title="Nothing was imported" mt="sm">
          {write.error.message}{' '}
          <Button size="compact-xs" variant="default" onClick={() => void look(file, how)}>
            Look again
          </Button>
        </Alert>
      )}
      {write.data && (
        <Alert color="green" role="status" title="Imported" mt="sm" data-testid="imported">
          {write.data.added.toLocaleString('en-US')} intervals new, {write.data.changed.toLocaleString('en-US')} revised. Statements that were not issued use them from now on; issued ones are corrected on the next.
        </Alert>
      )}
    </section>
  )
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

function Preview({ p, moving, busy, onWrite }: { p: Brought; moving: number; busy: boolean; onWrite: () => void }) {
  const f = p.file
  const zone = f.zone.split(' ')[0]!
  const awards = p.kind === 'award'
  return (
    <div className="preview" data-testid="preview">
      <Text fw={600} mt="md">
        {f.format}, on the clock of {f.zone}
      </Text>
      {(f.remarks ?? []).map((r) => (
        <Text fz="sm" c="dimmed" key={r} style={{ overflowWrap: 'anywhere' }}>
          {r}
        </Text>
      ))}
      <Table.ScrollContainer minWidth={560} type="native" tabIndex={0} mt="xs">
        <Table fz="sm" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{awards ? 'Awards' : 'Meter'}</Table.Th>
              <Table.Th>From</Table.Th>
              <Table.Th>To</Table.Th>
              <Table.Th ta="right">Every</Table.Th>
              <Table.Th ta="right">{awards ? 'Hours' : 'Readings'}</Table.Th>
              {!awards && <Table.Th ta="right">Estimated</Table.Th>}
              <Table.Th ta="right">MWh</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {(f.meters ?? []).map((m) => (
              <Table.Tr key={m.name}>
                <Table.Td>{m.name}</Table.Td>
                <Table.Td>{when(m.from, zone)}</Table.Td>
                <Table.Td>{when(m.to, zone)}</Table.Td>
                <Table.Td ta="right">{m.interval_min} min</Table.Td>
                <Table.Td ta="right">{m.readings.toLocaleString('en-US')}</Table.Td>
                {!awards && <Table.Td ta="right">{m.estimated.toLocaleString('en-US')}</Table.Td>}
                <Table.Td ta="right">{decimal(String(m.mwh), 3)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {(f.gaps ?? []).length > 0 && (
        <Text fz="sm" mt={4}>
          Gaps: {f.gaps!.slice(0, 6).map((g) => `${when(g.from, zone)} to ${when(g.to, zone)}`).join('; ')}
          {f.gaps!.length > 6 && ` and ${f.gaps!.length - 6} more`}
        </Text>
      )}
      {(p.warnings ?? []).map((w) => (
        <Alert key={w} color="yellow" py={4} mt={6}>
          {w}
        </Alert>
      ))}
      {(p.months ?? []).length > 0 && (
        <>
          <Text fw={600} mt="md">
            As it would stand, beside the site's own meter
          </Text>
          <Months months={p.months!} />
        </>
      )}
      <Group mt="md" gap="md">
        <Button disabled={moving === 0} loading={busy} onClick={onWrite}>
          {moving === 0 ? 'All of it is known already' : `Import ${moving.toLocaleString('en-US')} intervals`}
        </Button>
        <Text fz="sm" data-testid="effect">
          {p.added.toLocaleString('en-US')} new, {p.changed.toLocaleString('en-US')} revised, {p.same.toLocaleString('en-US')} the same.
        </Text>
      </Group>
    </div>
  )
}

import { Alert, Anchor, Button, FileInput, Group, NativeSelect, Stack, Table, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Page } from '../../parts/Page'

type Import = Schema['DebtImport']

export const kinds: { value: string; label: string; says: string }[] = [
  { value: 'facilities', label: 'Facilities', says: 'One line a contract. Those with the same id are changed; none is removed.' },
  { value: 'covenants', label: 'Covenants', says: 'One line a covenant, of a facility that is in the register.' },
  { value: 'balances', label: 'Balances', says: 'What accounts held on a day, in the currency or in BTC; pledged ones pay nothing but what they are held for.' },
  { value: 'flows', label: 'Planned flows', says: 'Receipts and payments to come, once or every week, month, quarter or year. Debt service comes from the register, power from the machines.' },
  { value: 'payments', label: 'Payments made', says: 'What was paid on which due payment of a facility.' },
  { value: 'machine-prices', label: 'Prices of machines', says: 'What a TH/s of an efficiency tier was quoted, offered or sold at.' },
  { value: 'rates', label: 'Reference rates', says: 'Indices such as SOFR, by day; a rate holds until the next.' },
]

/** Bytes as base64. */
export async function base64(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ''
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(text)
}

/** Brings a file into the book: what would change first, all or nothing. */
export function ImportPage() {
  const wanted = useSearch({ strict: false }) as { kind?: string }
  const queries = useQueryClient()
  const [kind, setKind] = useState(kinds.some((k) => k.value === wanted.kind) ? wanted.kind! : 'facilities')
  const [file, setFile] = useState<File | null>(null)
  const [data, setData] = useState('')
  const preview = useMutation({ mutationFn: (b: { kind: string; file: string }) => ask<Import>('POST', '/debt/import', { ...b, preview: true }) })
  const write = useMutation({
    mutationFn: (seen: number) => ask<Import>('POST', '/debt/import', { kind, file: data, seen }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['debt'] }),
  })
  const look = async (k: string, f: File | null) => {
    preview.reset()
    write.reset()
    if (!f) return setData('')
    const text = await base64(f)
    setData(text)
    preview.mutate({ kind: k, file: text })
  }
  const p = preview.data
  const bad = p?.errors ?? []
  const moving = p ? p.adds + p.changes : 0
  return (
    <Page title="Import" note="CSV or a spreadsheet (.xlsx). You see what would change before anything does; a file with one wrong line changes nothing.">
      <div className="debt">
        <Stack gap="md" maw={1100}>
          <Group align="flex-end" gap="md">
            <NativeSelect
              label="What the file holds"
              value={kind}
              data={kinds}
              onChange={(e) => {
                setKind(e.currentTarget.value)
                void look(e.currentTarget.value, file)
              }}
            />
            <FileInput
              label="File"
              placeholder="Choose a file"
              accept=".csv,.xlsx,text/csv"
              clearable
              clearButtonProps={{ 'aria-label': 'Take the file away' }}
              value={file}
              onChange={(f) => {
                setFile(f)
                void look(kind, f)
              }}
              w={300}
            />
            <Text fz="sm">
              Template:{' '}
              <Anchor href={`/api/v1/debt/templates/${kind}.xlsx`} download fz="sm" underline="always">
                .xlsx
              </Anchor>{' '}
              ·{' '}
              <Anchor href={`/api/v1/debt/templates/${kind}.csv`} download fz="sm" underline="always">
                .csv
              </Anchor>
            </Text>
          </Group>
          <Text fz="sm" c="dimmed">
            {kinds.find((k) => k.value === kind)!.says} The template's lines are of a made-up company: replace them.
          </Text>
          {preview.isPending && <Text fz="sm">Reading the file…</Text>}
          {preview.error && (
            <Alert color="red" role="alert" title="The file could not be read">
              {preview.error.message}
            </Alert>
          )}
          {bad.length > 0 && (
            <Alert color="red" role="alert" title={`${bad.length} ${bad.length === 1 ? 'line is' : 'lines are'} wrong; nothing would be changed`} data-testid="line-errors">
              <Table fz="sm" verticalSpacing={3}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Line</Table.Th>
                    <Table.Th>Column</Table.Th>
                    <Table.Th>It says</Table.Th>
                    <Table.Th>What is wrong</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {bad.map((e) => (
                    <Table.Tr key={`${e.line} ${e.column} ${e.reason} ${e.text}`}>
                      <Table.Td>{e.line || 'file'}</Table.Td>
                      <Table.Td>{e.column}</Table.Td>
                      <Table.Td style={{ overflowWrap: 'anywhere' }}>{e.text}</Table.Td>
                      <Table.Td>{e.reason}</Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Alert>
          )}
          {p && bad.length === 0 && !write.data && (
            <>
              <Text fw={600} data-testid="preview">
                {p.adds} added, {p.changes} changed, {p.same} the same as now.
              </Text>
              {(p.effect ?? []).length > 0 && (
                <dl className="facts" data-testid="effects">
                  {p.effect!.map((e) => (
                    <div key={e.name} style={{ display: 'contents' }}>
                      <dt>{e.name}</dt>
                      <dd>
                        {e.was} → <b>{e.now}</b>
                      </dd>
                    </div>
                  ))}
                </dl>
              )}
              {(p.remarks ?? []).map((r) => (
                <Text fz="sm" key={r} c="dimmed">
                  {r}
                </Text>
              ))}
              <div className="gridtable" tabIndex={0} role="region" aria-label="What would change" style={{ maxHeight: 420, overflow: 'auto' }}>
                <table className="import-lines" data-testid="import-lines">
                  <thead>
                    <tr>
                      <th>Line</th>
                      <th>Does</th>
                      <th>What</th>
                      <th>Afterwards</th>
                    </tr>
                  </thead>
                  <tbody>
                    {(p.lines ?? []).map((l) => (
                      <tr key={l.line + l.name}>
                        <td>{l.line || ''}</td>
                        <td className={l.action}>{l.action}</td>
                        <td>{l.name}</td>
                        <td>
                          {l.text}
                          {(l.fields ?? []).map((f) => (
                            <div className="diff" key={f.field}>
                              {f.field}: {f.was || 'nothing'} → <b>{f.now || 'nothing'}</b>
                            </div>
                          ))}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              {write.error && (
                <Alert color="red" role="alert" title="Nothing was changed">
                  {write.error.message}{' '}
                  <Button size="compact-xs" variant="default" onClick={() => void look(kind, file)}>
                    Look again
                  </Button>
                </Alert>
              )}
              <Group>
                <Button disabled={moving === 0} loading={write.isPending} onClick={() => write.mutate(p.rev)}>
                  {moving === 0 ? 'Nothing to change' : `Write ${moving} ${moving === 1 ? 'line' : 'lines'} to the book`}
                </Button>
              </Group>
            </>
          )}
          {write.data && (
            <Alert color="green" role="status" title="Written" data-testid="written">
              {write.data.adds} added, {write.data.changes} changed.{' '}
              <Anchor component={Link} to="/money" underline="always">
                To the position
              </Anchor>
            </Alert>
          )}
        </Stack>
      </div>
    </Page>
  )
}

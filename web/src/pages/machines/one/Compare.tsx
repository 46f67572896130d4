import { Loader, Table, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { ask, type Schema } from '../../../api/client'
import { fixed } from '../../../format'
import { Trouble } from '../../../parts/Trouble'

type Siblings = Schema['Siblings']
type Comparison = Schema['Comparison']

/** This machine among those of its model nearby. */
export function Compare({ id, seen }: { id: string; seen?: number }) {
  const q = useQuery({ queryKey: ['siblings', id, seen], queryFn: ({ signal }) => ask<Siblings>('GET', `/machines/${id}/siblings`, undefined, signal), placeholderData: keepPreviousData })
  if (q.error && !q.data) return <Trouble what="Its siblings cannot be shown" error={q.error} again={() => void q.refetch()} />
  if (!q.data) return <Loader size="sm" aria-label="loading" />
  const s = q.data
  if (!s.figures?.length) return <Text c="dimmed">{s.model ? `No other ${s.model} hashes now.` : 'Its model is not known, so there is nothing to compare it with.'}</Text>
  return (
    <>
      <Text fz="sm" c="dimmed" mb={4}>
        Against {fixed(s.others, 0)} other {s.model} that hash{s.among === 'all' ? '' : ` in the same ${s.among}`}
        {s.where && ` (${s.where})`}. The band holds the middle half, the line in it is the median, the dot is this machine.
      </Text>
      <Table.ScrollContainer minWidth={560}>
        <Table fz="sm" verticalSpacing={3} className="compare" data-testid="compare">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Figure</Table.Th>
              <Table.Th ta="right">This one</Table.Th>
              <Table.Th ta="right">Median</Table.Th>
              <Table.Th w="42%">Spread</Table.Th>
              <Table.Th>Where it lies</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {s.figures.map((f) => (
              <Table.Tr key={f.name}>
                <Table.Td>
                  {f.name}
                  {f.unit && `, ${f.unit}`}
                </Table.Td>
                <Table.Td ta="right">{fixed(f.value, places(f))}</Table.Td>
                <Table.Td ta="right">{fixed(f.median, places(f))}</Table.Td>
                <Table.Td>
                  <Spread f={f} />
                </Table.Td>
                <Table.Td>{lies(f)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  )
}

const places = (f: Comparison) => (f.unit === '%' || f.unit.startsWith('%') ? 2 : f.unit === '' ? 0 : 1)

/** In words, good or bad. */
export function lies(f: Comparison): string {
  if (f.value == null) return 'not told'
  const good = f.better === 'high' ? f.value >= f.quarter : f.value <= f.three_quarters
  const far = f.better === 'high' ? f.value < f.low : f.value > f.high
  if (far) return 'worse than all of them'
  if (!good) return 'among the worst quarter'
  const best = f.better === 'high' ? f.value > f.three_quarters : f.value < f.quarter
  return best ? 'among the best quarter' : 'in the middle'
}

function Spread({ f }: { f: Comparison }) {
  const low = Math.min(f.low, f.value ?? f.low)
  const high = Math.max(f.high, f.value ?? f.high)
  const span = high - low || 1
  const at = (v: number) => 4 + (292 * (v - low)) / span
  const bad = lies(f).includes('wors')
  return (
    <svg viewBox="0 0 300 26" preserveAspectRatio="none" role="img" aria-label={`${fixed(f.low, 2)} to ${fixed(f.high, 2)}, median ${fixed(f.median, 2)}, this machine ${fixed(f.value, 2)}`}>
      <line x1={at(f.low)} x2={at(f.high)} y1="13" y2="13" stroke="var(--mantine-color-dimmed)" strokeWidth="1" />
      <rect x={at(f.quarter)} width={Math.max(at(f.three_quarters) - at(f.quarter), 1)} y="7" height="12" fill="var(--starting)" opacity="0.45" />
      <line x1={at(f.median)} x2={at(f.median)} y1="5" y2="21" stroke="var(--mantine-color-text)" strokeWidth="2" />
      {/* A line of no length with round ends: a dot that the stretched drawing does not stretch. */}
      {f.value != null && <line x1={at(f.value)} x2={at(f.value)} y1="13" y2="13" stroke={bad ? 'var(--down)' : 'var(--hashing)'} strokeWidth="10" strokeLinecap="round" vectorEffect="non-scaling-stroke" />}
    </svg>
  )
}

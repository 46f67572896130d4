import { Alert, Badge, Table, Text } from '@mantine/core'
import type { Schema } from '../../api/client'
import { means, money, tone } from './words'

/** How sure a price is. */
export function Sure({ status }: { status: string }) {
  return (
    <Badge size="sm" variant="light" color={tone[status] ?? 'gray'} title={means[status]} tt="none" fw={500}>
      {status}
    </Badge>
  )
}

/** Said wherever prices are nobody's. */
export function Simulated({ on }: { on: boolean | undefined }) {
  if (!on) return null
  return (
    <Alert color="yellow" mb="sm" py={6} data-testid="simulated">
      The market is simulated: prices come from made-up weather, wind and load. They are nobody's prices.
    </Alert>
  )
}

interface Part {
  part: string
  kind: string
  price_per_mwh: number
  status: string
  source: string
  note?: string
}

/** What a price is made of, part by part. */
export function Breakdown({ parts, currency, total }: { parts: Part[]; currency: string; total: number }) {
  return (
    <Table.ScrollContainer minWidth={520} type="native" tabIndex={0}>
      <Table data-testid="breakdown" verticalSpacing={4} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Part</Table.Th>
            <Table.Th ta="right">{currency}/MWh</Table.Th>
            <Table.Th>How sure</Table.Th>
            <Table.Th>Where from</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {parts.map((p) => (
            <Table.Tr key={p.part}>
              <Table.Td>
                {p.part}{' '}
                <Text span c="dimmed" fz="xs">
                  {p.kind}
                </Text>
              </Table.Td>
              <Table.Td ta="right">{p.status === 'missing' ? '–' : money(p.price_per_mwh, currency)}</Table.Td>
              <Table.Td>
                <Sure status={p.status} />
              </Table.Td>
              <Table.Td>{[p.source, p.note].filter(Boolean).join('; ')}</Table.Td>
            </Table.Tr>
          ))}
          <Table.Tr>
            <Table.Td fw={600}>One more MWh</Table.Td>
            <Table.Td ta="right" fw={600}>
              {money(total, currency)}
            </Table.Td>
            <Table.Td />
            <Table.Td />
          </Table.Tr>
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** The components of a breakdown as the API has them, with prices as numbers. */
export function partsOf(b: Schema['TariffBreakdown']): Part[] {
  return (b.components ?? []).map((c) => ({ part: c.part, kind: c.kind, price_per_mwh: perMWh(c.price), status: c.status, source: c.source, note: c.note }))
}

/** "$24.191345/MWh" or "-0.5 EUR/MWh" as a number. */
export function perMWh(text: string): number {
  const n = Number.parseFloat(text.replace(/[^0-9.eE+-]/g, ' ').trim().split(' ')[0] ?? '')
  return text.trim().startsWith('-') && n > 0 ? -n : n
}

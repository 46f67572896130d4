import { Table } from '@mantine/core'
import type { Schema } from '../../api/client'
import { fixed } from '../../format'
import { longMonth } from './words'

export type Against = Schema['PriceAgainst']

const signed = (v: number, places: number) => (v < 0 ? '−' : v > 0 ? '+' : '') + fixed(Math.abs(v), places)

/** The difference in words: "+0.42 %, +12.3 MWh". */
export const difference = (a: Against) => (a.diff_pct === undefined || a.diff_pct === null ? 'nothing to compare' : `${signed(a.diff_pct, 2)} %, ${signed(a.diff_mwh, Math.abs(a.diff_mwh) < 10 ? 3 : 1)} MWh`)

/** Months of the utility's meter beside the site's own. */
export function Months({ months }: { months: Against[] }) {
  return (
    <Table.ScrollContainer minWidth={620} type="native" tabIndex={0}>
      <Table fz="sm" verticalSpacing={4} data-testid="months">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Month</Table.Th>
            <Table.Th ta="right">Utility less own</Table.Th>
            <Table.Th ta="right">Utility, MWh</Table.Th>
            <Table.Th ta="right">Own meter, compared hours, MWh</Table.Th>
            <Table.Th ta="right">Hours of the month</Table.Th>
            <Table.Th ta="right">Estimated, h</Table.Th>
            <Table.Th ta="right">Compared, h</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {months.map((a) => (
            <Table.Tr key={a.month}>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>{longMonth(a.month)}</Table.Td>
              <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }} fw={a.diff_pct !== undefined && a.diff_pct !== null && Math.abs(a.diff_pct) > 2 ? 600 : undefined}>
                {difference(a)}
              </Table.Td>
              <Table.Td ta="right">{fixed(a.utility_mwh, 3)}</Table.Td>
              <Table.Td ta="right">{fixed(a.both_own_mwh, 3)}</Table.Td>
              <Table.Td ta="right">
                {fixed(a.utility_h, a.utility_h % 1 ? 2 : 0)} of {fixed(a.month_h, a.month_h % 1 ? 2 : 0)}
              </Table.Td>
              <Table.Td ta="right">{fixed(a.estimated_h, a.estimated_h % 1 ? 2 : 0)}</Table.Td>
              <Table.Td ta="right">{fixed(a.both_h, a.both_h % 1 ? 2 : 0)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

import { Alert, Anchor, Loader, Table, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { fixed } from '../../format'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Bring } from './Bring'
import { Imports } from './Imports'
import { NoMoney } from './NoMoney'
import { clock, longMonth } from './words'
import './power.css'

type Body = Schema['AwardsBody']
const touches = ['awards', 'statement', 'statements']

/** What a site bought day-ahead: two-settlement contracts settle against it. */
export function AwardsPage() {
  const view = useView()
  const may = useMay('money')
  const [month, setMonth] = useState(new Date().toISOString().slice(0, 7))
  const site = view.query ? `&${view.query}` : ''
  const q = useQuery({ queryKey: ['awards', view.site, month], queryFn: ({ signal }) => ask<Body>('GET', `/awards?month=${month}${site}`, undefined, signal), enabled: may && /^\d{4}-\d{2}$/.test(month), retry: false })
  const b = q.data
  const known = (b?.days ?? []).filter((d) => (d.hours ?? []).length > 0)
  return (
    <Page
      title="Day-ahead awards"
      note={
        <>
          <Anchor component={Link} to="/power/statements" fz="sm">
            ← statements
          </Anchor>{' '}
          {b && `${b.site}: what was bought day-ahead, by the hour.`}
        </>
      }
    >
      {!may && <NoMoney what="Awards" />}
      {may && q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The awards cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {b && (
        <>
          {!b.asked && (
            <Alert color="blue" py={6} mb="sm">
              No contract of this site has a part of the kind two-settlement: awards are kept, and change no statement.
            </Alert>
          )}
          <Bring site={b.site} path="/awards" what="awards" accept=".csv,.txt,text/csv" asks={['clock', 'dates']} invalidate={touches} />
          <Text fz="sm" c="dimmed" mt="xs">
            CSV with a start, or date and hour ending, and MW or MWh. Bids of one hour are summed. An hour without an award is not the same as one of zero: the statement names it.
          </Text>
          <TextInput label="Month" type="month" value={month} onChange={(e) => setMonth(e.currentTarget.value)} w={180} mt="lg" mb="xs" />
          {known.length === 0 ? (
            <Text fz="sm" c="dimmed">
              No award in {longMonth(month)}.
            </Text>
          ) : (
            <Table.ScrollContainer minWidth={340} type="native" tabIndex={0}>
              <Table fz="sm" verticalSpacing={3} maw={760} data-testid="awards">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Day</Table.Th>
                    <Table.Th ta="right">MWh</Table.Th>
                    <Table.Th ta="right">Least, MW</Table.Th>
                    <Table.Th ta="right">Most, MW</Table.Th>
                    <Table.Th ta="right">Hours without</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {known.map((d) => (
                    <Table.Tr key={d.day} title={d.hours!.map((h) => `${clock(h.from, b.zone)} ${h.mw} MW`).join(', ')}>
                      <Table.Td style={{ whiteSpace: 'nowrap' }}>{d.day}</Table.Td>
                      <Table.Td ta="right">{fixed(d.mwh, 3)}</Table.Td>
                      <Table.Td ta="right">{fixed(Math.min(...d.hours!.map((h) => h.mw)), 3)}</Table.Td>
                      <Table.Td ta="right">{fixed(Math.max(...d.hours!.map((h) => h.mw)), 3)}</Table.Td>
                      <Table.Td ta="right">{d.missing_h > 0 ? fixed(d.missing_h, 0) : '0'}</Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )}
          <Title order={2} fz="md" mt="lg" mb={6}>
            Imports
          </Title>
          <Imports list={b.imports ?? []} zone={b.zone} path="/awards" invalidate={touches} />
        </>
      )}
    </Page>
  )
}

import { Badge, Loader, Table, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { ask, type Schema } from '../../api/client'
import { dash, fixed, span } from '../../format'
import { useNow } from '../../parts/Age'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Simulated } from './parts'
import { ago, dayClock } from './words'

type Feeds = { feeds: Schema['FeedHealth'][]; simulated: boolean }

/** Where prices come from, how fresh they are, and what is missing. */
export function FeedsPage() {
  const now = useNow(5000)
  const q = useQuery({ queryKey: ['price-feeds'], queryFn: ({ signal }) => ask<Feeds>('GET', '/price/feeds', undefined, signal), refetchInterval: 15_000, placeholderData: keepPreviousData })
  const s = useQuery({ queryKey: ['price-series'], queryFn: ({ signal }) => ask<Schema['PriceSeries'][]>('GET', '/price/series', undefined, signal), refetchInterval: 30_000, placeholderData: keepPreviousData })
  return (
    <Page title="Market feeds" note="Every value is kept with when it was published and received; a correction is a further value beside the first.">
      <Simulated on={q.data?.simulated} />
      {q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The feeds cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.data && q.data.feeds.length === 0 && (
        <Empty title="No market feed is set up">
          Name feeds in the configuration (key <code>power.feeds</code>): ERCOT, CAISO, ENTSO-E, or anything as CSV or JSON. Contracts at fixed prices need none.
        </Empty>
      )}
      {(q.data?.feeds ?? []).length > 0 && (
        <Table.ScrollContainer minWidth={720} type="native" tabIndex={0}>
          <Table fz="sm" verticalSpacing={6} data-testid="feeds">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Feed</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Last success</Table.Th>
                <Table.Th>Next</Table.Th>
                <Table.Th ta="right">Values</Table.Th>
                <Table.Th ta="right">Corrections</Table.Th>
                <Table.Th>Gaps</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {q.data!.feeds.map((f) => (
                <Table.Tr key={f.feed}>
                  <Table.Td>
                    {f.feed}
                    <Text fz="xs" c="dimmed">
                      {(f.series ?? []).join(', ')}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Badge size="sm" variant="light" tt="none" color={f.ok ? 'teal' : f.tried ? 'red' : 'gray'}>
                      {f.ok ? 'well' : f.tried ? `failing${f.failures > 1 ? `, ${f.failures} times` : ''}` : 'not asked yet'}
                    </Badge>
                    {f.error && (
                      <Text fz="xs" maw={320} style={{ overflowWrap: 'anywhere' }}>
                        {f.error}
                      </Text>
                    )}
                    {(f.problems ?? []).map((p) => (
                      <Text key={p} fz="xs" c="dimmed">
                        {p}
                      </Text>
                    ))}
                  </Table.Td>
                  <Table.Td>{ago(f.succeeded, now)}</Table.Td>
                  <Table.Td>{Date.parse(f.next) > now ? `in ${span((Date.parse(f.next) - now) / 1000)}` : 'now'}</Table.Td>
                  <Table.Td ta="right">{fixed(f.values, 0)}</Table.Td>
                  <Table.Td ta="right">{fixed(f.revisions, 0)}</Table.Td>
                  <Table.Td>{(f.gaps ?? []).length === 0 ? 'none' : (f.gaps ?? []).slice(0, 3).map((g) => <div key={g.series + g.from}>{`${g.series}: ${dayClock(g.from)} to ${dayClock(g.to)}`}</div>)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {s.error && <Trouble what="The series cannot be shown" error={s.error} again={() => void s.refetch()} />}
      {(s.data ?? []).length > 0 && (
        <>
          <h2 className="part">Series</h2>
          <Table.ScrollContainer minWidth={640} type="native" tabIndex={0}>
            <Table fz="sm" verticalSpacing={4} data-testid="series">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Series</Table.Th>
                  <Table.Th ta="right">Newest</Table.Th>
                  <Table.Th>Of</Table.Th>
                  <Table.Th>Received</Table.Th>
                  <Table.Th>Published</Table.Th>
                  <Table.Th>Forecast by</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {s.data!.map((k) => (
                  <Table.Tr key={k.name}>
                    <Table.Td>{k.name}</Table.Td>
                    <Table.Td ta="right">{k.latest ? `${fixed(k.latest.value, k.unit === 'MW' ? 0 : 2)} ${k.unit}` : dash}</Table.Td>
                    <Table.Td>{k.latest ? dayClock(k.latest.from) : dash}</Table.Td>
                    <Table.Td>{ago(k.latest?.received, now)}</Table.Td>
                    <Table.Td>{k.day_ahead ? 'the day before' : `every ${span(k.interval_s)}`}</Table.Td>
                    <Table.Td>{k.champion ?? dash}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </>
      )}
    </Page>
  )
}

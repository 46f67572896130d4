import { Alert, Anchor, Button, Group, Loader, Menu, Table, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { Fragment, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { Confirm } from '../../parts/Confirm'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { difference } from './Months'
import { NoMoney } from './NoMoney'
import { Simulated, Sure } from './parts'
import { amount, decimal, longMonth, means, money, rate } from './words'
import './power.css'

type Body = Schema['StatementBody']

/** One month, line by line; each line opens how it comes about. */
export function StatementPage() {
  const { month } = useParams({ from: '/frame/power/statements/$month' })
  const view = useView()
  const may = useMay('money')
  const queries = useQueryClient()
  const [sure, setSure] = useState(false)
  const site = view.query ? `?${view.query}` : ''
  const q = useQuery({ queryKey: ['statement', view.site, month], queryFn: ({ signal }) => ask<Body>('GET', `/statements/${encodeURIComponent(month)}${site ? `${site}&` : '?'}days=true`, undefined, signal), enabled: may, retry: false })
  const issue = useMutation({
    mutationFn: () => ask<Body>('POST', `/statements/${encodeURIComponent(month)}/issue${site}`),
    onSuccess: async () => {
      setSure(false)
      await Promise.all([queries.invalidateQueries({ queryKey: ['statement'] }), queries.invalidateQueries({ queryKey: ['statements'] })])
    },
  })
  const b = q.data
  const st = b?.statement
  const file = (name: string) => `/api/v1/statements/${encodeURIComponent(month)}/${name}${site}`
  return (
    <Page
      title={`Electricity, ${longMonth(month)}`}
      note={
        <>
          <Anchor component={Link} to="/power/statements" fz="sm" className="noprint">
            ← all months
          </Anchor>{' '}
          {b && st && `${b.title}, by ${st.contract}, text ${b.revision}`}
        </>
      }
      actions={
        b && (
          <Group gap="xs" className="noprint">
            {b.can_issue && (
              <Button size="xs" onClick={() => setSure(true)}>
                Issue
              </Button>
            )}
            <Button size="xs" variant="default" component="a" href={file('statement.pdf')} download>
              PDF
            </Button>
            <Menu position="bottom-end" withinPortal>
              <Menu.Target>
                <Button size="xs" variant="default">
                  CSV
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item component="a" href={file('lines.csv')} download>
                  A row for each line
                </Menu.Item>
                <Menu.Item component="a" href={file('intervals.csv')} download>
                  A row for each interval
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        )
      }
    >
      {!may && <NoMoney what="Statements" />}
      {may && q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what={`The statement of ${month} cannot be shown`} error={q.error} again={() => void q.refetch()} />}
      {b && st && (
        <>
          <Simulated on={b.simulated} />
          {b.running && (
            <Alert color="grape" mb="sm" py={6} data-testid="running">
              The month is not over. Up to {new Date(b.until!).toLocaleString()} it is metered and priced; the rest is a projection: energy as the month's so far, prices as forecast, and beyond that as in the same hours of the last week.
            </Alert>
          )}
          {b.can_issue && (
            <Alert color="orange" mb="sm" py={6} data-testid="draft">
              A draft: it is settled anew each time it is opened. Issue it to freeze it.
            </Alert>
          )}
          <div className="figures" data-testid="figures">
            <Figure name="Total" value={amount(st.total)} note={`${st.status}: ${means[st.status] ?? ''}`} source="The sum of the lines, each rounded once." />
            <Figure name="Metered" value={decimal(st.metered_mwh, 3)} unit="MWh" note={b.meter.source} source={b.meter.measured ? `Measured: ${b.meter.source}. ${b.meter.whole_intervals} quarters of an hour whole, ${b.meter.partly_intervals} in part, ${b.meter.lost_intervals} missing; ${b.meter.utility_intervals} the utility's, ${b.meter.own_intervals} the site's own.` : b.meter.source} />
            <Figure name="All in" value={Number(st.metered_mwh) > 0 ? money(Number(st.total.replace(/[^0-9.-]/g, '')) / Number(st.metered_mwh), st.currency) : '–'} unit="/MWh" source="Total over metered energy." />
            <Figure name="Hours" value={st.hours} note={st.hours === '743' || st.hours === '745' || st.hours === '719' || st.hours === '721' ? 'the clock changes' : undefined} source="Of the month, on the contract's clock." />
            {b.id && <Figure name="Issued" value={new Date(b.issued_at!).toLocaleDateString()} note={`by ${b.issued_by}`} source="Frozen in the record, with its intervals and an audit row." />}
          </div>
          {[...(st.problems ?? []), ...(st.estimated ?? [])].map((t) => (
            <Alert key={t} color="yellow" mb={6} py={4}>
              {t}
            </Alert>
          ))}
          {b.revised && (
            <Alert color="orange" mb={6} py={6} data-testid="revised">
              Since it was issued, a price or a reading was revised: settled anew it would come to something else. The difference goes on the next statement.
            </Alert>
          )}
          <WhoseMeter b={b} month={month} />
          <Lines b={b} />
          <Text fz="xs" c="dimmed" mt="sm">
            Rounded {st.rounding}, each line once. Times on the clock of {b.zone}.
          </Text>
          <Confirm
            title={`Issue the statement of ${longMonth(month)}`}
            opened={sure}
            onClose={() => setSure(false)}
            effects={[{ name: 'Total', value: amount(st.total) }, { name: 'Metered', value: `${decimal(st.metered_mwh, 3)} MWh` }, { name: 'How sure', value: `${st.status}: ${means[st.status] ?? ''}` }, { name: 'Lines', value: String((st.lines ?? []).length) }]}
            warning="It cannot be changed or taken back. What is revised later comes as lines on a later statement."
            button="Issue"
            busy={issue.isPending}
            error={issue.error}
            onConfirm={() => issue.mutate()}
          />
        </>
      )}
    </Page>
  )
}

/** Whose meter the month is settled on, and how far the two are apart. */
function WhoseMeter({ b, month }: { b: Body; month: string }) {
  const q = useQuery({ queryKey: ['meter-data', b.site], queryFn: ({ signal }) => ask<Schema['MeterDataBody']>('GET', `/meter-data?site=${encodeURIComponent(b.site)}`, undefined, signal), retry: false })
  const a = q.data?.months?.find((m) => m.month === month)
  const all = b.meter.utility_intervals + b.meter.own_intervals
  return (
    <Text fz="sm" mb="sm" data-testid="whose">
      {b.meter.utility_intervals > 0 ? `${b.meter.utility_intervals.toLocaleString('en-US')} of ${all.toLocaleString('en-US')} quarters of an hour are the utility's` : "Settled on the site's own meter"}
      {a && a.diff_pct !== undefined ? `; over ${Math.round(a.both_h)} h that both have, the utility is at ${difference(a)} against the site's own meter` : ''}.{' '}
      <Anchor component={Link} to="/power/meter" fz="sm" className="noprint">
        {b.meter.utility_intervals > 0 ? 'Utility meter' : "Bring the utility's readings"}
      </Anchor>
      {(b.statement.lines ?? []).some((l) => l.kind === 'two-settlement') && (
        <>
          {' · '}
          <Anchor component={Link} to="/power/awards" fz="sm" className="noprint">
            Day-ahead awards
          </Anchor>
        </>
      )}
    </Text>
  )
}

function Lines({ b }: { b: Body }) {
  const [open, setOpen] = useState<number>()
  const st = b.statement
  return (
    <Table.ScrollContainer minWidth={680} type="native" tabIndex={0}>
      <Table data-testid="lines" fz="sm" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Line</Table.Th>
            <Table.Th ta="right">Quantity</Table.Th>
            <Table.Th ta="right">Rate</Table.Th>
            <Table.Th ta="right">Amount</Table.Th>
            <Table.Th>How sure</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {(st.lines ?? []).map((l, i) => (
            // biome-ignore lint: two lines of one part may be equal but for their place
            <Fragment key={i}>
              <Table.Tr
                className={'line' + (open === i ? ' opened' : '')}
                tabIndex={0}
                role="button"
                aria-expanded={open === i}
                onClick={() => setOpen(open === i ? undefined : i)}
                onKeyDown={(e) => {
                  if (e.key === 'Enter' || e.key === ' ') {
                    e.preventDefault()
                    setOpen(open === i ? undefined : i)
                  }
                }}
              >
                <Table.Td>
                  {l.corrects && `Correction of ${longMonth(l.corrects)}: `}
                  {l.part}
                  {l.what && `, ${l.what}`}{' '}
                  <Text span c="dimmed" fz="xs">
                    {l.kind}
                  </Text>
                </Table.Td>
                <Table.Td ta="right">
                  {decimal(l.quantity)} {l.unit}
                </Table.Td>
                <Table.Td ta="right">{rate(l.rate, l.unit, st.currency)}</Table.Td>
                <Table.Td ta="right">{amount(l.amount)}</Table.Td>
                <Table.Td>
                  <Sure status={l.status} />
                </Table.Td>
              </Table.Tr>
              {open === i && (
                <Table.Tr className="opened">
                  <Table.Td colSpan={5} data-testid="how">
                    <Text fz="sm">{b.formulas?.[i]}</Text>
                    {l.source && (
                      <Text fz="sm" c="dimmed">
                        Price from {l.source}
                        {l.intervals ? `, ${l.intervals} intervals` : ''}
                        {l.estimated_intervals ? `, ${l.estimated_intervals} of them estimates` : ''}.
                      </Text>
                    )}
                    {l.note && <Text fz="sm">{l.note}</Text>}
                    <Days b={b} part={l.part} what={l.what} />
                  </Table.Td>
                </Table.Tr>
              )}
            </Fragment>
          ))}
          <Table.Tr>
            <Table.Td fw={600}>Total</Table.Td>
            <Table.Td />
            <Table.Td />
            <Table.Td ta="right" fw={600}>
              {amount(st.total)}
            </Table.Td>
            <Table.Td />
          </Table.Tr>
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Days({ b, part, what }: { b: Body; part: string; what: string }) {
  const days = (b.days ?? []).filter((d) => d.part === part && (d.what ?? '') === what)
  if (days.length === 0) return null
  return (
    <Table fz="xs" verticalSpacing={2} mt={6} maw={760} withRowBorders={false}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Day</Table.Th>
          <Table.Th ta="right">Intervals</Table.Th>
          <Table.Th ta="right">MWh</Table.Th>
          <Table.Th ta="right">Rate from</Table.Th>
          <Table.Th ta="right">to</Table.Th>
          <Table.Th ta="right">Unrounded</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {days.map((d) => (
          <Table.Tr key={d.day}>
            <Table.Td>{d.day}</Table.Td>
            <Table.Td ta="right">
              {d.intervals}
              {d.estimated_intervals > 0 && `, ${d.estimated_intervals} estimated`}
            </Table.Td>
            <Table.Td ta="right">{decimal(d.quantity_mwh)}</Table.Td>
            <Table.Td ta="right">{decimal(d.rate_low, 2)}</Table.Td>
            <Table.Td ta="right">{decimal(d.rate_high, 2)}</Table.Td>
            <Table.Td ta="right">{decimal(d.amount, 4)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

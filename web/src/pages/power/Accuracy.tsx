import { Alert, Badge, Loader, SegmentedControl, Switch, Table, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { fixed } from '../../format'
import { useNow } from '../../parts/Age'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Simulated } from './parts'
import { ago, percent } from './words'
import './power.css'

const horizons: Record<string, string> = { day: 'the hours of a day, made before it', next: 'the next hour, made as each interval settles' }

/** How the forecasts did, against what anybody could have said. */
export function AccuracyPage() {
  const [days, setDays] = useState('28')
  const [live, setLive] = useState(false)
  const q = useQuery({ queryKey: ['price-board', days, live], queryFn: ({ signal }) => ask<Schema['PriceBoardBody']>('GET', `/price/scoreboard?days=${days}${live ? '&live=true' : ''}`, undefined, signal), refetchInterval: 60_000, placeholderData: keepPreviousData })
  const cards = useQuery({ queryKey: ['price-cards', days], queryFn: ({ signal }) => ask<Schema['PriceCard'][]>('GET', `/price/models?days=${days}`, undefined, signal), refetchInterval: 60_000, placeholderData: keepPreviousData })
  const groups = new Map<string, Schema['PriceStanding'][]>()
  for (const m of q.data?.models ?? []) groups.set(`${m.series}\n${m.horizon}`, [...(groups.get(`${m.series}\n${m.horizon}`) ?? []), m])
  const work = q.data?.working
  return (
    <Page
      title="Forecast accuracy"
      note="Each forecast is kept with the time it was made, and scored when its prices come."
      actions={
        <>
          <SegmentedControl size="xs" aria-label="Over how many days" data={[{ value: '7', label: 'Week' }, { value: '28', label: '28 days' }, { value: '91', label: 'Quarter' }, { value: '365', label: 'Year' }]} value={days} onChange={setDays} />
          <Switch size="xs" label="Only made in advance" checked={live} onChange={(e) => setLive(e.currentTarget.checked)} />
        </>
      }
    >
      <Simulated on={q.data?.simulated} />
      {q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The scoreboard cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {work?.busy && (
        <Alert color="harbour" mb="sm" py={6} data-testid="working">
          Now learning: {work.model} for {work.series}
          {work.day && `, ${work.day}`}. Scores come as it goes.
        </Alert>
      )}
      {q.data && groups.size === 0 && (
        <Empty title={live ? 'No forecast that was made in advance is scored yet' : 'No forecast is scored yet'}>{live ? 'The first is, a day after the first forecast.' : 'Forecasts need a feed of prices with 70 days behind it; naive ones need two weeks.'}</Empty>
      )}
      {[...groups].map(([key, list]) => (
        <Board key={key} list={list} trial={q.data!.trial_days} />
      ))}
      {(cards.data ?? []).length > 0 && <Cards cards={cards.data!} />}
      {cards.error && <Trouble what="The model cards cannot be shown" error={cards.error} again={() => void cards.refetch()} />}
      <Text fz="xs" c="dimmed" mt="lg" maw={760}>
        MAE is the mean absolute error of the point forecast; pinball loss the mean over the quantiles; coverage the share of prices between the quantiles of 5 and 95 %, which should be 90 %. rMAE is the MAE over that of a naive forecast of the same hours: below 1 is better than repeating the same hour of yesterday, or of last week.
      </Text>
    </Page>
  )
}

function Board({ list, trial }: { list: Schema['PriceStanding'][]; trial: number }) {
  const one = list[0]!
  const next = one.horizon === 'next'
  const lead = list.find((m) => m.champion)
  return (
    <section data-testid={`board-${one.series}-${one.horizon}`}>
      <h2 className="part">{one.series}</h2>
      <Text fz="sm" c="dimmed" mb={4}>
        {horizons[one.horizon]}; {one.unit}. {list.some((m) => m.replayed > 0) && `Up to ${Math.max(...list.map((m) => m.replayed))} forecasts of each were made in hindsight when the model was new, from what was published before each day.`}
      </Text>
      <Table.ScrollContainer minWidth={760} type="native" tabIndex={0}>
        <Table fz="sm" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Model</Table.Th>
              <Table.Th ta="right">MAE</Table.Th>
              <Table.Th ta="right">Pinball</Table.Th>
              <Table.Th ta="right">Coverage 90 %</Table.Th>
              {next && <Table.Th ta="right">rMAE last price</Table.Th>}
              <Table.Th ta="right">rMAE yesterday</Table.Th>
              <Table.Th ta="right">rMAE last week</Table.Th>
              <Table.Th ta="right">Forecasts</Table.Th>
              <Table.Th ta="right">Days that count</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {list.map((m) => (
              <Table.Tr key={m.model}>
                <Table.Td>
                  {m.model}{' '}
                  {m.champion && (
                    <Badge size="xs" variant="light" tt="none">
                      champion
                    </Badge>
                  )}
                  {m.naive && (
                    <Text span c="dimmed" fz="xs">
                      naive
                    </Text>
                  )}
                </Table.Td>
                <Table.Td ta="right">{fixed(m.mae, 2)}</Table.Td>
                <Table.Td ta="right">{fixed(m.pinball, 3)}</Table.Td>
                <Table.Td ta="right">{percent(m.coverage_90)}</Table.Td>
                {next && <Table.Td ta="right">{fixed(m.rmae_last, 2)}</Table.Td>}
                <Table.Td ta="right">{fixed(m.rmae_day, 2)}</Table.Td>
                <Table.Td ta="right">{fixed(m.rmae_week, 2)}</Table.Td>
                <Table.Td ta="right">{m.forecasts}</Table.Td>
                <Table.Td ta="right">{m.days}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text fz="xs" c="dimmed" mb="md">
        {lead ? `${lead.model} leads` : 'Nobody leads yet'}. Another leads after {trial} settled days that both forecast in advance, with a pinball loss lower by more than 1 % and an absolute error no higher.
      </Text>
    </section>
  )
}

function Cards({ cards }: { cards: Schema['PriceCard'][] }) {
  const now = useNow(30_000)
  return (
    <section data-testid="cards">
      <h2 className="part">Model cards</h2>
      <div className="cards">
        {cards.map((c) => (
          <article key={c.series + c.horizon + c.model} className="card">
            <h3>
              {c.model} <span>{c.series}</span>
            </h3>
            <dl className="facts">
              <dt>Learns from</dt>
              <dd>{c.learns}</dd>
              <dt>Shown beside</dt>
              <dd>{(c.inputs ?? []).join(', ') || 'nothing but the prices'}</dd>
              {c.days > 0 && (
                <>
                  <dt>Days of past</dt>
                  <dd>{c.days}</dd>
                </>
              )}
              <dt>Calibrated</dt>
              <dd>
                {ago(c.calibrated, now)}, in {fixed(c.took_s, 1)} s
              </dd>
              {c.standing && (
                <>
                  <dt>MAE, pinball, coverage</dt>
                  <dd>
                    {fixed(c.standing.mae, 2)}, {fixed(c.standing.pinball, 3)}, {percent(c.standing.coverage_90)}
                  </dd>
                </>
              )}
              {c.champion && (
                <>
                  <dt>Champion</dt>
                  <dd>{c.champion_why}</dd>
                </>
              )}
              {(c.notes ?? []).length > 0 && (
                <>
                  <dt>Notes</dt>
                  <dd>{c.notes!.join('; ')}</dd>
                </>
              )}
              {c.error && (
                <>
                  <dt>No forecast</dt>
                  <dd>{c.error}</dd>
                </>
              )}
            </dl>
          </article>
        ))}
      </div>
    </section>
  )
}

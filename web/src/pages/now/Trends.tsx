import { Skeleton, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { ask, type History } from '../../api/client'
import { useView } from '../../frame/view'
import { Chart, type Line, type Mark } from '../../parts/Chart'
import { Trouble } from '../../parts/Trouble'
import { trends } from './trends'

const lines: Record<string, Line[]> = {
  hashrate: [{ metric: 'hashrate', label: 'measured' }],
  power: [{ metric: 'power', label: 'as the machines tell' }],
  efficiency: [{ metric: 'efficiency', label: 'machines that tell both' }],
}

/** Hashrate, power and efficiency over the time looked at, with what happened
 * marked on all three. */
export function Trends({ marks }: { marks: Mark[] }) {
  const view = useView()
  const q = useQuery({
    queryKey: ['now-trends', view.query, view.range, view.from, view.to],
    queryFn: ({ signal }) => {
      const [from, to] = view.span()
      return ask<History>('GET', `/history?metrics=hashrate,power&aggregate=sum&by=firmware&from=${new Date(from * 1000).toISOString()}&to=${new Date(to * 1000).toISOString()}${view.query && `&${view.query}`}`, undefined, signal)
    },
    refetchInterval: view.zoomed ? false : view.seconds > 6 * 3600 ? 60_000 : 15_000,
    placeholderData: keepPreviousData,
  })
  const t = useMemo(() => q.data && trends(q.data, view.zoomed ? Number.POSITIVE_INFINITY : Date.now() / 1000), [q.data, view.zoomed])
  const zoom = (from: number, to: number) => view.set({ from, to: Math.max(to, from + 60) })
  return (
    <section className="panel" aria-label="Over time" data-testid="trends">
      <h2>{view.zoomed ? 'In the time chosen' : `Last ${view.range === '24h' ? 'day' : view.range === '7d' ? 'week' : view.range === '30d' ? '30 days' : view.range === '6h' ? '6 hours' : 'hour'}`}</h2>
      {q.error && !q.data ? (
        <Trouble what="History cannot be shown" error={q.error} again={() => void q.refetch()} />
      ) : !t ? (
        <Skeleton h={230} role="img" aria-label="loading history" />
      ) : t.hashrate.data.times!.length === 0 || !t.hashrate.data.series![0]!.values!.some((v) => v !== null) ? (
        <Text c="dimmed" fz="sm">
          Nothing was recorded in this time yet.
        </Text>
      ) : (
        <div className="charts three">
          <Chart title="Hashrate" zero height={160} unit={t.hashrate.unit} data={t.hashrate.data} lines={lines.hashrate!} marks={marks} onZoom={zoom} source="Measured by the machines; sum of each one's mean." />
          <Chart title="Power" zero height={160} unit={t.power.unit} data={t.power.data} lines={lines.power!} marks={marks} onZoom={zoom} source="As the machines tell it, at the wall." />
          <Chart title="Efficiency" height={160} unit="J/TH" data={t.efficiency.data} lines={lines.efficiency!} marks={marks} onZoom={zoom} source="Power over hashrate of the firmwares that tell both." />
        </div>
      )}
    </section>
  )
}

import { Loader, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { ask, type History, type Schema } from '../../../api/client'
import { Chart, type Line, type Mark } from '../../../parts/Chart'
import { Trouble } from '../../../parts/Trouble'
import type { Board } from './Boards'

/** History of one machine, with what happened to it as marks across all charts. */
export function Past({ id, hours, boards }: { id: string; hours: number; boards: Board[] }) {
  const from = () => new Date(Date.now() - hours * 3600_000).toISOString()
  const machine = useQuery({
    queryKey: ['history', id, hours, 'machine'],
    queryFn: ({ signal }) => ask<History>('GET', `/history?machines=${id}&by=machine&metrics=hashrate,hashrate_nominal,power,power_limit,temp_chip,temp_board,temp_ambient,fan_duty&from=${from()}`, undefined, signal),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  })
  const board = useQuery({
    queryKey: ['history', id, hours, 'board'],
    queryFn: ({ signal }) => ask<History>('GET', `/history?machines=${id}&by=board&metrics=board_hashrate,board_temp_chip_max&from=${from()}`, undefined, signal),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  })
  const events = useQuery({
    queryKey: ['history', id, hours, 'events'],
    queryFn: ({ signal }) => ask<Schema['MachineEvent'][]>('GET', `/machines/${id}/events?from=${from()}`, undefined, signal),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  })
  const indices = boards.map((b) => b.index).join(',')
  const lines = useMemo(() => {
    const per = (metric: string): Line[] => indices.split(',').filter(Boolean).map((i) => ({ metric, board: Number(i), label: `board ${i}` }))
    return { hashrate: per('board_hashrate'), temp: per('board_temp_chip_max') }
  }, [indices])
  const marks: Mark[] = useMemo(
    () => (events.data ?? []).map((e) => ({ at: e.at, text: e.text, kind: e.kind === 'command' || e.kind === 'confirmed' ? 'decision' : e.kind === 'drifted' ? 'bad' : 'event' })),
    [events.data],
  )
  if (machine.error) return <Trouble what="History cannot be shown" error={machine.error} again={() => void machine.refetch()} />
  if (!machine.data) return <Loader size="sm" aria-label="loading history" />
  if (!machine.data.series?.length) return <Text c="dimmed">Nothing was recorded in this time.</Text>
  return (
    <div data-testid="history" className="charts">
      <Chart title="Hashrate" unit="TH/s" zero data={machine.data} lines={hashrateLines} marks={marks} />
      <Chart title="Power" unit="W" zero data={machine.data} lines={powerLines} marks={marks} />
      <Chart title="Temperature" unit="°C" data={machine.data} lines={tempLines} marks={marks} />
      {board.data && lines.hashrate.length > 0 && <Chart title="Hashrate of each board" unit="TH/s" zero data={board.data} lines={lines.hashrate} marks={marks} />}
      {board.data && lines.temp.length > 0 && <Chart title="Hottest chip of each board" unit="°C" data={board.data} lines={lines.temp} marks={marks} />}
      <div style={{ gridColumn: '1 / -1' }}>
        <Text fz="xs" c="dimmed">
          Told by the machine; one point is {machine.data.bucket_s} s. Drag to zoom, double-click to see all. Marks: C command, ✓ confirmed, ≠ drifted, R restart, F firmware or identity, @ address, N note.
        </Text>
        {marks.length > 0 && (
          <details>
            <summary>
              <Text span fz="sm">
                {marks.length} {marks.length === 1 ? 'event' : 'events'} in this time
              </Text>
            </summary>
            <ul className="plainlist" data-testid="events">
              {marks.toReversed().map((e) => (
                <li key={`${e.at} ${e.kind} ${e.text}`}>
                  {new Date(e.at * 1000).toLocaleString()}: {e.text}
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  )
}

const hashrateLines: Line[] = [
  { metric: 'hashrate', label: 'measured' },
  { metric: 'hashrate_nominal', label: 'expected' },
]
const powerLines: Line[] = [
  { metric: 'power', label: 'drawn' },
  { metric: 'power_limit', label: 'limit' },
]
const tempLines: Line[] = [
  { metric: 'temp_chip', label: 'hottest chip' },
  { metric: 'temp_board', label: 'hottest board' },
  { metric: 'temp_ambient', label: 'ambient' },
]

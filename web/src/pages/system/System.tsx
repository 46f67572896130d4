import { Alert, Button, Loader, Table, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ask, type Schema } from '../../api/client'
import { dash, fixed, scaled, span } from '../../format'
import { Figure } from '../../parts/Figure'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import './system.css'

type System = Schema['System']

const bytes = (n: number | null | undefined) => scaled(n, [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB'], [1, 'B']], 1).join(' ')
/** Nanoseconds as people say a short time. */
const short = (ns: number) => (ns < 1e6 ? `${fixed(ns / 1e3, 0)} µs` : ns < 1e9 ? `${fixed(ns / 1e6, 0)} ms` : ns < 1e11 ? `${fixed(ns / 1e9, 1)} s` : span(ns / 1e9))
const share = (part: number, whole: number) => (whole > 0 ? `${fixed((100 * part) / whole, 2)} %` : dash)

/** How Ballast itself is doing: whether it keeps up, what it takes, how long the
 * disk will do, and what went wrong. */
export function SystemPage() {
  const q = useQuery({ queryKey: ['system'], queryFn: ({ signal }) => ask<System>('GET', '/system', undefined, signal), refetchInterval: 5000, placeholderData: keepPreviousData, retry: false })
  return (
    <Page
      title="System health"
      note="Ballast itself, not the machines."
      actions={
        q.data && (
          <Button size="xs" variant="default" component="a" href="/api/v1/system/bundle" download>
            Support bundle
          </Button>
        )
      }
    >
      {q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The health of Ballast cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.data && <Shown s={q.data} stale={!!q.error} />}
    </Page>
  )
}

/** What needs somebody's hand, in words. */
function worries(s: System): string[] {
  const out: string[] = []
  const p = s.polls
  const answered = p.due - p.failed - p.in_flight
  if (p.crowded > 0.001 * p.due) out.push(`${share(p.crowded, p.due)} of the polls were skipped because too many were under way: raise fleet.in_flight or the open-file limit.`)
  if (p.overrun > 0.01 * p.due) out.push(`${share(p.overrun, p.due)} of the polls were skipped because the machine's last one still ran: the interval is too short for these machines.`)
  if (answered > 1000 && p.in_time < 0.99 * answered) out.push(`Only ${share(p.in_time, answered)} of the answers came within their interval.`)
  if (s.storing.last_error) out.push(`Readings cannot be stored: ${s.storing.last_error}.`)
  if (s.storing.dropped > 0) out.push(`${fixed(s.storing.dropped, 0)} readings were lost because the store did not keep up.`)
  if ((s.disk.days_left ?? 1e9) < 14) out.push(`The disk is full in ${fixed(s.disk.days_left, 1)} days at the present growth: free some, or shorten the retention (telemetry.raw first).`)
  if ((s.process.open_files ?? 0) > 0.8 * (s.process.open_files_limit ?? 1e9)) out.push('Four fifths of the allowed open files are in use: raise the limit (ulimit -n).')
  for (const d of s.plant ?? []) if (d.quality === 'lost' || d.quality === 'stale') out.push(`${d.name} does not answer${d.error ? `: ${d.error}` : ''}.`)
  if ((s.history.damaged ?? []).length > 0) out.push(`Files of the history were damaged and put aside: ${s.history.damaged!.join(', ')}.`)
  return out
}

function Shown({ s, stale }: { s: System; stale: boolean }) {
  const p = s.polls
  const answered = p.due - p.failed - p.in_flight
  const bad = worries(s)
  const up = (Date.parse(s.now) - Date.parse(s.started)) / 1000
  const [mem, memUnit] = scaled(s.process.memory_bytes ?? s.process.heap_bytes, [[1e9, 'GB'], [1e6, 'MB']], 0)
  const [free, freeUnit] = scaled(s.disk.free_bytes, [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB']], 1)
  const most = Math.max(1, ...(s.ages ?? []).map((a) => a.rows))
  return (
    <>
      {bad.length > 0 ? (
        <Alert color="orange" mb="md" title="Needs a hand" data-testid="worries">
          {bad.map((b) => (
            <Text fz="sm" key={b}>
              {b}
            </Text>
          ))}
        </Alert>
      ) : (
        <Alert color="teal" mb="md" data-testid="worries">
          Ballast keeps up: nothing needs a hand.
        </Alert>
      )}
      <div className="figures" data-testid="figures">
        <Figure name="Up for" value={span(up)} stale={stale} note={`version ${s.version.ballast}`} source={`Since ${new Date(s.started).toLocaleString()}.`} />
        <Figure name="Answers in time" value={answered > 0 ? fixed(Math.min(100, (100 * p.in_time) / answered), 2) : dash} unit="%" stale={stale} note={`every ${fixed(s.poll_interval_s, 0)} s, ${fixed(p.machines, 0)} machines`} source="Polls answered within their interval, of those that were answered at all, since the start." />
        <Figure name="Reply to disk" value={short(s.storing.p99_ns)} stale={stale} note={`99 of 100; half in ${short(s.storing.p50_ns)}`} source="From the reply of a machine to its row being safe on disk, over the last rows." />
        <Figure name="Processor" value={fixed(s.process.cpu_now, 2)} unit="cores" stale={stale} note={`of ${s.process.cpus}`} source="Of this process, over the last seconds." />
        <Figure name="Memory" value={mem} unit={memUnit} stale={stale} note={`${bytes(s.process.heap_bytes)} live in Go`} source="Resident memory of this process." />
        <Figure name="Disk free" value={free} unit={freeUnit} stale={stale} note={s.disk.days_left ? `${s.disk.days_left > 999 ? 'years' : `${fixed(s.disk.days_left, 0)} days`} at the present growth` : 'growth not known yet'} source={s.disk.watched_h >= 1 ? `Growth watched over ${fixed(s.disk.watched_h, 0)} hours.` : 'Growth worked out from the size of a machine’s day; it is watched from the first hour on.'} />
      </div>
      <div className="health">
        <section>
          <h2>Polling</h2>
          <Facts
            of={[
              ['Due since the start', fixed(p.due, 0)],
              ['Answered in time', `${fixed(p.in_time, 0)}, ${share(p.in_time, p.due)}`],
              ['Answered late', fixed(Math.max(0, answered - p.in_time - p.overrun - p.crowded), 0)],
              ['Not answered', `${fixed(p.failed, 0)}, ${share(p.failed, p.due)}`],
              ['Skipped, the last one still ran', fixed(p.overrun, 0)],
              ['Skipped, too many at once', fixed(p.crowded, 0)],
              ['Under way now', fixed(p.in_flight, 0)],
              ['Asked less often, for they are silent', fixed(p.backed_off, 0)],
              ['Worst start after its slot', short(p.late_max_ns)],
            ]}
          />
        </section>
        <section>
          <h2>Storing</h2>
          <Facts
            of={[
              ['Rows stored', `${fixed(s.storing.stored, 0)} in ${fixed(s.storing.batches, 0)} batches`],
              ['Waiting now', fixed(s.storing.waiting, 0)],
              ['Batches that failed', fixed(s.storing.failures, 0)],
              ['Rows lost', fixed(s.storing.dropped, 0)],
              ['Slowest row', short(s.storing.max_ns)],
            ]}
          />
          {(s.ages ?? []).length > 1 && (
            <>
              <div className="ages" role="img" aria-label={`Rows by the time from reply to disk: ${s.ages!.map((a) => `${fixed(a.rows, 0)} up to ${short(a.upto_ns)}`).join(', ')}`}>
                {s.ages!.map((a) => (
                  <span key={a.upto_ns} title={`${fixed(a.rows, 0)} rows up to ${short(a.upto_ns)}`} style={{ height: `${(100 * a.rows) / most}%` }} />
                ))}
              </div>
              <Text fz="xs" c="dimmed">
                Rows by time from reply to disk, {short(s.ages![0]!.upto_ns)} to {short(s.ages!.at(-1)!.upto_ns)}
              </Text>
            </>
          )}
        </section>
        <section>
          <h2>History and record</h2>
          <Facts
            of={[
              ...(s.history.bytes_at ?? []).map((r): [string, string] => [`History, ${{ raw: 'raw readings', minute: 'minutes', quarter: 'quarter-hours', hour: 'hours' }[r.resolution as string] ?? r.resolution}`, `${bytes(r.bytes)} in ${r.files} ${r.files === 1 ? 'file' : 'files'}`]),
              ['History, all', `${bytes(s.history.bytes)}, ${fixed(s.history.machine_rows, 0)} raw readings of ${s.history.days} ${s.history.days === 1 ? 'day' : 'days'}`],
              ['A machine’s day, raw', s.history.per_day > 0 ? bytes(s.history.per_day) : dash],
              ['Record', s.record.bytes ? bytes(s.record.bytes) : 'in another engine'],
              ['Growth', s.disk.growth_bytes_per_day ? `${bytes(s.disk.growth_bytes_per_day)} a day` : dash],
              ['Disk', `${bytes(s.disk.free_bytes)} free of ${bytes(s.disk.size_bytes)}`],
              ['Refused rows', fixed(s.history.refused, 0)],
            ]}
          />
        </section>
        <section>
          <h2>Process</h2>
          <Facts
            of={[
              ['Processor time', s.process.cpu_s ? span(s.process.cpu_s) : dash],
              ['Goroutines', fixed(s.process.goroutines, 0)],
              ['Open files', `${fixed(s.process.open_files, 0)} of ${fixed(s.process.open_files_limit, 0)}`],
              ['History engine’s memory', bytes(s.history.engine.memory_bytes)],
              ['Live streams', fixed(s.live_listeners, 0)],
              ['Open commands', fixed(s.open_commands, 0)],
              ['Scan', s.scan.running ? `${fixed(s.scan.progress.probed, 0)} of ${fixed(s.scan.progress.total, 0)} addresses` : s.scan.started ? `last ${new Date(s.scan.started).toLocaleString()}, ${fixed(s.scan.progress.identified, 0)} machines, ${s.scan.new} new${s.scan.detail ? `; ${s.scan.detail}` : ''}` : 'none yet'],
              ['Version', `${s.version.ballast}${s.version.revision ? ` (${s.version.revision.slice(0, 10)})` : ''}`],
              ['Built with', `${s.version.go}, ${s.version.system}`],
              ['Engines', `${s.version.history_engine}, ${s.version.record_engine}`],
            ]}
          />
        </section>
        {(s.plant ?? []).length > 0 && (
          <section>
            <h2>Meters and controllers</h2>
            <Facts of={s.plant!.map((d) => [d.name, `${d.quality}, ${span((Date.parse(s.now) - Date.parse(d.at)) / 1000)} old${d.error ? `: ${d.error}` : ''}`])} />
          </section>
        )}
      </div>
      <section className="health-log">
        <h2 style={{ fontSize: 16 }}>Warnings and errors of the last day</h2>
        {(s.troubles ?? []).length === 0 ? (
          <Text fz="sm">None.</Text>
        ) : (
          <Table.ScrollContainer minWidth={640} type="native" tabIndex={0}>
            <Table fz="sm" verticalSpacing={4} data-testid="troubles">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Last</Table.Th>
                  <Table.Th ta="right">Times</Table.Th>
                  <Table.Th>What</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {s.troubles!.map((t) => (
                  <Table.Tr key={t.level + t.what}>
                    <Table.Td style={{ whiteSpace: 'nowrap' }} title={`first ${new Date(t.first).toLocaleString()}`}>
                      {span((Date.parse(s.now) - Date.parse(t.last)) / 1000)} ago
                    </Table.Td>
                    <Table.Td ta="right">{fixed(t.count, 0)}</Table.Td>
                    <Table.Td>
                      <Text fz="sm" fw={500}>
                        {t.level === 'ERROR' ? 'Error: ' : 'Warning: '}
                        {t.what}
                      </Text>
                      {t.detail && (
                        <Text fz="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                          {t.detail}
                        </Text>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </section>
    </>
  )
}

function Facts({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {of.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

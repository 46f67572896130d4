import { Badge, Group, Text } from '@mantine/core'
import type { Machine } from '../../../api/client'
import { dash, fixed } from '../../../format'

export type Reading = NonNullable<Machine['reading']>
export type Board = NonNullable<Reading['boards']>[number]

/** The hash boards, each with its chips as far as the firmware tells of them. */
export function Boards({ r }: { r: Reading }) {
  if (!r.boards?.length) return <Text c="dimmed">This firmware tells nothing of its boards.</Text>
  const asleep = r.state === 'sleeping'
  return (
    <div className="boards" data-testid="boards">
      {r.boards.map((b) => (
        <BoardCard key={b.index} b={b} asleep={asleep} />
      ))}
    </div>
  )
}

function BoardCard({ b, asleep }: { b: Board; asleep: boolean }) {
  const chip = b.chip_summary
  // A machine that sleeps counts no chips; that is no fault.
  const fewer = !asleep && b.chips != null && b.chips_expected != null && b.chips < b.chips_expected
  const rows: [string, string | undefined, boolean?][] = [
    ['Hashrate', b.hashrate_ths != null ? `${fixed(b.hashrate_ths, 2)} TH/s${b.hashrate_nominal_ths ? ` of ${fixed(b.hashrate_nominal_ths, 1)}` : ''}` : undefined],
    ['Chips', asleep ? undefined : b.chips_expected != null ? `${b.chips ?? dash} of ${b.chips_expected}` : b.chips != null ? `${b.chips}` : undefined, fewer],
    ['Chip temperature', b.temp_chip_max_c != null ? `${fixed(b.temp_chip_max_c, 0)} °C${b.temp_chip_mean_c != null ? `, mean ${fixed(b.temp_chip_mean_c, 0)}` : ''}` : undefined],
    ['Board temperature', b.temp_board_c != null ? `${fixed(b.temp_board_c, 0)} °C` : undefined],
    ['In / out', b.temp_inlet_c != null || b.temp_outlet_c != null ? `${fixed(b.temp_inlet_c, 0)} / ${fixed(b.temp_outlet_c, 0)} °C` : undefined],
    ['Voltage', b.voltage_v != null ? `${fixed(b.voltage_v, 2)} V` : undefined],
    ['Frequency', b.frequency_hz != null ? `${fixed(b.frequency_hz / 1e6, 0)} MHz` : undefined],
    ['Power', b.power_w != null ? `${fixed(b.power_w, 0)} W` : undefined],
    ['Hardware errors', b.hw_errors != null ? fixed(b.hw_errors, 0) : undefined],
  ]
  const off = b.present === false ? 'missing' : b.enabled === false ? 'switched off' : ''
  return (
    <section className="board" aria-label={`Board ${b.index}`}>
      <Group justify="space-between">
        <Text fw={600}>Board {b.index}</Text>
        {off ? (
          <Badge color="orange" variant="light">
            {off}
          </Badge>
        ) : (
          <Text fz="xs" c="dimmed">
            {b.serial}
          </Text>
        )}
      </Group>
      <dl>
        {rows.map(([k, v, bad]) =>
          v ? (
            <div key={k} style={{ display: 'contents' }}>
              <dt>{k}</dt>
              <dd style={bad ? { color: 'var(--down)', fontWeight: 600 } : undefined}>{v}</dd>
            </div>
          ) : null,
        )}
      </dl>
      {chip && !asleep && <Chips c={chip} />}
    </section>
  )
}

/** What per-chip figures come to. History keeps this summary of a board and not
 * a thousand numbers, so which chip it is has to be read at the machine. */
function Chips({ c }: { c: NonNullable<Board['chip_summary']> }) {
  const dead = c.dead ?? 0
  const weak = c.weak ?? 0
  const facts = [
    c.hashrate_median_ths != null && `median ${fixed(c.hashrate_median_ths * 1000, 0)} GH/s, lowest ${fixed((c.hashrate_min_ths ?? 0) * 1000, 0)}`,
    c.temp_max_c != null && `hottest ${fixed(c.temp_max_c, 0)} °C${c.temp_sd_c != null ? `, spread ${fixed(c.temp_sd_c, 1)}` : ''}`,
    c.frequency_min_hz != null && c.frequency_mean_hz != null && `${fixed(c.frequency_min_hz / 1e6, 0)} to mean ${fixed(c.frequency_mean_hz / 1e6, 0)} MHz`,
    c.voltage_min_v != null && `from ${fixed(c.voltage_min_v, 3)} V`,
    c.errors != null && `${fixed(c.errors, 0)} errors, ${fixed(c.errors_max, 0)} by one chip`,
  ].filter(Boolean)
  return (
    <>
      {(c.dead != null || c.weak != null) && (
        <>
          <div className="chips" role="img" aria-label={`${c.count} chips: ${dead} dead, ${weak} weak`}>
            <span style={{ width: `${(100 * dead) / c.count}%`, background: 'var(--down)' }} />
            <span style={{ width: `${(100 * weak) / c.count}%`, background: 'var(--degraded)' }} />
          </div>
          <Text fz="xs" c={dead + weak > 0 ? 'var(--down)' : 'dimmed'} fw={dead + weak > 0 ? 600 : 400} mt={3}>
            {dead} dead, {weak} weak of {c.count} chips
          </Text>
        </>
      )}
      {facts.length > 0 && (
        <Text fz="xs" c="dimmed">
          Each chip: {facts.join('; ')}
        </Text>
      )}
    </>
  )
}

import { Alert, Button, Group, Loader, Stack, Text, TextInput, Title } from '@mantine/core'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useLive } from '../../api/live'
import { fixed, hashrate, power } from '../../format'
import { conditions, Dot } from '../../parts/Condition'
import { Figure } from '../../parts/Figure'
import { MachineTable } from '../../parts/MachineTable'

/** The site live: totals, how many machines are in which condition, all of them. */
export function Now() {
  const live = useLive()
  const search = useSearch({ from: '/frame/' })
  const go = useNavigate({ from: '/' })
  const { condition, sort = 'condition', desc = false } = search
  const words = (search.search ?? '').toLowerCase()

  // biome-ignore lint: version says that the map changed
  const rows = useMemo(() => [...live.rows.values()], [live.version])
  const shown = useMemo(
    () => rows.filter((r) => (!condition || r.condition === condition) && (!words || `${r.name}\n${r.addr}\n${r.make} ${r.model}\n${r.firmware}\n${r.place}`.toLowerCase().includes(words))),
    [rows, condition, words],
  )
  const set = (next: Partial<typeof search>) => void go({ search: { ...search, ...next }, replace: true })
  const site = live.site
  if (!site) {
    return (
      <Group justify="center" mt="xl">
        <Loader size="sm" /> <Text>Waiting for the first picture of the site…</Text>
      </Group>
    )
  }
  const [h, hUnit] = hashrate(site.hashrate_ths)
  const [n, nUnit] = hashrate(site.nominal_ths)
  const [p, pUnit] = power(site.power_w)
  const stale = !live.connected
  const answered = site.polls.due - site.polls.failed - site.polls.in_flight
  const inTime = answered > 0 ? Math.min(100, (100 * site.polls.in_time) / answered) : null
  return (
    <>
      <Title order={1} fz={22} mb="xs">
        {site.name}, now
      </Title>
      <div className="figures" data-testid="figures">
        <Figure name="Hashrate" value={h} unit={hUnit} stale={stale} note={`of ${n} ${nUnit} expected`} source="Measured: sum of what the machines that answer tell of their shortest window. Expected: what their firmwares expect at their present settings." />
        <Figure name="Power" value={p} unit={pUnit} stale={stale} note={site.unmetered > 0 ? `without ${site.unmetered} that do not tell` : 'as the machines tell'} source="Measured or estimated by the machines themselves, at the wall." />
        <Figure name="Efficiency" value={fixed(site.efficiency_j_per_th, 1)} unit="J/TH" stale={stale} source="Power over hashrate of the hashing machines that tell both." />
        <Figure name="Hottest" value={fixed(site.hottest_c, 0)} unit="°C" stale={stale} note="chip or board" source="Highest chip temperature that any machine tells, else board temperature." />
        <Figure name="Machines" value={fixed(site.machines, 0)} stale={stale} note={site.faults > 0 ? `${site.faults} faults told` : 'no faults told'} source="Machines in the record that are not retired." />
        <Figure name="Polls in time" value={fixed(inTime, 2)} unit="%" stale={stale} note={`${fixed(site.polls.in_flight, 0)} under way`} source="Polls that were answered within their interval, of all that came due since Ballast started and were not to a machine that gave no answer." />
      </div>

      {site.scan.running && (
        <Alert color="blue" mb="sm" icon={<Loader size={16} />} data-testid="scan">
          Scanning {site.scan.ranges?.join(', ')}: {fixed((100 * site.scan.progress.probed) / Math.max(1, site.scan.progress.total), 0)} % of {fixed(site.scan.progress.total, 0)} addresses, {fixed(site.scan.progress.identified, 0)} machines found
        </Alert>
      )}

      {site.machines === 0 ? (
        !site.scan.running && (
          <Stack align="flex-start" mt="lg">
            <Title order={2} fz={18}>
              No machines yet
            </Title>
            <Text>Say in which addresses to look, and Ballast finds them.</Text>
            <Button component={Link} to="/places/discovery">
              Find machines
            </Button>
          </Stack>
        )
      ) : (
        <>
          <div className="bar" role="img" aria-label={conditions.map(([c]) => `${site.conditions[c] ?? 0} ${c}`).join(', ')}>
            {conditions.map(([c]) => (site.conditions[c] ? <span key={c} style={{ width: `${(100 * site.conditions[c]!) / site.machines}%`, background: `var(--${c})` }} /> : null))}
          </div>
          <div className="conditions" role="group" aria-label="Show only one condition">
            {conditions.map(([c, means]) => (
              <Button key={c} size="compact-sm" variant={condition === c ? 'filled' : 'default'} aria-pressed={condition === c} title={means} onClick={() => set({ condition: condition === c ? undefined : c })}>
                <Dot of={c} />
                {fixed(site.conditions[c] ?? 0, 0)} {c}
              </Button>
            ))}
            <TextInput size="xs" w={240} ml="auto" type="search" placeholder="Name, address, model…" aria-label="Search machines" value={search.search ?? ''} onChange={(e) => set({ search: e.currentTarget.value || undefined })} />
          </div>
          {shown.length === 0 ? (
            <Text mt="md">
              No machine fits. <Button variant="subtle" size="compact-sm" onClick={() => set({ condition: undefined, search: undefined })}>Show all</Button>
            </Text>
          ) : (
            <MachineTable rows={shown} sort={sort} desc={desc} onSort={(key, d) => set({ sort: key, desc: d || undefined })} />
          )}
          <Text fz="xs" c="dimmed" mt={6} data-testid="count">
            {fixed(shown.length, 0)} of {fixed(rows.length, 0)} machines. Arrows move, Enter opens.
          </Text>
        </>
      )}
    </>
  )
}

import { Anchor, Badge, Button, Group, Loader, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { Confirm } from '../../parts/Confirm'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { Bring } from './Bring'
import { Imports } from './Imports'
import { Months } from './Months'
import { NoMoney } from './NoMoney'
import { when } from './words'
import './power.css'

type Body = Schema['MeterDataBody']
const touches = ['meter-data', 'statement', 'statements']

/** The utility's meter: what the bill is settled on, beside the site's own. */
export function MeterDataPage() {
  const view = useView()
  const may = useMay('money')
  const queries = useQueryClient()
  const [out, setOut] = useState<Schema['MeterData']>()
  const q = useQuery({ queryKey: ['meter-data', view.site], queryFn: ({ signal }) => ask<Body>('GET', `/meter-data${view.query ? `?${view.query}` : ''}`, undefined, signal), enabled: may, retry: false })
  const b = q.data
  const end = useMutation({
    mutationFn: (m: Schema['MeterData']) => ask('POST', '/meter-data/end', { site: b!.site, meter: m.name, at: m.ended ? undefined : m.last }),
    onSuccess: async () => {
      setOut(undefined)
      await Promise.all(touches.map((key) => queries.invalidateQueries({ queryKey: [key] })))
    },
  })
  return (
    <Page
      title="Utility meter"
      note={
        <>
          <Anchor component={Link} to="/power/statements" fz="sm">
            ← statements
          </Anchor>{' '}
          {b && `${b.site}: statements are settled on these readings where there are some, on the site's own meter where there are none.`}
        </>
      }
    >
      {!may && <NoMoney what="The utility's meter" />}
      {may && q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The utility's meter cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {b && (
        <>
          <Bring site={b.site} path="/meter-data" what="interval data" accept=".csv,.txt,.xml,text/csv,text/xml,application/xml" asks={['clock', 'stamp', 'dates', 'unit', 'interval_min']} invalidate={touches} />
          <Text fz="sm" c="dimmed" mt="xs">
            CSV with a row an interval or a row a day, or Green Button. You see what was understood before anything is kept; a later file of the same intervals revises them.
          </Text>
          {(b.months ?? []).length > 0 && (
            <>
              <Title order={2} fz="md" mt="lg" mb={6}>
                Beside the site's own meter
              </Title>
              <Months months={b.months!} />
            </>
          )}
          {(b.meters ?? []).length > 0 && (
            <>
              <Title order={2} fz="md" mt="lg" mb={6}>
                Meters
              </Title>
              {b.meters!.map((m) => (
                <Group key={m.name} gap="sm" mb={4} data-testid="meter">
                  <Text fz="sm" fw={600}>
                    {m.name}
                  </Text>
                  <Text fz="sm">
                    {when(m.first, b.zone)} to {when(m.last, b.zone)}
                  </Text>
                  {m.ended && (
                    <Badge size="sm" variant="light" color="gray" tt="none">
                      taken out {when(m.ended, b.zone)}
                    </Badge>
                  )}
                  <Button size="compact-xs" variant="subtle" onClick={() => setOut(m)}>
                    {m.ended ? 'It is in place again' : 'It was taken out'}
                  </Button>
                </Group>
              ))}
            </>
          )}
          <Title order={2} fz="md" mt="lg" mb={6}>
            Imports
          </Title>
          <Imports list={b.imports ?? []} zone={b.zone} path="/meter-data" invalidate={touches} />
          <Confirm
            title={out?.ended ? `Meter ${out.name} is in place again` : `Meter ${out?.name ?? ''} was taken out`}
            opened={out !== undefined}
            onClose={() => setOut(undefined)}
            effects={out ? [{ name: 'Last reading ends', value: when(out.last, b.zone) }] : []}
            warning={out?.ended ? 'From its first reading on, the sum of the site waits for its readings.' : 'From its last reading on, the sum of the site does without it.'}
            button={out?.ended ? 'In place' : 'Taken out'}
            busy={end.isPending}
            error={end.error}
            onConfirm={() => out && end.mutate(out)}
          />
        </>
      )}
    </Page>
  )
}

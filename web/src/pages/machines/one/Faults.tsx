import { Alert, Badge, Text } from '@mantine/core'
import type { Machine } from '../../../api/client'

/** What the machine complains of: what that means, what to do, and its own words. */
export function Faults({ m }: { m: Machine }) {
  const faults = m.reading?.faults ?? []
  const warnings = m.reading?.warnings ?? []
  const words = new Map((m.advice ?? []).map((a) => [a.code, a]))
  return (
    <>
      {faults.length > 0 && (
        <Alert color="red" variant="light" title={`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} told by the machine`} mb="sm" data-testid="faults">
          {faults.map((f, i) => {
            const a = words.get(f.code)
            return (
              // biome-ignore lint: the list has no other order
              <div key={i} style={{ marginTop: i > 0 ? 10 : 0 }}>
                <Text fz="sm">
                  <Badge size="sm" variant="outline" color={f.severity === 'critical' ? 'red' : f.severity === 'major' ? 'orange' : 'gray'} mr={8}>
                    {f.severity}
                  </Badge>
                  <Text span fw={600}>
                    {a?.means ?? f.text}
                  </Text>
                  {f.index >= 0 && ` ${place(f.group)} ${f.index}.`}
                </Text>
                {a && <Text fz="sm">What to do: {a.do}</Text>}
                <Text fz="xs" c="dimmed">
                  The machine says: {f.text || f.group}
                  {f.vendor && ` (vendor code ${f.vendor})`}
                </Text>
              </div>
            )
          })}
        </Alert>
      )}
      {warnings.length > 0 && (
        <details style={{ marginBottom: 12 }}>
          <summary>
            <Text span fz="sm" c="dimmed">
              {warnings.length} {warnings.length === 1 ? 'remark' : 'remarks'} on the data
            </Text>
          </summary>
          {warnings.map((w) => (
            <Text fz="sm" key={`${w.kind} ${w.where} ${w.detail}`} c="dimmed">
              {w.kind}: {w.where} {w.detail && `(${w.detail})`}
            </Text>
          ))}
        </details>
      )}
    </>
  )
}

const place = (group: string) => (group === 'psu' ? 'Power supply' : group === 'thermal' ? 'Number' : group === 'board' || group === 'rail' ? 'Board' : 'Number')

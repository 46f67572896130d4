import { Badge, Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { span } from '../format'

/** Something that Ballast or a person decided: what, why, which limit bound,
 * what it is worth, and how to overrule it. */
export interface DecisionProps {
  what: ReactNode
  why: ReactNode
  /** The constraint that bound, when one did. */
  bound?: string
  /** Dollars against doing nothing, when it is known. */
  value?: string
  /** Unix milliseconds. */
  at: number
  by: string
  /** How it went, as telemetry tells. */
  outcome?: ReactNode
  overrule?: ReactNode
}

export function Decision({ what, why, bound, value, at, by, outcome, overrule }: DecisionProps) {
  return (
    <article className="decision">
      <Group justify="space-between" gap="sm" align="baseline">
        <Text fw={600}>{what}</Text>
        <Text fz="xs" c="dimmed" title={new Date(at).toLocaleString()}>
          {span((Date.now() - at) / 1000)} ago · {by}
        </Text>
      </Group>
      <Text fz="sm">{why}</Text>
      <Group gap="xs" mt={2}>
        {bound && (
          <Badge size="sm" variant="outline" color="gray">
            bound by {bound}
          </Badge>
        )}
        {value && (
          <Badge size="sm" variant="light" color="teal">
            {value}
          </Badge>
        )}
        {outcome && <Text fz="sm">{outcome}</Text>}
        {overrule}
      </Group>
    </article>
  )
}

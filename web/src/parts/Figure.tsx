import { Popover, Text, UnstyledButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { span } from '../format'

export interface FigureProps {
  name: string
  value: string
  unit?: string
  note?: ReactNode
  /** Where the number comes from: measured, quoted (source, date) or modelled (version), in a sentence. */
  source: ReactNode
  /** Unix milliseconds of the measurement, when it is not the page's own age. */
  at?: number
  /** Old: the number fades. */
  stale?: boolean
}

/** A number with its name, unit and age. Tapping it, or Enter, tells where it
 * comes from. */
export function Figure({ name, value, unit, note, source, at, stale }: FigureProps) {
  return (
    <div className={'figure' + (stale ? ' stale' : '')}>
      <Popover width={280} position="bottom-start" withArrow shadow="md" withinPortal>
        <Popover.Target>
          <UnstyledButton className="name" aria-label={`${name}: where it comes from`}>
            {name}
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown>
          <Text fz="sm" component="div">
            {source}
          </Text>
          {at !== undefined && (
            <Text fz="xs" c="dimmed" mt={4}>
              {span((Date.now() - at) / 1000)} old, from {new Date(at).toLocaleString()}
            </Text>
          )}
        </Popover.Dropdown>
      </Popover>
      <div className="value">
        {value}
        {unit && <span className="unit">{unit}</span>}
      </div>
      {note && <div className="note">{note}</div>}
    </div>
  )
}

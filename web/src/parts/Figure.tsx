import { Popover, Skeleton, Text, UnstyledButton } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
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
  /** Old: the number fades, and says since when. */
  stale?: boolean
  /** The list behind the number. */
  to?: { to: string; search?: Record<string, unknown> }
  /** No number yet. */
  loading?: boolean
  /** Where it comes from takes more than a sentence. */
  wide?: boolean
}

/** A number with its name, unit and age. Tapping its name, or Enter on it, tells
 * where it comes from; tapping the number leads to the list behind it. */
export function Figure({ name, value, unit, note, source, at, stale, to, loading, wide }: FigureProps) {
  const [open, setOpen] = useState(false)
  const shown = (
    <>
      {value}
      {unit && <span className="unit">{unit}</span>}
    </>
  )
  return (
    <div className={'figure' + (stale ? ' stale' : '')}>
      <Popover width={wide ? 420 : 280} position="bottom-start" withArrow shadow="md" withinPortal opened={open} onChange={setOpen}>
        <Popover.Target>
          <UnstyledButton className="name" aria-label={`${name}: where it comes from`} onClick={() => setOpen(!open)} onKeyDown={(e) => e.key === 'Escape' && setOpen(false)}>
            {name}
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown maw="92vw" mah={wide ? '70vh' : undefined} style={wide ? { overflowY: 'auto' } : undefined}>
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
        {loading ? (
          <Skeleton h={26} w={90} my={4} aria-label={`${name} is loading`} role="img" />
        ) : to ? (
          <Link to={to.to} search={to.search as never}>
            {shown}
          </Link>
        ) : (
          shown
        )}
      </div>
      {stale && at !== undefined ? <div className="note since">since {new Date(at).toLocaleTimeString()}</div> : note && <div className="note">{note}</div>}
    </div>
  )
}

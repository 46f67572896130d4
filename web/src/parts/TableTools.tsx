import { ActionIcon, Checkbox, Group, Popover, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { Icon } from '../frame/icons'

/** What stands above a table: the page's own tools, the choice of columns, the download. */
export function TableTools({ columns, hidden, onHide, onSave, label, children }: { columns: { key: string; title: string; always?: boolean }[]; hidden: ReadonlySet<string>; onHide: (key: string) => void; onSave?: () => void; label: string; children?: ReactNode }) {
  return (
    <Group gap="xs" mb={6} justify="space-between" align="flex-end">
      <Group gap="xs" flex={1} miw={0}>
        {children}
      </Group>
      <Group gap={4} wrap="nowrap">
        {columns.length > 1 && (
          <Popover position="bottom-end" withinPortal shadow="md" trapFocus returnFocus>
            <Popover.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`Columns of ${label}`} title="Columns">
                <Icon name="columns" />
              </ActionIcon>
            </Popover.Target>
            <Popover.Dropdown>
              <Stack gap={6} mah="60vh" style={{ overflowY: 'auto' }} role="group" aria-label="Columns to show">
                {columns.map((c, i) => (
                  <Checkbox key={c.key} size="xs" label={c.title} checked={i === 0 || c.always || !hidden.has(c.key)} disabled={i === 0 || c.always} onChange={() => onHide(c.key)} />
                ))}
              </Stack>
            </Popover.Dropdown>
          </Popover>
        )}
        {onSave && (
          <ActionIcon variant="subtle" color="gray" aria-label={`Download ${label} as CSV`} title="Download as CSV" onClick={onSave}>
            <Icon name="download" />
          </ActionIcon>
        )}
      </Group>
    </Group>
  )
}

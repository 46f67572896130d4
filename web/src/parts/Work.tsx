import { Button, Group, Progress, Text } from '@mantine/core'
import type { ReactNode } from 'react'

/** Long work under way: what, how far, and how to stop it. */
export function Work({ what, done, total, note, onCancel, cancel = 'Cancel' }: { what: string; done: number; total: number; note?: ReactNode; onCancel?: () => void; cancel?: string }) {
  const percent = total > 0 ? Math.min(100, (100 * done) / total) : 0
  return (
    <div className="work" role="status">
      <Group justify="space-between" gap="sm">
        <Text fz="sm" fw={500}>
          {what}
        </Text>
        <Text fz="sm" c="dimmed">
          {done.toLocaleString('en-US')} of {total.toLocaleString('en-US')}
        </Text>
      </Group>
      <Progress value={percent} aria-label={what} my={4} />
      <Group justify="space-between" gap="sm">
        <Text fz="xs" c="dimmed" component="div">
          {note}
        </Text>
        {onCancel && (
          <Button size="compact-xs" variant="subtle" color="gray" onClick={onCancel}>
            {cancel}
          </Button>
        )}
      </Group>
    </div>
  )
}

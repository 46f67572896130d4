import { Button, Group, Progress, Text } from '@mantine/core'
import type { ReactNode } from 'react'

/** Long work under way: what, how far, and how to stop it. A total of 0 is one
 * that is not known yet; failed says why it stopped. */
export function Work({ what, done, total, note, onCancel, cancel = 'Cancel', failed }: { what: string; done: number; total: number; note?: ReactNode; onCancel?: () => void; cancel?: string; failed?: string }) {
  const percent = total > 0 ? Math.min(100, (100 * done) / total) : 0
  return (
    <div className="work">
      <Group justify="space-between" gap="sm" wrap="nowrap" align="baseline">
        <Text fz="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
          {what}
        </Text>
        <Text fz="sm" c="dimmed" style={{ flex: 'none' }}>
          {total > 0 ? `${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')}` : done > 0 ? done.toLocaleString('en-US') : ''}
        </Text>
      </Group>
      <Progress value={total > 0 ? percent : 100} striped={total === 0 && !failed} animated={total === 0 && !failed} color={failed ? 'red' : undefined} aria-label={what} my={4} />
      <Group justify="space-between" gap="sm" wrap="nowrap" align="baseline">
        <Text fz="xs" c="dimmed" component="div" role="status">
          {failed ? <span style={{ color: 'var(--ink-bad)' }}>{failed}</span> : note}
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

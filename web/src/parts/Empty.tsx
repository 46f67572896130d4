import { Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

/** Nothing here yet: why, and the next step. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Stack align="flex-start" gap="xs" py="lg" data-testid="empty" style={{ overflowWrap: 'anywhere' }}>
      <Title order={2} fz={16}>
        {title}
      </Title>
      {children && (
        <Text component="div" maw={620}>
          {children}
        </Text>
      )}
      {action}
    </Stack>
  )
}

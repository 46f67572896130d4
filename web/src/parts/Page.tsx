import { Group, Text, Title } from '@mantine/core'
import { useLocation } from '@tanstack/react-router'
import { type ReactNode, useEffect } from 'react'
import { setPlace } from '../frame/place'

/** The head of every page: its title (the browser tab's too), one sentence, and
 * its actions. */
export function Page({ title, note, actions, children }: { title: string; note?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  const path = useLocation({ select: (l) => l.pathname })
  // biome-ignore lint: another path is another place, even when it is called the same
  useEffect(() => {
    setPlace(title)
  }, [title, path])
  return (
    <>
      <Group justify="space-between" align="flex-start" mb="sm" gap="sm">
        <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
          <Title order={1}>
            {title}
          </Title>
          {note && (
            <Text fz="sm" c="dimmed" component="div">
              {note}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </>
  )
}

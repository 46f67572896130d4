import { Group, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'

/** The head of every page: its title (the browser tab's too), one sentence, and
 * its actions. */
export function Page({ title, note, actions, children }: { title: string; note?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Ballast`
  }, [title])
  return (
    <>
      <Group justify="space-between" align="flex-start" mb="sm" gap="sm">
        <div style={{ minWidth: 0 }}>
          <Title order={1} fz={22}>
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

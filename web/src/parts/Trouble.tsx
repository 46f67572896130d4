import { Alert, Anchor, Button, Code, Group, Stack, Text } from '@mantine/core'
import { type ErrorComponentProps, Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { Failed } from '../api/client'
import { Page } from './Page'

/** What an error means to the one who reads it: what still works and what to do. */
export function counsel(error: Error): { works?: string; todo?: string } {
  const status = error instanceof Failed ? error.status : -1
  switch (true) {
    case status === 0:
      return { works: 'What was shown before stays, with its age.', todo: 'Nothing: the page tries again by itself. If it lasts, look whether Ballast runs.' }
    case status === 403:
      return { works: 'Everything that your role allows.', todo: 'Ask an administrator for the role, if you need it.' }
    case status === 404:
      return { todo: 'It may have been removed, or lie at a site that you may not see.' }
    case status === 409:
      return { todo: 'Somebody or something else was faster. Look at what stands there now, then try again.' }
    case status === 422:
      return { todo: 'Correct what the message names.' }
    case status === 429:
      return { todo: 'Wait a moment, then try again.' }
    case status >= 500:
      return { works: 'Other pages, and polling, go on.', todo: 'Try again; the log of Ballast says more.' }
  }
  return {}
}

/** What failed, in the server's words; what still works; what to do. */
export function Trouble({ what, error, again, works, todo }: { what: string; error: Error; again?: () => void; works?: ReactNode; todo?: ReactNode }) {
  const [busy, setBusy] = useState(false)
  const advice = counsel(error)
  const stays = works ?? advice.works
  const next = todo ?? advice.todo
  return (
    <Alert color="red" title={what} role="alert" my="md" data-testid="trouble">
      <Stack gap={4} align="flex-start">
        <Text fz="sm" style={{ overflowWrap: 'anywhere' }}>
          {error.message}
        </Text>
        {stays && (
          <Text fz="sm">
            <b>Still works:</b> {stays}
          </Text>
        )}
        {next && (
          <Text fz="sm">
            <b>To do:</b> {next}
          </Text>
        )}
        {again && (
          <Button
            size="xs"
            mt={4}
            variant="default"
            loading={busy}
            onClick={() => {
              setBusy(true)
              window.setTimeout(() => setBusy(false), 600)
              again()
            }}
          >
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  )
}

/** What lies at an address of ours that leads nowhere. */
export function NotFound() {
  return (
    <Page title="There is no such page">
      <Stack gap="xs" align="flex-start" py="md">
        <Text>The address may be mistyped, or the page has moved. Search, with the key /, finds pages and machines.</Text>
        <Anchor component={Link} to="/">
          To the site, now
        </Anchor>
      </Stack>
    </Page>
  )
}

/** A page that failed to draw itself: the rest of the dashboard goes on. After
 * an update of the server its parts have new names; loading again mends that. */
export function Broken({ error, reset }: ErrorComponentProps) {
  const message = error instanceof Error ? error.message : String(error)
  const gone = /dynamically imported module|module script|preload/i.test(message)
  return (
    <Page title={gone ? 'This page is from an older Ballast' : 'This page failed'}>
      <Alert color={gone ? 'harbour' : 'red'} role="alert" my="md">
        <Stack gap="xs" align="flex-start">
          <Text fz="sm">{gone ? 'The server was updated since the dashboard was loaded, or it does not answer. Load the dashboard again to get the page.' : 'The fault is in the dashboard, not at the site: machines are polled and commands go on. The other pages still work.'}</Text>
          {!gone && <Code block>{message}</Code>}
          <Group gap="xs">
            <Button size="xs" onClick={() => location.reload()}>
              Load again
            </Button>
            {!gone && (
              <Button size="xs" variant="default" onClick={reset}>
                Try again
              </Button>
            )}
          </Group>
        </Stack>
      </Alert>
    </Page>
  )
}

/** A page that the one who is signed in may not see: said before anything is
 * asked for. */
export function Forbidden({ title, right, roles }: { title: string; right: string; roles?: string }) {
  return (
    <Page title={title}>
      <Alert color="orange" role="alert" my="md" data-testid="forbidden" title="You may not see this page">
        <Text fz="sm">
          It takes the right to {right}
          {roles && `, which ${roles}`}. What your role allows is in the navigation. An administrator can grant more.
        </Text>
      </Alert>
    </Page>
  )
}

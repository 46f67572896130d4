import { Alert, Anchor, Button, Center, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'

/** What failed, what the server said, and what to do. */
export function Trouble({ what, error, again }: { what: string; error: Error; again?: () => void }) {
  return (
    <Alert color="red" title={what} role="alert" my="md">
      <Stack gap="xs" align="flex-start">
        <Text fz="sm">{error.message}</Text>
        {again && (
          <Button size="xs" variant="light" color="red" onClick={again}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  )
}

export function NotFound() {
  return (
    <Center h="60vh">
      <Stack align="center">
        <Title order={2}>There is no such page</Title>
        <Anchor component={Link} to="/">
          To the site
        </Anchor>
      </Stack>
    </Center>
  )
}

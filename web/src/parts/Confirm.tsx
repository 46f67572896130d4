import { Alert, Button, Group, Loader, Modal, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'

/** Asks once before something that matters: what will change in figures first,
 * then one button that says what it does. */
export function Confirm({
  title,
  opened,
  onClose,
  inputs,
  effects,
  waiting,
  failed,
  warning,
  button,
  danger,
  busy,
  disabled,
  error,
  onConfirm,
  children,
}: {
  title: string
  opened: boolean
  onClose: () => void
  /** What has to be said before it can be worked out what will change. */
  inputs?: ReactNode
  /** What will change: "200 machines", "0.72 MW", "$1,210 a day less". Missing while the preview loads. */
  effects?: { name: string; value: string }[]
  /** What has to be said still; nothing is worked out until then. */
  waiting?: string
  /** Why what will change could not be worked out. */
  failed?: Error | null
  warning?: ReactNode
  button: string
  danger?: boolean
  busy?: boolean
  disabled?: boolean
  error?: Error | null
  onConfirm: () => void
  children?: ReactNode
}) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="lg">
      <Stack gap="sm">
        {inputs}
        {effects ? (
          <dl className="facts" data-testid="effects">
            {effects.map((e) => (
              <div key={e.name} style={{ display: 'contents' }}>
                <dt>{e.name}</dt>
                <dd>{e.value}</dd>
              </div>
            ))}
          </dl>
        ) : failed ? (
          <Alert color="red" role="alert" title="What it changes cannot be worked out">
            {failed.message}
          </Alert>
        ) : waiting ? (
          <Text fz="sm" c="dimmed">
            {waiting}
          </Text>
        ) : (
          <Group gap="xs">
            <Loader size="xs" /> <Text fz="sm">Working out what will change…</Text>
          </Group>
        )}
        {children}
        {warning && <Alert color="orange">{warning}</Alert>}
        {error && (
          <Alert color="red" role="alert">
            {error.message}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Leave as it is
          </Button>
          <Button color={danger ? 'red' : undefined} disabled={!effects || disabled} loading={busy} onClick={onConfirm}>
            {button}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

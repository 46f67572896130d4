import { Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { span } from '../format'

/** Says how fresh the page is: live, or old and since when. */
export function Age({ connected, at }: { connected: boolean; at: number }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const t = window.setInterval(() => setNow(Date.now()), 1000)
    return () => window.clearInterval(t)
  }, [])
  if (!at) return <Text fz="sm" c="dimmed" role="status">connecting…</Text>
  if (connected)
    return (
      <Text fz="sm" role="status" style={{ color: 'var(--hashing)' }}>
        ● live
      </Text>
    )
  return (
    <Text fz="sm" fw={600} role="status" style={{ color: 'var(--down)' }}>
      ■ no connection; this is {span((now - at) / 1000)} old
    </Text>
  )
}

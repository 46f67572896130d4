import { ActionIcon, Button } from '@mantine/core'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Icon } from '../frame/icons'

/** What came of something that a person did. It tells, it never asks. */
export interface Notice {
  kind: 'good' | 'bad' | 'info'
  title: string
  text?: string
  /** One thing to do next. */
  action?: { label: string; run: () => void }
}

interface Shown extends Notice {
  id: number
}

let shown: readonly Shown[] = []
let last = 0
const listeners = new Set<() => void>()
const change = (next: readonly Shown[]) => {
  shown = next
  for (const l of listeners) l()
}

/** Shows a notice; at most four stand at once, the oldest makes room. */
export function notify(n: Notice): number {
  change([...shown, { ...n, id: ++last }].slice(-4))
  return last
}

export function dismiss(id: number) {
  change(shown.filter((n) => n.id !== id))
}

/** What is shown now, for tests. */
export const notices = () => shown

const subscribe = (l: () => void) => {
  listeners.add(l)
  return () => void listeners.delete(l)
}

/** Where notices stand. Good news goes by itself after a while, but not from
 * under the pointer or the focus; bad news stays until it is closed. */
export function Notices() {
  const list = useSyncExternalStore(subscribe, () => shown)
  return (
    <div className="notices" role="region" aria-label="Notices" aria-live="polite">
      {list.map((n) => (
        <One key={n.id} n={n} />
      ))}
    </div>
  )
}

function One({ n }: { n: Shown }) {
  const [held, hold] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (held || n.kind === 'bad') return
    const t = window.setTimeout(() => dismiss(n.id), 7000)
    return () => window.clearTimeout(t)
  }, [held, n])
  return (
    <div ref={box} className={`notice ${n.kind}`} role={n.kind === 'bad' ? 'alert' : 'status'} onMouseEnter={() => hold(true)} onMouseLeave={() => hold(false)} onFocus={() => hold(true)} onBlur={() => hold(false)} onKeyDown={(e) => e.key === 'Escape' && dismiss(n.id)}>
      <Icon name={n.kind} />
      <div>
        <strong>{n.title}</strong>
        {n.text}
        {n.action && (
          <Button
            size="compact-xs"
            variant="subtle"
            mt={4}
            onClick={() => {
              n.action!.run()
              dismiss(n.id)
            }}
          >
            {n.action.label}
          </Button>
        )}
      </div>
      <ActionIcon size="sm" variant="subtle" color="gray" aria-label={`Close: ${n.title}`} onClick={() => dismiss(n.id)}>
        <Icon name="close" />
      </ActionIcon>
    </div>
  )
}

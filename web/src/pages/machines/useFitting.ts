import { useMemo, useRef } from 'react'
import type { Row } from '../../api/client'
import { useLive } from '../../api/live'
import { sortBy } from '../../parts/DataTable'
import { allColumns } from './columns'
import { type Choice, choiceKeys, fitting, read } from './filter'

/** How long, in milliseconds, an order of machines stands while figures change
 * in it. A table that jumps under the pointer each second cannot be read. */
const rest = (n: number) => (n > 2000 ? 4000 : 2000)

interface Order {
  ids: number[]
  set: ReadonlySet<number>
  key: string
  at: number
  version: number
  empty: boolean
}

/** The machines that a choice lets through, in order, with their newest
 * figures. Which ones and in which order is worked out anew every few seconds,
 * and at once when the choice changes. */
export function useFitting(choice: Choice, sort: string, desc: boolean): { shown: Row[]; set: ReadonlySet<number>; errors: string[]; total: number } {
  const live = useLive()
  const asked = useMemo(() => read(choice.q ?? ''), [choice.q])
  const order = useRef<Order>(undefined)
  const key = JSON.stringify([choiceKeys.map((k) => choice[k]), sort, desc])
  const now = Date.now()
  const old = order.current
  if (!old || old.key !== key || (old.version !== live.version && (now - old.at > rest(live.rows.size) || old.empty))) {
    const lets = fitting(choice, asked)
    const rows: Row[] = []
    for (const r of live.rows.values()) if (lets(r, now / 1000)) rows.push(r)
    const ids = sortBy(rows, allColumns.find((c) => c.key === sort), desc).map((r) => r.id)
    order.current = { ids, set: same(old?.set, ids), key, at: now, version: live.version, empty: live.rows.size === 0 }
  }
  const { ids, set } = order.current!
  // biome-ignore lint: version says that the map changed
  const shown = useMemo(() => {
    const out: Row[] = []
    for (const id of ids) {
      const r = live.rows.get(id)
      if (r) out.push(r)
    }
    return out
  }, [ids, live.version])
  return { shown, set, errors: asked.errors, total: live.rows.size }
}

/** The old set when it has the same members, so that nothing is painted again. */
function same(old: ReadonlySet<number> | undefined, ids: number[]): ReadonlySet<number> {
  return old && old.size === ids.length && ids.every((id) => old.has(id)) ? old : new Set(ids)
}

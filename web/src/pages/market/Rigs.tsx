import { Button, Group, Text, Textarea } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { Trouble } from '../../parts/Trouble'
import { Wide } from '../outlook/parts'
import { day } from '../outlook/words'

const head = 'date,tier_jth,usd_per_th,kind,source'

/** What a TH/s of machine was sold for, by tier of efficiency over time. */
export function Rigs() {
  const may = useMay('money')
  const cache = useQueryClient()
  const q = useQuery({ queryKey: ['market', 'rigs'], queryFn: ({ signal }) => ask<Schema['LedgerRigPrice'][]>('GET', '/market/rigs', undefined, signal) })
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState<string[]>([])
  const [error, setError] = useState<Error>()
  const rows = (q.data ?? []).toReversed()
  const enter = async () => {
    setError(undefined)
    try {
      const body = await ask<Schema['RigPricesBody']>('POST', '/market/rigs', { text: text.trimStart().startsWith('date') ? text : `${head}\n${text}` })
      setWrong(body.errors ?? [])
      if ((body.errors ?? []).length === 0) {
        setText('')
        await cache.invalidateQueries({ queryKey: ['market', 'rigs'] })
      }
    } catch (e) {
      setError(e as Error)
    }
  }
  return (
    <>
      <h2 className="part">Machine prices by efficiency</h2>
      <Text fz="sm" c="dimmed">
        The book that the value of hashpower is reckoned with. No price is carried back in time, and kinds of evidence are not mixed.
      </Text>
      {q.error && <Trouble what="The book cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {rows.length > 0 && (
        <Wide label="Machine prices">
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Tier</th>
              <th scope="col" className="num">$/TH</th>
              <th scope="col">Kind</th>
              <th scope="col">Source</th>
              <th scope="col">Entered by</th>
              <th scope="col">
                <span className="hidden">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, 40).map((r) => (
              <tr key={r.id}>
                <th scope="row">{day(r.at)}</th>
                <td>{r.tier}</td>
                <td className="num">{(r.micro_per_th / 1e6).toFixed(2)}</td>
                <td>{r.kind}</td>
                <td className="say">{r.source}</td>
                <td>{r.actor}</td>
                <td>
                  {may && (
                    <Button size="compact-xs" variant="subtle" color="gray" aria-label={`Remove ${r.tier} of ${day(r.at)}`} onClick={() => void ask('DELETE', `/market/rigs/${r.id}`).then(() => cache.invalidateQueries({ queryKey: ['market', 'rigs'] }), setError)}>
                      Remove
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </Wide>
      )}
      {q.data && rows.length === 0 && (
        <Text fz="sm" c="dimmed" mt={6}>
          The book is empty{may ? ': enter lines below.' : '.'}
        </Text>
      )}
      {error && <Trouble what="It was not taken" error={error} />}
      {wrong.length > 0 && (
        <div role="alert">
          <Text fz="sm" fw={600}>
            Nothing was entered:
          </Text>
          <ul className="told-errors">
            {wrong.map((w) => (
              <li key={w}>{w}</li>
            ))}
          </ul>
        </div>
      )}
      {may && (
        <>
          <Textarea mt={8} label="Enter prices, a line each" description={`${head} — 2026-06-30,15-20,16.20,index,where it was published`} value={text} onChange={(e) => setText(e.currentTarget.value)} autosize minRows={2} maxRows={10} ff="monospace" />
          <Group mt={6}>
            <Button size="xs" variant="default" disabled={text.trim() === ''} onClick={() => void enter()}>
              Enter prices
            </Button>
          </Group>
        </>
      )}
    </>
  )
}

import { Alert, Button, FileButton, Group, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Work } from '../../parts/Work'
import { Ago, Part, Wrong } from './access'

type Head = Schema['LedgerAuditHead']
type State = Schema['AuditState']

/** Reads an anchor file: one head, or a list of them. */
async function readAnchors(files: File[]): Promise<Head[]> {
  const out: Head[] = []
  for (const f of files) {
    let value: unknown
    try {
      value = JSON.parse(await f.text())
    } catch {
      throw new Error(`${f.name} is no anchor: it is not JSON.`)
    }
    for (const a of Array.isArray(value) ? value : [value]) {
      const { seq, hash } = (a ?? {}) as Partial<Head>
      if (!Number.isInteger(seq) || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) throw new Error(`${f.name} is no anchor: it needs seq and hash.`)
      out.push({ seq: seq!, hash })
    }
  }
  return out
}

/** The proof that the log is whole: check it, keep an anchor, check against one. */
export function Chain({ head }: { head?: Head }) {
  const queries = useQueryClient()
  const [anchors, setAnchors] = useState<Head[]>([])
  const [wrong, setWrong] = useState<Error | null>(null)
  const state = useQuery({ queryKey: ['audit-check'], queryFn: ({ signal }) => ask<State>('GET', '/audit/check', undefined, signal), refetchInterval: (q) => (q.state.data?.running ? 400 : false) })
  const begin = useMutation({
    mutationFn: () => ask<State>('POST', '/audit/check', { anchors }),
    onSuccess: (s) => {
      queries.setQueryData(['audit-check'], s)
      void queries.invalidateQueries({ queryKey: ['audit-check'] })
    },
  })
  const cancel = useMutation({ mutationFn: () => ask('DELETE', '/audit/check'), onSuccess: () => void queries.invalidateQueries({ queryKey: ['audit-check'] }) })
  const choose = (files: File[]) => {
    setWrong(null)
    readAnchors(files).then(setAnchors, setWrong)
  }
  const s = state.data
  return (
    <Part
      title="Is the log whole?"
      note={
        <>
          A check reads every row and shows any that was altered, removed or put in. Only an <b>anchor</b>, a fingerprint kept elsewhere, also shows a log that was cut at its end or written anew as a whole: download one now and then and keep it away from this
          machine.
        </>
      }
    >
      {head && (
        <Text fz="xs" c="dimmed" mb={6}>
          Newest row {head.seq.toLocaleString('en-US')}: <span className="hash">{head.hash}</span>
        </Text>
      )}
      <Wrong error={wrong ?? begin.error} />
      {s?.running ? (
        <Work what={`Checking${s.anchors ? ` against ${s.anchors} ${s.anchors === 1 ? 'anchor' : 'anchors'}` : ''}`} done={s.done} total={s.total} onCancel={() => cancel.mutate()} />
      ) : (
        s?.finished && (
          <Alert color={s.sound ? 'green' : 'red'} role={s.sound ? 'status' : 'alert'} title={s.sound ? 'The log is whole' : 'The log is not whole'} my="xs" data-testid="verdict">
            {s.sound
              ? `${s.done.toLocaleString('en-US')} rows are as they were written, none is missing, none was put in${s.anchors ? `; ${s.anchors} ${s.anchors === 1 ? 'anchor is' : 'anchors are'} passed` : ''}.`
              : `${(s.problem ?? '').replace(/^./, (c) => c.toUpperCase())}. The last row that is right is ${s.head.seq.toLocaleString('en-US')}.`}{' '}
            <Text span fz="sm">
              Checked <Ago at={s.finished} /> by {s.by}.
            </Text>
          </Alert>
        )
      )}
      <Group gap="xs" mt="xs">
        <Button loading={begin.isPending} disabled={s?.running} onClick={() => begin.mutate()}>
          {anchors.length ? `Check against ${anchors.length} ${anchors.length === 1 ? 'anchor' : 'anchors'}` : 'Check the log'}
        </Button>
        <FileButton multiple accept="application/json,.json" onChange={choose}>
          {(props) => (
            <Button variant="default" {...props}>
              Choose anchors…
            </Button>
          )}
        </FileButton>
        {anchors.length > 0 && (
          <Button variant="subtle" color="gray" onClick={() => setAnchors([])}>
            Without anchors
          </Button>
        )}
        <Button component="a" variant="default" href="/api/v1/audit/anchor" download>
          Download an anchor
        </Button>
      </Group>
    </Part>
  )
}

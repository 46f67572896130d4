import { Alert, Anchor, Button, Group, Loader, Select, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { Confirm } from '../../parts/Confirm'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { useEdit } from '../../parts/useEdit'
import { example } from './example'
import { NoMoney } from './NoMoney'
import { Breakdown } from './parts'
import { money } from './words'
import './power.css'

/** One contract: its text, what is wrong with it, what it says and what it would cost. */
export function ContractPage() {
  const { id } = useParams({ from: '/frame/power/contracts/$id' })
  const may = useMay('money')
  const q = useQuery({ queryKey: ['contract', id], queryFn: ({ signal }) => ask<Schema['ContractBody']>('GET', `/contracts/${encodeURIComponent(id)}`, undefined, signal), enabled: may && id !== 'new', retry: false, refetchOnWindowFocus: false })
  const title = id === 'new' ? 'New contract' : (q.data?.name ?? 'Contract')
  return (
    <Page
      title={title}
      note={
        <>
          <Anchor component={Link} to="/power/contracts" fz="sm">
            ← all contracts
          </Anchor>{' '}
          {q.data && `${q.data.site}, text ${q.data.revision}`}
        </>
      }
    >
      {!may && <NoMoney what="Contracts" />}
      {may && id !== 'new' && q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The contract cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {may && (id === 'new' || q.data) && <Editor key={id} contract={q.data} />}
    </Page>
  )
}

function Editor({ contract }: { contract?: Schema['ContractBody'] }) {
  const view = useView()
  const go = useNavigate()
  const queries = useQueryClient()
  const area = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(contract?.text ?? example)
  const edit = useEdit<Schema['ContractBody'], { text: string }>({ was: contract, version: (c) => c.revision, draftOf: (c) => ({ text: c.text }), draft: { text }, setDraft: (d) => setText(d.text), newest: () => ask<Schema['ContractBody']>('GET', `/contracts/${contract!.id}`), names: { text: 'Text' } })
  const [settled, setSettled] = useState(text)
  const [at, setAt] = useState('')
  const [load, setLoad] = useState('')
  const [doomed, setDoomed] = useState(false)
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<Schema['SiteInfo'][]>('GET', '/sites', undefined, signal), enabled: !contract })
  const [site, setSite] = useState(contract?.site ?? view.site ?? '')
  const here = site || sites.data?.[0]?.name || ''
  useEffect(() => {
    const t = window.setTimeout(() => setSettled(text), 350)
    return () => window.clearTimeout(t)
  }, [text])
  const when = at ? new Date(at) : undefined
  const watts = load.trim() === '' ? undefined : Number(load) * 1e6
  const check = useQuery({
    queryKey: ['contract-check', here, contract?.id, settled, at, load],
    queryFn: ({ signal }) => ask<Schema['ContractCheck']>('POST', '/contracts/check', { site: here, id: contract?.id ?? 0, text: settled, at: when && !Number.isNaN(when.getTime()) ? when.toISOString() : undefined, load_w: watts !== undefined && Number.isFinite(watts) && watts >= 0 ? watts : undefined }, signal),
    enabled: here !== '',
    placeholderData: keepPreviousData,
    retry: false,
  })
  const save = useMutation({
    mutationFn: () => (contract ? ask<Schema['ContractHead']>('PUT', `/contracts/${contract.id}`, { text }, undefined, edit.headers) : ask<Schema['ContractHead']>('POST', '/contracts', { site: here, text })),
    onSuccess: async (c) => {
      if (contract) edit.rebase({ ...contract, revision: c.revision, text })
      await Promise.all([queries.invalidateQueries({ queryKey: ['contracts'] }), queries.invalidateQueries({ queryKey: ['contract'] }), queries.invalidateQueries({ queryKey: ['price'] })])
      if (!contract) void go({ to: '/power/contracts/$id', params: { id: String(c.id) } as never, replace: true })
    },
  })
  const remove = useMutation({
    mutationFn: () => ask('DELETE', `/contracts/${contract!.id}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['contracts'] })
      void go({ to: '/power/contracts' })
    },
  })
  const c = check.data
  const problems = c?.problems ?? []
  const toLine = (line: number | undefined) => {
    const el = area.current
    if (!el || !line) return
    const start = text.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0)
    const end = start + (text.split('\n')[line - 1]?.length ?? 0)
    el.focus()
    el.setSelectionRange(start, end)
    el.scrollTop = Math.max(0, (line - 6) * 19)
  }
  return (
    <div className="contract">
      <Stack gap="sm">
        {!contract && <Select label="Site" data={(sites.data ?? []).map((s) => ({ value: s.name, label: s.title || s.name }))} value={here} onChange={(v) => setSite(v ?? '')} allowDeselect={false} maw={320} size="sm" />}
        {contract && contract.source !== 'page' && contract.source !== 'simulation' && (
          <Alert color="yellow" py={6}>
            This contract comes from {contract.source}. What is changed here holds until the file changes.
          </Alert>
        )}
        <Textarea ref={area} label="Contract" description="YAML. docs/tariff.md lists every kind of part." value={text} onChange={(e) => setText(e.currentTarget.value)} minRows={18} maxRows={34} autosize classNames={{ input: 'yaml' }} spellCheck={false} data-testid="text" error={problems.length > 0 ? `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}` : undefined} />
        <Group gap="xs">
          <Button onClick={() => save.mutate()} loading={save.isPending} disabled={!c?.ok || settled !== text || text === edit.basis?.text}>
            {contract ? 'Save' : 'Add contract'}
          </Button>
          {contract && (
            <Button variant="default" disabled={text === edit.basis?.text} onClick={() => setText(edit.basis?.text ?? contract.text)}>
              Undo changes
            </Button>
          )}
          {contract && (
            <Button variant="subtle" color="red" onClick={() => setDoomed(true)}>
              Remove
            </Button>
          )}
        </Group>
        {edit.says(save.error, save.reset) ?? (save.error && <Trouble what="It was not saved" error={save.error} />)}
        {save.isSuccess && !save.isPending && text === edit.basis?.text && (
          <Text fz="sm" c="dimmed" role="status">
            Saved as text {edit.basis?.revision}.
          </Text>
        )}
      </Stack>
      <Stack gap="sm" data-testid="checked" aria-live="polite">
        {check.error && <Trouble what="The text cannot be checked" error={check.error} again={() => void check.refetch()} />}
        {c && problems.length > 0 && (
          <Alert color="red" title="What has to be mended" data-testid="problems">
            {problems.map((p) => (
              <Text key={`${p.line}.${p.at}.${p.what}`} fz="sm">
                {p.line ? (
                  <Anchor component="button" type="button" fz="sm" onClick={() => toLine(p.line)}>
                    line {p.line}
                  </Anchor>
                ) : null}{' '}
                {p.at && <code>{p.at}</code>} {p.what}
              </Text>
            ))}
          </Alert>
        )}
        {(c?.warnings ?? []).map((w) => (
          <Alert key={w} color="yellow" py={6}>
            {w}
          </Alert>
        ))}
        {c && (c.explained ?? []).length > 0 && problems.length === 0 && (
          <section>
            <h2 className="part">In plain words</h2>
            <div data-testid="explained">
              {c.explained!.map((t) => (
                <Text key={t} fz="sm" mb={4}>
                  {t}
                </Text>
              ))}
            </div>
          </section>
        )}
        {c && problems.length === 0 && (
          <section>
            <h2 className="part">Try it at an instant</h2>
            <Group gap="xs" align="flex-end">
              <TextInput type="datetime-local" label="When" description="On your own clock; empty is now." value={at} onChange={(e) => setAt(e.currentTarget.value)} size="xs" />
              <TextInput label="Load, MW" description="Empty is what the site draws." inputMode="decimal" value={load} onChange={(e) => setLoad(e.currentTarget.value)} size="xs" w={170} />
            </Group>
            {c.price ? (
              <div data-testid="tried">
                <Text fz="sm" my={6}>
                  One more MWh would cost <b>{money(c.price.price_per_mwh, c.currency ?? 'USD')}</b>, {c.price.status}
                  {(c.price.missing ?? []).length > 0 && `; not known: ${c.price.missing!.join(', ')}`}.
                </Text>
                <Breakdown parts={c.price.parts ?? []} currency={c.currency ?? 'USD'} total={c.price.price_per_mwh} />
              </div>
            ) : (
              <Text fz="sm" c="dimmed" mt={6}>
                It is not in force then.
              </Text>
            )}
          </section>
        )}
        {contract && (contract.texts ?? []).length > 1 && (
          <section>
            <h2 className="part">Texts it had</h2>
            {contract.texts!.map((t) => (
              <details key={t.revision} className="explain">
                <summary>
                  Text {t.revision}, {new Date(t.at).toLocaleString()}, by {t.actor}
                </summary>
                <pre className="yaml">{t.text}</pre>
              </details>
            ))}
          </section>
        )}
      </Stack>
      {contract && (
        <Confirm title={`Remove ${contract.name}`} opened={doomed} onClose={() => setDoomed(false)} effects={[{ name: 'Site', value: contract.site }, { name: 'Prices', value: 'the site has no price until another contract is in force' }, { name: 'Kept', value: 'its texts and issued statements' }]} button="Remove" danger busy={remove.isPending} error={remove.error} onConfirm={() => remove.mutate()} />
      )}
    </div>
  )
}

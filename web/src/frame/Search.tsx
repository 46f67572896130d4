import { Modal, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent as ReactKey, useEffect, useMemo, useState } from 'react'
import { ask, type Me, type Schema } from '../api/client'
import { liveNow } from '../api/live'
import { visible } from '../nav'
import { Condition } from '../parts/Condition'
import { typing } from './Keys'
import { useView } from './view'

interface Hit {
  key: string
  kind: string
  title: string
  note: string
  to: string
  condition?: string
  search?: Record<string, string>
}

/** What this page knows of the machines, for as long as the server, which knows
 * more, does not answer. */
function known(words: string): Schema['Hit'][] {
  const all = words.toLowerCase().split(/\s+/)
  const out: Schema['Hit'][] = []
  for (const r of liveNow().rows.values()) {
    const text = [r.name, r.addr, r.make, r.model, r.firmware, r.group, r.place, ...(r.tags ?? [])].join(' ').toLowerCase()
    if (all.every((w) => text.includes(w))) out.push({ kind: 'machine', machine: r.id, name: r.name, note: [r.model, r.addr === r.name ? '' : r.addr, r.place].filter(Boolean).join(' · '), condition: r.condition })
    if (out.length === 40) break
  }
  return out
}

/** Search over everything: pages and machines, from any page, with the key /. */
export function Search({ me, opened, onOpen, onClose }: { me: Me; opened: boolean; onOpen: () => void; onClose: () => void }) {
  const go = useNavigate()
  const { site } = useView()
  const [words, setWords] = useState('')
  const [at, setAt] = useState(0)

  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if ((e.key === '/' && !typing(e)) || (e.key === 'k' && (e.ctrlKey || e.metaKey))) {
        e.preventDefault()
        onOpen()
      }
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [onOpen])

  const [asked] = useDebouncedValue(words.trim(), 120)
  const found = useQuery({
    queryKey: ['search', asked, site],
    queryFn: ({ signal }) => ask<Schema['Hit'][]>('GET', `/search?${new URLSearchParams({ q: asked, limit: '40', ...(site ? { site } : {}) })}`, undefined, signal),
    enabled: opened && asked !== '' && (me.rights ?? []).includes('look'),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })

  const hits = useMemo(() => {
    const w = words.trim().toLowerCase()
    const out: Hit[] = []
    for (const s of visible(me.rights ?? [])) {
      for (const p of s.pages) {
        if (`${s.title} ${p.title} ${p.words ?? ''}`.toLowerCase().includes(w)) out.push({ key: p.to, kind: s.title, title: p.title, note: '', to: p.to })
      }
    }
    if (w) {
      // The server looks through what no list shows, too: MACs, serials, host names.
      for (const h of found.error ? known(w) : (found.data ?? [])) {
        if (h.kind === 'machine') out.push({ key: `m${h.machine}`, kind: 'Machine', title: h.name, note: h.note ?? '', to: `/machines/${h.machine}`, condition: h.condition })
        else out.push({ key: `${h.kind} ${h.name}`, kind: h.kind === 'group' ? 'Group' : 'Tag', title: h.name, note: `${h.machines} machines`, to: '/machines', search: { [h.kind]: h.name } })
      }
    }
    return out
  }, [words, me, found.data, found.error])

  const open = (h?: Hit) => {
    if (!h) return
    onClose()
    setWords('')
    setAt(0)
    void go({ to: h.to, search: h.search as never })
  }
  const key = (e: ReactKey) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault()
      setAt((n) => Math.min(Math.max(n + (e.key === 'ArrowDown' ? 1 : -1), 0), Math.max(hits.length - 1, 0)))
    } else if (e.key === 'Enter') open(hits[at])
  }
  return (
    <Modal opened={opened} onClose={onClose} withCloseButton={false} size="lg" yOffset="8vh" title="Search everything" classNames={{ header: 'hidden' }}>
      <TextInput
        data-autofocus
        size="md"
        placeholder="A machine, an address, a MAC, a group, a page…"
        aria-label="Search everything"
        role="combobox"
        aria-expanded
        aria-controls="hits"
        aria-activedescendant={hits[at] ? `hit-${at}` : undefined}
        value={words}
        onChange={(e) => {
          setWords(e.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={key}
      />
      <div id="hits" role="listbox" aria-label="Found" className="hits">
        {hits.map((h, i) => (
          <UnstyledButton key={h.key} id={`hit-${i}`} role="option" aria-selected={i === at} className={'hit' + (i === at ? ' at' : '')} tabIndex={-1} onClick={() => open(h)} onMouseMove={() => setAt(i)}>
            <Text fz="xs" c="dimmed" w={78}>
              {h.kind}
            </Text>
            <Text fw={500}>{h.title}</Text>
            <Text fz="sm" c="dimmed" truncate flex={1}>
              {h.note}
            </Text>
            {h.condition && <Condition of={h.condition} />}
          </UnstyledButton>
        ))}
        {found.error && words.trim() && (
          <Text c="dimmed" fz="sm" px={8} py={6}>
            The server does not answer: looked through the machines as this page last saw them.
          </Text>
        )}
        {hits.length === 0 && (
          <Text c="dimmed" p="sm">
            {found.isFetching ? 'Looking…' : `Nothing fits “${words}”.`}
          </Text>
        )}
      </div>
    </Modal>
  )
}

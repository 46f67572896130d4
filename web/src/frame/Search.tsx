import { Modal, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent as ReactKey, useEffect, useMemo, useState } from 'react'
import type { Me } from '../api/client'
import { useLive } from '../api/live'
import { visible } from '../nav'
import { Condition } from '../parts/Condition'
import { typing } from './Keys'

interface Hit {
  key: string
  kind: string
  title: string
  note: string
  to: string
  condition?: string
}

/** Search over everything: pages and machines, from any page, with the key /. */
export function Search({ me, opened, onOpen, onClose }: { me: Me; opened: boolean; onOpen: () => void; onClose: () => void }) {
  const go = useNavigate()
  const live = useLive()
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

  const hits = useMemo(() => {
    const w = words.trim().toLowerCase()
    const out: Hit[] = []
    for (const s of visible(me.rights ?? [])) {
      for (const p of s.pages) {
        if (`${s.title} ${p.title} ${p.words ?? ''}`.toLowerCase().includes(w)) out.push({ key: p.to, kind: s.title, title: p.title, note: '', to: p.to })
      }
    }
    if (w) {
      for (const r of live.rows.values()) {
        if (out.length >= 40) break
        if (`${r.name}\n${r.addr}\n${r.make} ${r.model}\n${r.place}\n${r.group}\n#${r.id}`.toLowerCase().includes(w))
          out.push({ key: `m${r.id}`, kind: 'Machine', title: r.name, note: [r.model, r.addr, r.place].filter(Boolean).join(' · '), to: `/machines/${r.id}`, condition: r.condition })
      }
    }
    return out
    // biome-ignore lint: version says that the map changed
  }, [words, me, opened ? live.version : 0])

  const open = (h?: Hit) => {
    if (!h) return
    onClose()
    setWords('')
    setAt(0)
    void go({ to: h.to })
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
        placeholder="A machine, an address, a page…"
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
        {hits.length === 0 && (
          <Text c="dimmed" p="sm">
            Nothing fits “{words}”.
          </Text>
        )}
      </div>
    </Modal>
  )
}

import { Kbd, Modal, Table } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import type { Me } from '../api/client'
import { visible } from '../nav'

/** True while somebody types: single letters are text then. */
export function typing(e: KeyboardEvent): boolean {
  const el = e.target as HTMLElement | null
  return !!el?.closest?.('input, textarea, select, [contenteditable=true]')
}

/** The keys of the whole dashboard: g and a letter leads to a section, ? shows this list. */
export function Keys({ me, opened, onOpen, onClose }: { me: Me; opened: boolean; onOpen: () => void; onClose: () => void }) {
  const go = useNavigate()
  const after = useRef(0)
  const sections = visible(me.rights ?? [])
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (typing(e) || e.ctrlKey || e.metaKey || e.altKey) return
      if (e.key === '?') return onOpen()
      if (e.key === 'g') {
        after.current = Date.now()
        return
      }
      if (Date.now() - after.current > 1500) return
      after.current = 0
      const to = sections.find((s) => s.key === e.key)?.pages[0]?.to
      if (to) {
        e.preventDefault()
        void go({ to })
      }
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  })
  const lines: [string[], string][] = [
    [['/'], 'search everything'],
    [['?'], 'this list'],
    ...sections.map((s): [string[], string] => [['g', s.key], `to ${s.title}`]),
    [['↑', '↓'], 'move in a table'],
    [['Enter'], 'open what is chosen'],
    [['Space'], 'choose a row; with Shift, all between'],
    [['j', 'k'], 'next and previous machine'],
    [['Esc'], 'close'],
  ]
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size="sm">
      <Table>
        <Table.Tbody>
          {lines.map(([keys, what]) => (
            <Table.Tr key={what}>
              <Table.Td>
                {keys.map((k) => (
                  <Kbd key={k} mr={4}>
                    {k}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}

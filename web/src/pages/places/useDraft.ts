import { useBlocker } from '@tanstack/react-router'
import { useCallback, useEffect, useReducer } from 'react'
import type { Layout } from './layout'

/** What the editor edits: all that is saved with a site. */
export interface Draft {
  title: string
  ranges: string[]
  layout: Layout
}

interface State {
  saved: Draft
  now: Draft
  past: { draft: Draft; what: string }[]
  future: { draft: Draft; what: string }[]
}

type Action = { do: 'edit'; what: string; draft: Draft } | { do: 'undo' } | { do: 'redo' } | { do: 'saved'; draft: Draft } | { do: 'open'; draft: Draft }

const most = 200

export function reduce(s: State, a: Action): State {
  switch (a.do) {
    case 'edit': {
      // Typing in one field is one step back.
      const last = s.past.at(-1)
      const past = last && last.what === a.what && a.what.startsWith('type ') ? s.past : [...s.past.slice(-most), { draft: s.now, what: a.what }]
      return { ...s, now: a.draft, past, future: [] }
    }
    case 'undo': {
      const last = s.past.at(-1)
      return last ? { ...s, now: last.draft, past: s.past.slice(0, -1), future: [...s.future, { draft: s.now, what: last.what }] } : s
    }
    case 'redo': {
      const next = s.future.at(-1)
      return next ? { ...s, now: next.draft, future: s.future.slice(0, -1), past: [...s.past, { draft: s.now, what: next.what }] } : s
    }
    case 'saved':
      return { ...s, saved: a.draft, now: a.draft }
    case 'open':
      return { saved: a.draft, now: a.draft, past: [], future: [] }
  }
}

/** A draft with undo and redo, by Ctrl+Z and Ctrl+Shift+Z too, that does not let
 * one leave the page unsaved without asking. */
export function useDraft(first: Draft) {
  const [s, act] = useReducer(reduce, { saved: first, now: first, past: [], future: [] })
  const dirty = s.now !== s.saved && JSON.stringify(s.now) !== JSON.stringify(s.saved)
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== 'z' || (e.target as HTMLElement).closest?.('input, textarea')) return
      e.preventDefault()
      act({ do: e.shiftKey ? 'redo' : 'undo' })
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [])
  const blocker = useBlocker({ shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname, enableBeforeUnload: () => dirty, withResolver: true })
  const change = useCallback((what: string, draft: Draft) => act({ do: 'edit', what, draft }), [])
  return {
    draft: s.now,
    dirty,
    change,
    undo: s.past.length > 0 ? () => act({ do: 'undo' }) : undefined,
    redo: s.future.length > 0 ? () => act({ do: 'redo' }) : undefined,
    undoes: s.past.at(-1)?.what.replace(/^type /, ''),
    redoes: s.future.at(-1)?.what.replace(/^type /, ''),
    saved: (draft: Draft) => act({ do: 'saved', draft }),
    open: (draft: Draft) => act({ do: 'open', draft }),
    blocker,
  }
}

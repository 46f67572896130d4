import { Badge, Loader, SegmentedControl, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import './system.css'

type Entry = Schema['ConfigEntry']

const said = { default: 'default', file: 'file', environment: 'environment', flag: 'flag' } as const
const colour = { default: 'gray', file: 'blue', environment: 'teal', flag: 'cyan' } as const

/** How Ballast is configured: every key, its value, who said so, and what it
 * means. It is changed in the file, by variables or by flags, not here. */
export function SettingsPage() {
  const q = useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => ask<Entry[]>('GET', '/settings', undefined, signal), retry: false })
  const [words, setWords] = useState('')
  const [which, setWhich] = useState('all')
  const find = words.trim().toLowerCase()
  // Of a list's entries only what they say.
  const shown = (q.data ?? []).filter((e) => !(e.key.includes('[') && e.value === '') && (which === 'all' || e.from !== 'default') && (!find || `${e.key}\n${e.doc}\n${e.value}`.toLowerCase().includes(find)))
  const sections: [string, Entry[]][] = []
  for (const e of shown) {
    const name = e.key.split(/[.[]/)[0]!
    if (sections.at(-1)?.[0] !== name) sections.push([name, []])
    sections.at(-1)![1].push(e)
  }
  return (
    <Page title="Settings" note="What is in force since Ballast started. It is read once, at the start: change the file, a variable or a flag, and start Ballast again.">
      {q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The settings cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.data && (
        <>
          <div className="filters">
            <TextInput size="xs" type="search" w={260} placeholder="Key, value or word" aria-label="Search settings" value={words} onChange={(e) => setWords(e.currentTarget.value)} />
            <SegmentedControl size="xs" aria-label="Which settings" value={which} onChange={setWhich} data={[{ value: 'all', label: 'All' }, { value: 'said', label: 'Only those that somebody said' }]} />
          </div>
          {shown.length === 0 && <Empty title="No setting fits">{q.data.length === 0 ? 'This server was started without a configuration.' : 'Search for another word, or show all.'}</Empty>}
          {sections.map(([section, entries]) => (
            <section key={section} className="settings" data-testid={`section-${section}`}>
              <h2>{section}</h2>
              {entries.map((e) => (
                <div className={'setting' + (e.key.includes('[') ? ' entry' : '')} key={e.key} id={e.key}>
                  <div className="what">
                    <code>{e.key}</code>
                    <p hidden={e.key.includes('[') && !e.key.includes('[0]')}>
                      {e.doc}
                      {e.enum && ` One of ${e.enum.join(', ')}.`}
                    </p>
                  </div>
                  <div className="value">
                    <code className={e.from === 'default' ? 'quiet' : ''}>{e.value === '' ? (e.secret ? 'not set' : 'empty') : e.value}</code>
                    {!e.key.includes('[') && <div>
                      <Badge size="sm" variant="light" color={colour[e.from]}>
                        {said[e.from]}
                      </Badge>{' '}
                      <Text span fz="xs" c="dimmed">
                        {e.where}
                        {e.from !== 'default' && !e.key.includes('[') && e.default !== e.value && !e.secret && ` · default ${e.default === '' ? 'empty' : e.default}`}
                      </Text>
                    </div>}
                    <Text fz="xs" c="dimmed" hidden={e.key.includes('[')}>
                      {e.env ? <>overridden by <code>{e.env}</code> or <code>--set {e.key}=…</code></> : 'only in the file'}
                    </Text>
                  </div>
                </div>
              ))}
            </section>
          ))}
        </>
      )}
    </Page>
  )
}

import { Button, Checkbox, Group, Loader, NativeSelect, Popover, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Row } from '../../api/client'
import { useLivePart } from '../../api/live'
import { useView } from '../../frame/view'
import { fixed } from '../../format'
import { conditions, Dot } from '../../parts/Condition'
import { DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Bulk } from './Bulk'
import { allColumns, beside, columnsOf, phone, usual } from './columns'
import { machinesCsv, save } from './csv'
import { useBunches } from './EditDialog'
import { type Choice, choiceKeys, narrows, numericWords } from './filter'
import { SiteMap } from './map/SiteMap'
import { useStructure } from './map/useMap'
import { leaveOrder } from './order'
import type { MachinesSearch } from './routes'
import { Saved } from './Saved'
import { useFitting } from './useFitting'

/** All machines: where they stand, which of them, and what to do with them. */
export function Machines() {
  const search = useSearch({ from: '/frame/machines' })
  const go = useNavigate()
  const view = useView()
  const wide = useMediaQuery('(min-width: 1200px)', true, { getInitialValueInEffect: false })
  const small = useMediaQuery('(max-width: 640px)', false, { getInitialValueInEffect: false })
  const show = search.show ?? (wide ? 'both' : 'table')
  const sort = search.sort ?? 'condition'
  const desc = search.desc ?? false
  const set = useCallback((next: Partial<MachinesSearch>) => void go({ to: '/machines', search: (old) => ({ ...old, ...next }) as never, replace: true }), [go])
  const [words, setWords] = useWords(search.q, set)
  const choice = useMemo(() => ({ ...search, q: words || undefined }), [search, words])
  const { shown, set: fits, errors, total } = useFitting(choice, sort, desc)
  const known = useLivePart((l) => l.site?.machines)
  const [chosen, setChosen] = useState<Set<string | number>>(new Set())

  const list = useRef(shown)
  list.current = shown
  const open = useCallback(
    (id: number) => {
      leaveOrder(list.current.map((r) => r.id))
      void go({ to: '/machines/$id', params: { id: String(id) } })
    },
    [go],
  )
  const openRow = useCallback((r: Row) => open(r.id), [open])
  const columns = useMemo(() => columnsOf(search.columns, small ? phone : show === 'both' ? beside : usual), [search.columns, show, small])
  const byBox = useCallback((ids: number[], add: boolean) => setChosen((old) => new Set(add ? [...old, ...ids] : ids)), [])
  const onSort = useCallback((key: string, d: boolean) => set({ sort: key, desc: d || undefined }), [set])

  // What is chosen and has been retired meanwhile, or lies at another site, is
  // chosen no more.
  const chosenRows = useMemo(() => shown.filter((r) => chosen.has(r.id)), [shown, chosen])
  const narrowed = narrows(choice)

  return (
    <Page
      title="Machines"
      note={
        <span data-testid="count">
          {fixed(shown.length, 0)} of {fixed(total, 0)} machines
        </span>
      }
      actions={
        <>
          <SegmentedControl size="xs" aria-label="Show" value={show} onChange={(v) => set({ show: v as MachinesSearch['show'] })} data={wide ? ['map', 'both', 'table'].map((v) => ({ value: v, label: v[0]!.toUpperCase() + v.slice(1) })) : ['map', 'table'].map((v) => ({ value: v, label: v[0]!.toUpperCase() + v.slice(1) }))} />
          <Columns now={columns.map((c) => c.key)} onChange={(columns) => set({ columns })} />
          <Button size="xs" variant="default" onClick={() => save(`machines-${new Date().toISOString().slice(0, 16).replace(':', '')}.csv`, machinesCsv(shown))}>
            CSV
          </Button>
          <Saved search={{ ...Object.fromEntries(choiceKeys.map((k) => [k, search[k]])), columns: search.columns, metric: search.metric }} onApply={(q) => set({ ...Object.fromEntries(choiceKeys.map((k) => [k, undefined])), ...q })} />
        </>
      }
    >
      <Filters choice={choice} words={words} errors={errors} site={view.site} onWords={setWords} onChange={set} />
      <Bulk chosen={chosenRows} fits={shown.length} onAll={() => setChosen(new Set(fits))} onNone={() => setChosen(new Set())} />
      {known === undefined ? (
        <Group mt="md">
          <Loader size="sm" /> <Text>Waiting for the first picture of the site…</Text>
        </Group>
      ) : known === 0 ? (
        <Empty title="No machines yet">A scan finds them: name the address ranges that hold machines, and they appear here as they answer.</Empty>
      ) : (
        <div className={'mapandtable ' + show}>
          {show !== 'table' && <SiteMap site={view.site} metric={search.metric ?? 'condition'} onMetric={(metric) => set({ metric: metric === 'condition' ? undefined : metric })} fits={narrowed ? fits : undefined} chosen={chosen} onChoose={byBox} onOpen={open} />}
          {show !== 'map' && (
            <div style={{ minWidth: 0 }}>
              {shown.length === 0 ? (
                <Text mt="md">
                  No machine fits.{' '}
                  <Button variant="subtle" size="compact-sm" onClick={() => set(Object.fromEntries(choiceKeys.map((k) => [k, undefined])))}>
                    Show all
                  </Button>
                </Text>
              ) : (
                <DataTable label="Machines" testid="machines" rows={shown} presorted columns={columns} id={rowId} sort={sort} desc={desc} onSort={onSort} onOpen={openRow} chosen={chosen} onChosen={setChosen} rowTitle={trouble} height={show === 'both' ? 'calc(var(--map, 56vh) + 34px)' : undefined} />
              )}
              <Text fz="xs" c="dimmed" mt={6}>
                Arrows move, Enter opens, Space chooses, Shift and Space choose all between.
              </Text>
            </div>
          )}
        </div>
      )}
    </Page>
  )
}

const rowId = (r: Row) => r.id
const trouble = (r: Row) => r.trouble

function Columns({ now, onChange }: { now: string[]; onChange: (keys: string | undefined) => void }) {
  return (
    <Popover position="bottom-end" withinPortal trapFocus>
      <Popover.Target>
        <Button size="xs" variant="default">
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={6}>
          {allColumns.map((c) => (
            <Checkbox
              key={c.key}
              size="xs"
              label={c.title}
              checked={now.includes(c.key)}
              onChange={(e) => {
                const next = e.currentTarget.checked ? [...now, c.key] : now.filter((k) => k !== c.key)
                onChange(next.length > 0 ? next.join(',') : undefined)
              }}
            />
          ))}
          <Button size="compact-xs" variant="subtle" onClick={() => onChange(undefined)}>
            The usual ones
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

/** What is typed counts at once; the address follows a moment later. */
function useWords(q: string | undefined, set: (next: Partial<MachinesSearch>) => void): [string, (words: string) => void] {
  const [words, setWords] = useState(q ?? '')
  const typed = useRef(q ?? '')
  const say = useDebouncedCallback((next: string) => {
    typed.current = next
    set({ q: next || undefined })
  }, 250)
  useEffect(() => {
    if ((q ?? '') !== typed.current) {
      typed.current = q ?? ''
      setWords(q ?? '')
    }
  }, [q])
  return [
    words,
    useCallback(
      (next: string) => {
        setWords(next)
        say(next)
      },
      [say],
    ),
  ]
}

function Filters({ choice, words, errors, site, onWords, onChange }: { choice: Choice; words: string; errors: string[]; site?: string; onWords: (words: string) => void; onChange: (c: Partial<Choice>) => void }) {
  const counts = useLivePart((l) => l.site?.conditions)
  const clear = () => {
    onWords('')
    onChange(Object.fromEntries(choiceKeys.map((k) => [k, undefined])))
  }
  return (
    <search className="filters">
      <TextInput size="xs" className="words" type="search" placeholder="Name, address, model… temp>85  j/th>30" aria-label="Filter machines" aria-describedby="filter-help" value={words} onChange={(e) => onWords(e.currentTarget.value)} error={errors[0]} />
      <span id="filter-help" hidden>
        Words, and conditions such as temp greater than 85. Figures: {numericWords.join(', ')}.
      </span>
      <Selects site={site} place={choice.place} group={choice.group} tag={choice.tag} model={choice.model} firmware={choice.firmware} onChange={onChange} />
      {narrows(choice) && (
        <Button size="compact-sm" variant="subtle" onClick={clear}>
          Clear
        </Button>
      )}
      <div className="conditions" role="group" aria-label="Show only one condition">
        {conditions.map(([c, means]) =>
          counts?.[c] || choice.condition === c ? (
            <Button key={c} size="compact-sm" variant={choice.condition === c ? 'filled' : 'default'} aria-pressed={choice.condition === c} title={means} onClick={() => onChange({ condition: choice.condition === c ? undefined : c })}>
              <Dot of={c} />
              {fixed(counts?.[c] ?? 0, 0)} {c}
            </Button>
          ) : null,
        )}
      </div>
    </search>
  )
}

/** What can be chosen from a list: a site has hundreds of racks, so these are
 * drawn anew only when they change. */
const Selects = memo(function Selects({ site, onChange, ...choice }: { site?: string; onChange: (c: Partial<Choice>) => void } & Pick<Choice, 'place' | 'group' | 'tag' | 'model' | 'firmware'>) {
  const map = useStructure(site)
  const tags = useBunches('tags', site)
  const places = useMemo(() => {
    const out = new Set<string>()
    for (const a of map.data?.areas ?? []) {
      const room = [a.building, a.container].filter(Boolean).join(' / ')
      if (a.building) out.add(a.building)
      if (room) out.add(room)
      for (const r of a.racks ?? []) if (r.name) out.add([room, r.name].filter(Boolean).join(' / '))
    }
    return [...out]
  }, [map.data])
  const pick = (key: keyof typeof choice, label: string, all: string, options: { value: string; label: string }[]) =>
    options.length > 0 || choice[key] ? (
      <NativeSelect size="xs" aria-label={label} value={choice[key] ?? ''} onChange={(e) => onChange({ [key]: e.currentTarget.value || undefined })} data={[{ value: '', label: all }, ...options, ...(choice[key] && !options.some((o) => o.value === choice[key]) ? [{ value: choice[key]!, label: choice[key]! }] : [])]} maw={190} />
    ) : null
  const plain = (names: readonly string[] | null | undefined) => (names ?? []).map((n) => ({ value: n, label: n }))
  return (
    <>
      {pick('place', 'Place', 'Any place', [...(map.data?.unplaced ? [{ value: '-', label: 'Not placed' }] : []), ...plain(places)])}
      {pick('group', 'Group', 'Any group', plain(map.data?.groups))}
      {pick('tag', 'Tag', 'Any tag', plain((tags.data ?? []).map((t) => t.name)))}
      {pick('model', 'Model', 'Any model', plain(map.data?.models))}
      {pick('firmware', 'Firmware', 'Any firmware', plain(map.data?.firmwares))}
    </>
  )
})

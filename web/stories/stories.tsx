import { Button } from '@mantine/core'
import { type ReactNode, useMemo, useState } from 'react'
import { Failed } from '../src/api/client'
import { Icon } from '../src/frame/icons'
import { Age } from '../src/parts/Age'
import { Chart } from '../src/parts/Chart'
import { Condition, conditions } from '../src/parts/Condition'
import { Confirm } from '../src/parts/Confirm'
import { type Column, DataTable } from '../src/parts/DataTable'
import { Decision } from '../src/parts/Decision'
import { Empty } from '../src/parts/Empty'
import { Figure } from '../src/parts/Figure'
import { Notices, notify } from '../src/parts/Notices'
import { Forbidden, Trouble } from '../src/parts/Trouble'
import { Work } from '../src/parts/Work'
import { type Animal, forecast, herd, history, marks } from './data'

const long = 'A text that goes on for longer than anybody wanted, as texts from machines and from people do, with_a_word_that_cannot_be_broken_0123456789abcdef0123456789abcdef and then some more.'

const columns: Column<Animal>[] = [
  { key: 'name', title: 'Machine', width: 'minmax(130px,1.4fr)', show: (r) => r.name, by: (r) => r.name },
  { key: 'condition', title: 'Condition', width: '120px', show: (r) => <Condition of={r.condition} />, by: (r) => r.condition },
  { key: 'place', title: 'Place', width: 'minmax(130px,1fr)', show: (r) => r.place, by: (r) => r.place },
  { key: 'power', title: 'W', width: '90px', num: true, show: (r) => r.power ?? '–', by: (r) => r.power },
  { key: 'hashrate', title: 'TH/s', width: '90px', num: true, show: (r) => r.hashrate?.toFixed(1) ?? '–', by: (r) => r.hashrate },
  { key: 'id', title: 'Number', width: '90px', num: true, off: true, show: (r) => r.id, by: (r) => r.id },
]

function Table({ n, choosable }: { n: number; choosable?: boolean }) {
  const all = useMemo(() => herd(n), [n])
  const [words, setWords] = useState('')
  const [order, setOrder] = useState({ key: 'name', desc: false })
  const [chosen, setChosen] = useState<Set<string | number>>(new Set())
  const rows = useMemo(() => (words ? all.filter((r) => `${r.name} ${r.place} ${r.condition}`.toLowerCase().includes(words)) : all), [all, words])
  return (
    <DataTable
      label={`Machines, ${n}`}
      name={`story-${n}`}
      testid={`table-${n}`}
      rows={rows}
      columns={columns}
      id={(r) => r.id}
      sort={order.key}
      desc={order.desc}
      onSort={(key, desc) => setOrder({ key, desc })}
      chosen={choosable ? chosen : undefined}
      onChosen={choosable ? setChosen : undefined}
      onOpen={() => undefined}
      height="300px"
      empty="No machine fits."
      tools={<input type="search" aria-label={`Filter ${n}`} placeholder="Filter…" value={words} onChange={(e) => setWords(e.currentTarget.value.toLowerCase())} />}
    />
  )
}

function Asks({ danger, loading, error, label }: { danger?: boolean; loading?: boolean; error?: Error; label: string }) {
  const [open, set] = useState(false)
  return (
    <>
      <Button size="xs" onClick={() => set(true)}>
        {label}
      </Button>
      <Confirm
        title="Put 200 machines to sleep?"
        opened={open}
        onClose={() => set(false)}
        onConfirm={() => set(false)}
        button="Put 200 to sleep"
        danger={danger}
        error={error}
        effects={loading ? undefined : [{ name: 'Machines', value: '200 of 212 chosen' }, { name: 'Power', value: '0.72 MW less' }, { name: 'Earns', value: '$1,210 a day less' }, { name: 'Tenants', value: 'none touched' }]}
        warning={danger ? '12 machines cannot sleep: their firmware has no such setting.' : undefined}
      />
    </>
  )
}

const figure = { name: 'Hashrate', value: '20.15', unit: 'PH/s', source: 'Measured: sum of what the machines tell.' }
const at = Date.now()

/** Every part in each of its states. */
export const stories: Record<string, Record<string, () => ReactNode>> = {
  Figure: {
    states: () => (
      <div className="figures">
        <Figure {...figure} note="of 20.22 PH/s expected" />
        <Figure {...figure} name="With its list" to={{ to: '/machines' }} />
        <Figure {...figure} name="Loading" loading />
        <Figure {...figure} name="Stale" stale at={at - 600_000} />
        <Figure {...figure} name="Missing" value="–" note="no machine tells it" />
        <Figure {...figure} name="Huge" value="123,456,789.01" unit="EH/s" />
        <Figure {...figure} name="A name that is far longer than its number" note={long} />
      </div>
    ),
  },
  Chart: {
    'two lines, events, zoom': () => <Chart title="Power" unit="MW" zero marks={marks} onZoom={(a, b) => document.body.setAttribute('data-zoomed', `${a} ${b}`)} data={history({ power: [31, 2], limit: [34, 0.1] })} lines={[{ metric: 'power', label: 'measured' }, { metric: 'limit', label: 'cap' }]} source="Measured by the meter at the grid, each 5 s." />,
    'moves with the one above, not from zero, a hole': () => <Chart title="Temperature" unit="°C" marks={marks} data={history({ t: [71, 3] }, 240, 60, [90, 130])} lines={[{ metric: 't', label: 'hottest chip' }]} />,
    'forecast with bands': () => <Chart title="Price" unit="$/MWh" marks={marks} fan={forecast(42)} data={history({ p: [42, 9] })} lines={[{ metric: 'p', label: 'settled' }]} source="ERCOT HB_WEST, settled; forecast 0.4.1 of 10:00." />,
    'forecast only': () => <Chart title="Price to come" unit="$/MWh" fan={forecast(42)} data={history({})} lines={[]} height={150} />,
    'one point': () => <Chart title="Young" unit="TH/s" zero data={history({ h: [190, 1] }, 1)} lines={[{ metric: 'h', label: 'measured' }]} height={120} />,
    'huge numbers': () => <Chart title="Work" unit="shares" zero data={history({ w: [8_123_456_789, 5e7] })} lines={[{ metric: 'w', label: 'since the start' }]} height={150} />,
    'negative prices': () => <Chart title="Price below zero" unit="$/MWh" zero data={history({ p: [-3, 12] })} lines={[{ metric: 'p', label: 'settled' }]} height={150} />,
    'nothing told: no chart': () => <Chart title="Nothing" unit="W" data={history({ p: [1, 1] }, 10, 60, [0, 10])} lines={[{ metric: 'p', label: 'x' }]} />,
  },
  DataTable: {
    'ten thousand rows, choosable': () => <Table n={10_000} choosable />,
    'a few': () => <Table n={5} />,
    empty: () => <Table n={0} />,
  },
  Decision: {
    'with everything': () => <Decision what="Put 200 machines to sleep in C01" why="The price is above the strike price of $61/MWh until 17:00." bound="feeder F1" value="$1,210 a day" at={at - 300_000} by="dispatch" confirmed={{ done: 180, of: 200 }} outcome="17 under way, 3 refused" overrule={<Button size="compact-xs" variant="default">Overrule</Button>} />,
    'by itself': () => <Decision what="Lost 12 machines in C04" why="They stopped answering together and are silent still." at={at - 5000} by="" />,
    'long text': () => <Decision what={long} why={long} at={at - 86400_000 * 3} by={long} outcome={long} />,
  },
  Trouble: {
    'the server is lost': () => <Trouble what="History cannot be shown" error={new Failed(0, 'Ballast does not answer. It may be restarting; this page tries again by itself.')} again={() => undefined} />,
    'not allowed': () => <Trouble what="People cannot be shown" error={new Failed(403, 'alice may not do this: it takes the right to administer, which the role admin has')} />,
    'own words': () => <Trouble what="The scan stopped" error={new Failed(409, 'a scan is running; wait for its end')} works="What was found so far is kept." todo="Wait for its end." />,
    'long text': () => <Trouble what={long} error={new Error(long)} again={() => undefined} />,
    'a page that is not for you': () => <Forbidden title="People" right="administer" />,
  },
  Empty: {
    'with the next step': () => (
      <Empty title="No machines yet" action={<Button size="xs">Find machines</Button>}>
        Name the address ranges that hold machines.
      </Empty>
    ),
    bare: () => <Empty title="Nothing happened" />,
    'long text': () => <Empty title={long}>{long}</Empty>,
  },
  Confirm: {
    plain: () => <Asks label="Ask" />,
    dangerous: () => <Asks danger label="Ask for something dangerous" />,
    'preview under way': () => <Asks loading label="Ask while the preview loads" />,
    failed: () => <Asks danger error={new Failed(409, 'machine 17 was retired meanwhile')} label="Ask and fail" />,
  },
  Work: {
    'under way': () => <Work what="Scanning 10.20.0.0/16" done={12_345} total={65_536} note="312 machines found" onCancel={() => undefined} />,
    'not known how much': () => <Work what="Reading the file" done={0} total={0} />,
    failed: () => <Work what={long} done={40} total={100} failed="The file ends in the middle of line 41." />,
    done: () => <Work what="Writing the report" done={100} total={100} note="Done" />,
  },
  Condition: {
    all: () => (
      <ul style={{ columns: 2, fontSize: 14 }}>
        {conditions.map(([c, means]) => (
          <li key={c}>
            <Condition of={c} />: {means}
          </li>
        ))}
      </ul>
    ),
  },
  Age: {
    states: () => (
      <div style={{ display: 'flex', gap: 24, flexWrap: 'wrap' }}>
        <Age connected at={at} />
        <Age connected={false} at={at - 125_000} />
        <Age connected={false} at={0} />
      </div>
    ),
  },
  Notices: {
    kinds: () => (
      <>
        <Button size="xs" onClick={() => notify({ kind: 'good', title: '200 machines were told to sleep', text: '180 have confirmed.', action: { label: 'Show', run: () => undefined } })}>
          Good news
        </Button>{' '}
        <Button size="xs" onClick={() => notify({ kind: 'bad', title: 'The layout was not saved', text: long })}>
          Bad news
        </Button>
        <Notices />
      </>
    ),
  },
  Icons: {
    all: () => (
      <div style={{ display: 'flex', gap: 16, flexWrap: 'wrap' }}>
        {['Now', 'Machines', 'Alarms', 'Health', 'Power', 'Money', 'Tenants', 'Places', 'Reports', 'Settings', 'search', 'sun', 'moon', 'person', 'fold', 'unfold', 'close', 'download', 'columns', 'table', 'chart', 'good', 'bad', 'info'].map((n) => (
          <span key={n} style={{ display: 'inline-flex', gap: 6, alignItems: 'center' }}>
            <Icon name={n} /> {n}
          </span>
        ))}
      </div>
    ),
  },
}

import { Button, FileButton, Group, Loader, Select, Text, Textarea } from '@mantine/core'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Forbidden, Trouble } from '../../parts/Trouble'
import { Simulated, Wide } from './parts'
import { change, grouped, share } from './words'

type Row = Schema['PeerRow']

const columns: Column<Row>[] = [
  { key: 'rank', title: 'No.', width: '52px', num: true, show: (r) => r.rank, by: (r) => r.rank },
  { key: 'firm', title: 'Miner', width: 'minmax(120px,1.2fr)', show: (r) => r.firm, by: (r) => r.firm, always: true },
  { key: 'realised', title: 'Realised EH/s', width: '116px', num: true, show: (r) => r.realised_ehs.toFixed(2), by: (r) => r.realised_ehs },
  { key: 'range', title: 'May be', width: '130px', num: true, show: (r) => `${r.low_ehs.toFixed(1)} to ${r.high_ehs.toFixed(1)}` },
  { key: 'share', title: 'Share', width: '84px', num: true, show: (r) => share(r.share, 2), by: (r) => r.share },
  { key: 'rate', title: 'Of installed', width: '100px', num: true, show: (r) => share(r.realisation), by: (r) => r.realisation },
  { key: 'growth', title: 'Growth', width: '88px', num: true, show: (r) => change(r.growth), by: (r) => r.growth },
  { key: 'class', title: 'Size', width: '90px', show: (r) => r.class, by: (r) => r.class },
  { key: 'mined', title: 'BTC mined', width: '100px', num: true, show: (r) => grouped(r.mined_btc, 2), by: (r) => r.mined_btc },
  { key: 'source', title: 'Source', width: 'minmax(140px,1fr)', show: (r) => r.source, by: (r) => r.source },
]

/** Miners of a month by what they really hashed. */
export function PeersPage() {
  const may = useMay('money')
  const [month, setMonth] = useState('')
  const [sort, setSort] = useState<{ key: string; desc: boolean }>({ key: 'rank', desc: false })
  const q = useQuery({ queryKey: ['peers', month], queryFn: ({ signal }) => ask<Schema['PeersBody']>('GET', `/outlook/peers${month ? `?month=${month}` : ''}`, undefined, signal), placeholderData: keepPreviousData, enabled: may })
  if (!may) return <Forbidden title="Peers" right="money" />
  const b = q.data
  const rows = b?.rows ?? []
  return (
    <Page
      title="Peers"
      note="Realised hashrate: the bitcoin that a miner says it mined, over what an EH/s earned in that month. Installed hashrate is not realised hashrate, and growth is not profit."
      actions={(b?.months ?? []).length > 0 && <Select aria-label="Month" size="xs" w={130} data={b?.months ?? []} value={b?.month ?? null} onChange={(v) => setMonth(v ?? '')} allowDeselect={false} />}
    >
      {q.error && <Trouble what="The table cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.isPending && <Loader aria-label="loading" />}
      {b?.simulated && <Simulated what="Difficulty here is a simulated network's: reports of real miners do not fit it, and the table shows only how it works." />}
      {b && rows.length === 0 && (
        <Empty title={(b.months ?? []).length > 0 ? 'No table for this month' : 'No production reports yet'}>
          {(b.months ?? []).length > 0 ? b.why : 'Public miners publish each month how much bitcoin they mined. Enter or import their reports below, and this page ranks them by what they really hashed.'}
        </Empty>
      )}
      {rows.length > 0 && b && (
        <>
          <DataTable label="League table" testid="league" rows={rows} columns={columns} id={(r) => r.firm} sort={sort.key} desc={sort.desc} onSort={(key, desc) => setSort({ key, desc })} rowTitle={(r) => r.firm} />
          <Text fz="xs" c="dimmed" mt={6}>
            Fees of {share(b.fee_share)} of the reward, give or take {share(b.fee_share_off)}; the range also holds rounding and luck.
          </Text>
          <h2 className="part">By size</h2>
          <Wide label="By size">
            <thead>
              <tr>
                <th scope="col">Size</th>
                <th scope="col" className="num">Miners</th>
                <th scope="col" className="num">Realised EH/s</th>
                <th scope="col" className="num">Share of the network</th>
                <th scope="col" className="num">Growth since the month before</th>
              </tr>
            </thead>
            <tbody>
              {(b.classes ?? []).map((c) => (
                <tr key={c.class}>
                  <th scope="row">
                    {c.class} <span className="dim">from {c.from_ehs} EH/s</span>
                  </th>
                  <td className="num">{c.firms}</td>
                  <td className="num">{c.realised_ehs.toFixed(1)}</td>
                  <td className="num">{share(c.share, 2)}</td>
                  <td className="num">{change(c.growth)}</td>
                </tr>
              ))}
            </tbody>
          </Wide>
        </>
      )}
      <Import columns={b?.columns ?? []} />
    </Page>
  )
}

function Import({ columns }: { columns: string[] }) {
  const cache = useQueryClient()
  const [text, setText] = useState('')
  const [seen, setSeen] = useState<Schema['PeerReportsBody']>()
  const [error, setError] = useState<Error>()
  const [done, setDone] = useState(0)
  const send = async (preview: boolean) => {
    setError(undefined)
    setDone(0)
    try {
      const body = await ask<Schema['PeerReportsBody']>('POST', '/outlook/peers/reports', { text, preview })
      setSeen(body)
      if (!preview && (body.errors ?? []).length === 0) {
        setDone((body.entered ?? []).length)
        setText('')
        setSeen(undefined)
        await cache.invalidateQueries({ queryKey: ['peers'] })
      }
    } catch (e) {
      setError(e as Error)
    }
  }
  const wrong = seen?.errors ?? []
  return (
    <section aria-label="Import">
      <h2 className="part">Enter production reports</h2>
      <Textarea
        label="CSV"
        description={`Columns: ${columns.join(', ') || 'firm, month, btc_mined, installed_ehs, luck, source'}. A report of the same miner and month takes the old one's place.`}
        placeholder={'firm,month,btc_mined,installed_ehs,source\nA Miner,2025-09,736,60.4,press release of 2 October'}
        value={text}
        onChange={(e) => {
          setText(e.currentTarget.value)
          setSeen(undefined)
        }}
        autosize
        minRows={4}
        maxRows={14}
        ff="monospace"
      />
      <Group gap="xs" mt={8}>
        <FileButton accept=".csv,text/csv,text/plain" onChange={(f) => f && void f.text().then((t) => (setText(t), setSeen(undefined)))}>
          {(props) => (
            <Button size="xs" variant="default" {...props}>
              From a file
            </Button>
          )}
        </FileButton>
        <Button size="xs" variant="default" disabled={!text.trim()} onClick={() => void send(true)}>
          Check
        </Button>
        <Button size="xs" disabled={!text.trim() || wrong.length > 0} onClick={() => void send(false)}>
          Enter
        </Button>
      </Group>
      <div role="status">
        {done > 0 && <Text fz="sm">{done === 1 ? 'One report was entered.' : `${done} reports were entered.`}</Text>}
        {seen && wrong.length === 0 && <Text fz="sm">{(seen.entered ?? []).length} reports, nothing wrong with them.</Text>}
      </div>
      {error && <Trouble what="They were not taken" error={error} />}
      {wrong.length > 0 && (
        <div role="alert" data-testid="import-errors">
          <Text fz="sm" fw={600}>
            Nothing was entered. {wrong.length === 1 ? 'One line is wrong:' : `${wrong.length} things are wrong:`}
          </Text>
          <ul className="told-errors">
            {wrong.map((w) => (
              <li key={w}>{w}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}

import { Button, Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { NoMoney } from './NoMoney'

type Head = Schema['ContractHead']

const columns: Column<Head>[] = [
  { key: 'name', title: 'Contract', width: 'minmax(160px,1.4fr)', show: (c) => c.name, by: (c) => c.name },
  { key: 'site', title: 'Site', width: 'minmax(110px,1fr)', show: (c) => c.site, by: (c) => c.site },
  { key: 'state', title: 'State', width: '120px', show: (c) => ((c.problems ?? []).length > 0 ? 'cannot be read' : c.in_force ? 'in force' : 'not in force'), by: (c) => String(c.in_force) },
  { key: 'from', title: 'From', width: '104px', show: (c) => c.from, by: (c) => c.from },
  { key: 'to', title: 'To', width: '104px', show: (c) => c.to || 'open', by: (c) => c.to },
  { key: 'kinds', title: 'Parts', width: 'minmax(160px,1.6fr)', show: (c) => (c.kinds ?? []).join(', ') },
  { key: 'revision', title: 'Text', width: '64px', num: true, show: (c) => c.revision, by: (c) => c.revision },
  { key: 'source', title: 'Kept in', width: 'minmax(90px,1fr)', show: (c) => (c.source === 'page' ? 'the dashboard' : c.source) },
]

/** What was signed, and where it holds. */
export function ContractsPage() {
  const view = useView()
  const go = useNavigate()
  const may = useMay('money')
  const [sort, setSort] = useState<{ key: string; desc: boolean }>({ key: 'name', desc: false })
  const q = useQuery({ queryKey: ['contracts', view.site], queryFn: ({ signal }) => ask<Head[]>('GET', `/contracts${view.query ? `?${view.query}` : ''}`, undefined, signal), enabled: may, retry: false })
  const add = (
    <Button component={Link} to="/power/contracts/$id" params={{ id: 'new' } as never} size="xs">
      New contract
    </Button>
  )
  return (
    <Page title="Electricity contracts" note="What each site pays by. Every text that a contract had is kept." actions={may && (q.data ?? []).length > 0 && add}>
      {!may && <NoMoney what="Contracts" />}
      {may && q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The contracts cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.data && q.data.length === 0 && (
        <Empty title="No contract is kept yet" action={add}>
          A contract is text: parts that each make lines on the monthly statement. The editor begins with an example, says what is wrong and what the contract charges in plain words.
        </Empty>
      )}
      {q.data && q.data.length > 0 && (
        <DataTable label="Contracts" testid="contracts" rows={q.data} columns={columns} id={(c) => c.id} sort={sort.key} desc={sort.desc} onSort={(key, desc) => setSort({ key, desc })} onOpen={(c) => void go({ to: '/power/contracts/$id', params: { id: String(c.id) } as never })} />
      )}
    </Page>
  )
}

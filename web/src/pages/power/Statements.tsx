import { Badge, Button, Group, Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { useView } from '../../frame/view'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Trouble } from '../../parts/Trouble'
import { NoMoney } from './NoMoney'
import { Sure } from './parts'
import { amount, decimal, longMonth } from './words'

type Head = Schema['PriceHead']

const columns: Column<Head>[] = [
  { key: 'month', title: 'Month', width: 'minmax(130px,1fr)', show: (h) => longMonth(h.month), by: (h) => h.month },
  {
    key: 'state',
    title: 'State',
    width: 'minmax(130px,1fr)',
    show: (h) => (
      <Badge size="sm" variant="light" tt="none" color={h.id ? 'teal' : h.running ? 'grape' : 'orange'}>
        {h.id ? 'issued' : h.running ? 'running, projected' : 'to be issued'}
      </Badge>
    ),
    csv: (h) => (h.id ? 'issued' : h.running ? 'running' : 'to be issued'),
  },
  { key: 'total', title: 'Total', width: '120px', num: true, show: (h) => (h.total ? amount(h.total) : 'open it') },
  { key: 'mwh', title: 'MWh', width: '110px', num: true, show: (h) => decimal(h.metered_mwh, 1) },
  { key: 'status', title: 'How sure', width: '110px', show: (h) => (h.status ? <Sure status={h.status} /> : '') },
  { key: 'contract', title: 'Contract', width: 'minmax(140px,1.2fr)', show: (h) => h.contract_name },
  { key: 'issued', title: 'Issued', width: 'minmax(140px,1fr)', show: (h) => (h.issued_at ? `${new Date(h.issued_at).toLocaleDateString()}, ${h.issued_by}` : '') },
]

/** The months of a site, as they were settled. */
export function StatementsPage() {
  const view = useView()
  const go = useNavigate()
  const may = useMay('money')
  const q = useQuery({ queryKey: ['statements', view.site], queryFn: ({ signal }) => ask<Schema['StatementsBody']>('GET', `/statements${view.query ? `?${view.query}` : ''}`, undefined, signal), enabled: may, retry: false })
  const rows = q.data?.months ?? []
  return (
    <Page
      title="Electricity statements"
      note={q.data && `${q.data.site}: what each month came to, line by line. Issued ones do not change; corrections come on later ones.`}
      actions={
        may && (
          <Group gap="xs">
            <Button size="xs" variant="default" component={Link} to="/power/meter">
              Utility meter
            </Button>
            <Button size="xs" variant="default" component={Link} to="/power/awards">
              Day-ahead awards
            </Button>
          </Group>
        )
      }
    >
      {!may && <NoMoney what="Statements" />}
      {may && q.isPending && <Loader aria-label="loading" />}
      {q.error && <Trouble what="The statements cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.data && rows.length === 0 && (
        <Empty title="No month can be settled yet">A statement takes a contract in force and a power meter, or machines that tell what they draw. The running month shows as soon as there is both.</Empty>
      )}
      {rows.length > 0 && <DataTable label="Statements" testid="statements" rows={rows} columns={columns} id={(h) => h.month} presorted sort="month" desc onOpen={(h) => void go({ to: '/power/statements/$month', params: { month: h.month } as never })} rowTitle={(h) => longMonth(h.month)} />}
    </Page>
  )
}

import { Button, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Waiting, Whose } from './parts'
import { day, units } from './words'

type Row = Schema['FacilityRow']

const columns: Column<Row>[] = [
  { key: 'name', title: 'Facility', width: 'minmax(180px,1.6fr)', show: (r) => r.name || r.id, by: (r) => r.name || r.id },
  { key: 'balance', title: 'Owed today', width: '130px', num: true, show: (r) => r.balance.text, by: (r) => units(r.balance), csv: (r) => units(r.balance) },
  { key: 'next', title: 'Next due', width: '110px', show: (r) => day(r.next_due), by: (r) => r.next_due },
  { key: 'cash', title: 'Next payment', width: '120px', num: true, show: (r) => r.next_cash.text, by: (r) => units(r.next_cash), csv: (r) => units(r.next_cash) },
  { key: 'rate', title: 'Rate', width: 'minmax(90px,1fr)', show: (r) => r.rate, by: (r) => r.rate },
  { key: 'maturity', title: 'Matures', width: '110px', show: (r) => day(r.maturity), by: (r) => r.maturity },
  { key: 'lender', title: 'Lender', width: 'minmax(110px,1fr)', show: (r) => r.lender, by: (r) => r.lender },
  { key: 'kind', title: 'Kind', width: 'minmax(130px,1fr)', show: (r) => r.kind, by: (r) => r.kind },
  { key: 'purpose', title: 'For', width: '76px', show: (r) => (r.purpose === 'ai' ? 'AI' : r.purpose), by: (r) => r.purpose },
  { key: 'principal', title: 'Principal', width: '130px', num: true, show: (r) => r.principal.text, by: (r) => units(r.principal), csv: (r) => units(r.principal) },
  { key: 'year', title: 'Due in a year', width: '130px', num: true, show: (r) => r.due_in_a_year.text, by: (r) => units(r.due_in_a_year), csv: (r) => units(r.due_in_a_year) },
  { key: 'state', title: 'State', width: '110px', show: (r) => (r.trouble ? 'no schedule' : r.short.minor > 0 ? 'arrears' : 'in order'), by: (r) => (r.trouble ? 0 : r.short.minor > 0 ? 1 : 2) },
  { key: 'recourse', title: 'Recourse', width: '86px', off: true, show: (r) => r.recourse, by: (r) => r.recourse },
  { key: 'collateral', title: 'Secured by', width: 'minmax(120px,1fr)', off: true, show: (r) => r.collateral ?? '', by: (r) => r.collateral },
]

/** The register of facilities. */
export function RegisterPage() {
  const go = useNavigate()
  const [sort, setSort] = useState<[string, boolean]>(['balance', true])
  const q = useQuery({ queryKey: ['debt', 'register'], queryFn: ({ signal }) => ask<Schema['Register']>('GET', '/debt/facilities', undefined, signal), placeholderData: keepPreviousData, retry: false })
  const d = q.data
  const rows = d?.facilities ?? []
  return (
    <Page
      title="Register"
      note={d && rows.length > 0 ? `${rows.length} ${rows.length === 1 ? 'facility' : 'facilities'}, ${d.total.text} owed today` : 'Every contract of debt, with its schedule to the cent.'}
      actions={
        <>
          <Button size="xs" component={Link} to="/money/register/new">
            New facility
          </Button>
          <Button size="xs" variant="default" component={Link} to="/money/import">
            Import
          </Button>
        </>
      }
    >
      <div className="debt">
        <Waiting pending={q.isPending} error={d ? null : q.error} what="The register cannot be shown" again={() => void q.refetch()} />
        {d && <Whose of={d} />}
        {d && rows.length === 0 && (
          <Empty
            title="No facility is entered yet"
            action={
              <Button variant="default" component="a" href="/api/v1/debt/templates/facilities.xlsx" download>
                Template (.xlsx)
              </Button>
            }
          >
            <Text fz="sm">Enter one by hand, or fill in the template and import it: loans on machines, credit on bitcoin, convertibles, equipment credit, leases, hosting prepayments, companies of their own.</Text>
          </Empty>
        )}
        {rows.length > 0 && (
          <DataTable name="facilities" label="Facilities" testid="facilities" rows={rows} columns={columns} id={(r) => r.id} sort={sort[0]} desc={sort[1]} onSort={(k, x) => setSort([k, x])} onOpen={(r) => void go({ to: '/money/register/$id', params: { id: r.id } as never })} rowTitle={(r) => r.trouble} />
        )}
      </div>
    </Page>
  )
}

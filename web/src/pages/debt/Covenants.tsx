import { Button, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ask, type Schema } from '../../api/client'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { CovenantTable, Waiting, Whose } from './parts'
import { states } from './words'

/** Every covenant with its headroom in money, in the price of a bitcoin, in
 * hashprice and in days. */
export function CovenantsPage() {
  const q = useQuery({ queryKey: ['debt', 'covenants'], queryFn: ({ signal }) => ask<Schema['DebtCovenants']>('GET', '/debt/covenants', undefined, signal), placeholderData: keepPreviousData, refetchInterval: 60_000, retry: false })
  const d = q.data
  const rows = d?.covenants ?? []
  return (
    <Page
      title="Covenants"
      note="Declared rules with their headroom: in money, in the price of a bitcoin and in hashprice at which they break, and in days on the path of the terms."
      actions={
        <Button size="xs" variant="default" component={Link} to="/money/import" search={{ kind: 'covenants' } as never}>
          Import covenants
        </Button>
      }
    >
      <div className="debt">
        <Waiting pending={q.isPending} error={d ? null : q.error} what="The covenants cannot be shown" again={() => void q.refetch()} />
        {d && <Whose of={d} />}
        {d && rows.length === 0 && (
          <Empty title="No covenant is entered" action={<Button component="a" href="/api/v1/debt/templates/covenants.xlsx" download variant="default">Template (.xlsx)</Button>}>
            A covenant is a metric that must stay at least or at most at a limit: DSCR, interest cover, loan to value, liquidity, runway, leverage. It belongs to a facility; enter it there, or import a file.
          </Empty>
        )}
        {rows.length > 0 && (
          <>
            <p className="said">
              {(['breached', 'near', 'holds', 'not known'] as const)
                .map((s) => [s, rows.filter((c) => c.state === s).length] as const)
                .filter(([, n]) => n > 0)
                .map(([s, n]) => `${n} ${states[s].word}`)
                .join(', ')}
              . Near is within a quarter of the limit.
            </p>
            <CovenantTable rows={[...rows].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))} />
            <Text fz="sm" c="dimmed" mt="md" maw={900}>
              Bitcoin at breach: hashprice, coins and (by their elasticity) machines move with the price, difficulty stays. Hashprice at breach: difficulty moves at today's price. After a breach both say where it is mended. Days: rolled forward for {d!.horizon_days} days; what falls due is paid and coins are kept.
            </Text>
          </>
        )}
      </div>
    </Page>
  )
}

const order = ['breached', 'near', 'holds', 'not known']

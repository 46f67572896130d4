import { Empty } from '../../parts/Empty'

/** Shown to those who may look and not see money. */
export function NoMoney({ what }: { what: string }) {
  return <Empty title={`${what} take the right to see money`}>The roles finance and admin have it. Prices and forecasts are open to everybody who may look at a site.</Empty>
}

import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const price = createRoute({ getParentRoute: () => frame, path: '/power', component: lazyRouteComponent(() => import('./Price'), 'PricePage') })
const accuracy = createRoute({ getParentRoute: () => frame, path: '/power/accuracy', component: lazyRouteComponent(() => import('./Accuracy'), 'AccuracyPage') })
const feeds = createRoute({ getParentRoute: () => frame, path: '/power/feeds', component: lazyRouteComponent(() => import('./Feeds'), 'FeedsPage') })
const contracts = createRoute({ getParentRoute: () => frame, path: '/power/contracts', component: lazyRouteComponent(() => import('./Contracts'), 'ContractsPage') })
const contract = createRoute({ getParentRoute: () => frame, path: '/power/contracts/$id', component: lazyRouteComponent(() => import('./Contract'), 'ContractPage') })
const statements = createRoute({ getParentRoute: () => frame, path: '/power/statements', component: lazyRouteComponent(() => import('./Statements'), 'StatementsPage') })
const statement = createRoute({ getParentRoute: () => frame, path: '/power/statements/$month', component: lazyRouteComponent(() => import('./Statement'), 'StatementPage') })
const meterData = createRoute({ getParentRoute: () => frame, path: '/power/meter', component: lazyRouteComponent(() => import('./MeterData'), 'MeterDataPage') })
const awards = createRoute({ getParentRoute: () => frame, path: '/power/awards', component: lazyRouteComponent(() => import('./Awards'), 'AwardsPage') })

export const powerRoutes = [price, accuracy, feeds, contracts, contract, statements, statement, meterData, awards] as const

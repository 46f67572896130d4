import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const position = createRoute({ getParentRoute: () => frame, path: '/money', component: lazyRouteComponent(() => import('./Position'), 'PositionPage') })
const register = createRoute({ getParentRoute: () => frame, path: '/money/register', component: lazyRouteComponent(() => import('./Register'), 'RegisterPage') })
const facility = createRoute({ getParentRoute: () => frame, path: '/money/register/$id', component: lazyRouteComponent(() => import('./Facility'), 'FacilityPage') })
const imports = createRoute({ getParentRoute: () => frame, path: '/money/import', component: lazyRouteComponent(() => import('./Import'), 'ImportPage') })
const covenants = createRoute({ getParentRoute: () => frame, path: '/money/covenants', component: lazyRouteComponent(() => import('./Covenants'), 'CovenantsPage') })
const cash = createRoute({ getParentRoute: () => frame, path: '/money/cash', component: lazyRouteComponent(() => import('./Cash'), 'CashPage') })
const hashcost = createRoute({ getParentRoute: () => frame, path: '/money/hashcost', component: lazyRouteComponent(() => import('./Hashcost'), 'HashcostPage') })
const terms = createRoute({ getParentRoute: () => frame, path: '/money/terms', component: lazyRouteComponent(() => import('./Terms'), 'TermsPage') })

export const debtRoutes = [position, register, facility, imports, covenants, cash, hashcost, terms] as const

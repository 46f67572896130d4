import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const number = (v: unknown) => (typeof v === 'number' && Number.isInteger(v) && v > 0 ? v : undefined)

const sites = createRoute({ getParentRoute: () => frame, path: '/places/sites', component: lazyRouteComponent(() => import('./Sites'), 'Sites') })
const site = createRoute({ getParentRoute: () => frame, path: '/places/sites/$name', component: lazyRouteComponent(() => import('./Editor'), 'Editor') })
const discovery = createRoute({
  getParentRoute: () => frame,
  path: '/places/discovery',
  component: lazyRouteComponent(() => import('./Discovery'), 'Discovery'),
  validateSearch: (s: Record<string, unknown>): { scan?: number } => ({ scan: number(s.scan) }),
})
const pools = createRoute({ getParentRoute: () => frame, path: '/pools', component: lazyRouteComponent(() => import('./Pools'), 'Pools') })
const passwords = createRoute({ getParentRoute: () => frame, path: '/settings/passwords', component: lazyRouteComponent(() => import('./Passwords'), 'Passwords') })

export const placesRoutes = [sites, site, discovery, pools, passwords] as const

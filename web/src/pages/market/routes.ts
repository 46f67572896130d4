import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const market = createRoute({
  getParentRoute: () => frame,
  path: '/money/market',
  component: lazyRouteComponent(() => import('./Market'), 'MarketPage'),
})

export const marketRoutes = [market] as const

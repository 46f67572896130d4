import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const machine = createRoute({
  getParentRoute: () => frame,
  path: '/machines/$id',
  component: lazyRouteComponent(() => import('./Machine'), 'MachinePage'),
})

export const machineRoutes = [machine] as const

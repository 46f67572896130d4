import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const outlook = createRoute({ getParentRoute: () => frame, path: '/money/outlook', component: lazyRouteComponent(() => import('./Outlook'), 'OutlookPage') })
const stress = createRoute({ getParentRoute: () => frame, path: '/money/stress', component: lazyRouteComponent(() => import('./Stress'), 'StressPage') })
const peers = createRoute({ getParentRoute: () => frame, path: '/money/peers', component: lazyRouteComponent(() => import('./Peers'), 'PeersPage') })
const claims = createRoute({ getParentRoute: () => frame, path: '/money/claims', component: lazyRouteComponent(() => import('./Claims'), 'ClaimsPage') })

export const outlookRoutes = [outlook, stress, peers, claims] as const

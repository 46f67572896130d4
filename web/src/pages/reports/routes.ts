import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const days = createRoute({
  getParentRoute: () => frame,
  path: '/reports',
  component: lazyRouteComponent(() => import('./Days'), 'DaysPage'),
})

const daily = createRoute({
  getParentRoute: () => frame,
  path: '/reports/daily/$date',
  component: lazyRouteComponent(() => import('./Daily'), 'DailyPage'),
})

const mail = createRoute({
  getParentRoute: () => frame,
  path: '/reports/mail',
  component: lazyRouteComponent(() => import('./Mail'), 'MailPage'),
})

export const reportRoutes = [days, daily, mail] as const

import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

export interface AlarmsSearch {
  tab?: 'history'
  severity?: 'minor' | 'major' | 'critical'
}

const alarms = createRoute({
  getParentRoute: () => frame,
  path: '/alarms',
  component: lazyRouteComponent(() => import('./Alarms'), 'AlarmsPage'),
  validateSearch: (s: Record<string, unknown>): AlarmsSearch => ({
    tab: s.tab === 'history' ? 'history' : undefined,
    severity: s.severity === 'minor' || s.severity === 'major' || s.severity === 'critical' ? s.severity : undefined,
  }),
})

const quiet = createRoute({ getParentRoute: () => frame, path: '/alarms/quiet', component: lazyRouteComponent(() => import('./Quiet'), 'QuietPage') })
const alarm = createRoute({ getParentRoute: () => frame, path: '/alarms/$id', component: lazyRouteComponent(() => import('./Alarm'), 'AlarmPage') })
const rules = createRoute({ getParentRoute: () => frame, path: '/settings/alarm-rules', component: lazyRouteComponent(() => import('./Rules'), 'RulesPage') })
const notifications = createRoute({ getParentRoute: () => frame, path: '/settings/notifications', component: lazyRouteComponent(() => import('./Notifications'), 'NotificationsPage') })

export const alarmsRoutes = [alarms, quiet, alarm, rules, notifications] as const

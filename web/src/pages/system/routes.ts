import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const settings = createRoute({
  getParentRoute: () => frame,
  path: '/settings',
  component: lazyRouteComponent(() => import('./Settings'), 'SettingsPage'),
})

const system = createRoute({
  getParentRoute: () => frame,
  path: '/settings/system',
  component: lazyRouteComponent(() => import('./System'), 'SystemPage'),
})

export const systemRoutes = [settings, system] as const

import { createRouter } from '@tanstack/react-router'
import { alarmsRoutes } from './pages/alarms/routes'
import { machineRoutes } from './pages/machines/routes'
import { nowRoutes } from './pages/now/routes'
import { frame, root, setUp, signIn } from './routes'

export const router = createRouter({
  routeTree: root.addChildren([frame.addChildren([...nowRoutes, ...machineRoutes, ...alarmsRoutes]), signIn, setUp]),
  scrollRestoration: true,
  defaultPreload: 'intent',
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

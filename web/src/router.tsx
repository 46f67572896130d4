import { createRouter } from '@tanstack/react-router'
import { alarmsRoutes } from './pages/alarms/routes'
import { debtRoutes } from './pages/debt/routes'
import { machineRoutes } from './pages/machines/routes'
import { marketRoutes } from './pages/market/routes'
import { nowRoutes } from './pages/now/routes'
import { outlookRoutes } from './pages/outlook/routes'
import { placesRoutes } from './pages/places/routes'
import { powerRoutes } from './pages/power/routes'
import { reportRoutes } from './pages/reports/routes'
import { settingsRoutes } from './pages/settings/routes'
import { systemRoutes } from './pages/system/routes'
import { Broken } from './parts/Trouble'
import { frame, root, setUp, signIn } from './routes'

export const router = createRouter({
  routeTree: root.addChildren([frame.addChildren([...nowRoutes, ...machineRoutes, ...reportRoutes, ...systemRoutes, ...settingsRoutes, ...placesRoutes, ...alarmsRoutes, ...debtRoutes, ...marketRoutes, ...outlookRoutes, ...powerRoutes]), signIn, setUp]),
  scrollRestoration: true,
  defaultPreload: 'intent',
  defaultErrorComponent: Broken,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

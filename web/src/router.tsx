import { createRouter } from '@tanstack/react-router'
import { machineRoutes } from './pages/machines/routes'
import { nowRoutes } from './pages/now/routes'
import { placesRoutes } from './pages/places/routes'
import { frame, root, setUp, signIn } from './routes'

export const router = createRouter({
  routeTree: root.addChildren([frame.addChildren([...nowRoutes, ...machineRoutes, ...placesRoutes]), signIn, setUp]),
  scrollRestoration: true,
  defaultPreload: 'intent',
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

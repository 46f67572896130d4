import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router'
import { Frame } from './Frame'
import { MachinePage } from './pages/Machine'
import { Now } from './pages/Now'
import { SetUp } from './pages/SetUp'
import { SignIn } from './pages/SignIn'
import { NotFound } from './parts/Trouble'

const root = createRootRoute({ notFoundComponent: NotFound })

// Pages behind sign-in live under the frame, which asks who is there.
const frame = createRoute({ getParentRoute: () => root, id: 'frame', component: Frame })

export interface NowSearch {
  condition?: string
  search?: string
  sort?: string
  desc?: boolean
}

const now = createRoute({
  getParentRoute: () => frame,
  path: '/',
  component: Now,
  validateSearch: (s: Record<string, unknown>): NowSearch => ({
    condition: typeof s.condition === 'string' ? s.condition : undefined,
    search: typeof s.search === 'string' || typeof s.search === 'number' ? String(s.search) : undefined,
    sort: typeof s.sort === 'string' ? s.sort : undefined,
    desc: s.desc === true ? true : undefined,
  }),
})

const machine = createRoute({
  getParentRoute: () => frame,
  path: '/machines/$id',
  component: MachinePage,
  validateSearch: (s: Record<string, unknown>): { hours?: number } => ({ hours: typeof s.hours === 'number' && s.hours > 0 ? s.hours : undefined }),
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignIn,
  // Only a path of our own: a link must not send people elsewhere after sign-in.
  validateSearch: (s: Record<string, unknown>): { to?: string } => ({ to: typeof s.to === 'string' && /^\/(?![/\\])/.test(s.to) ? s.to : undefined }),
})
const setUp = createRoute({ getParentRoute: () => root, path: '/setup', component: SetUp })

export const router = createRouter({ routeTree: root.addChildren([frame.addChildren([now, machine]), signIn, setUp]), scrollRestoration: true })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

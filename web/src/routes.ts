import { createRootRoute, createRoute, retainSearchParams } from '@tanstack/react-router'
import { Frame } from './frame/Frame'
import { ownPath } from './frame/path'
import { SetUp } from './frame/SetUp'
import { SignIn } from './frame/SignIn'
import { readView } from './frame/view'
import { NotFound } from './parts/Trouble'

// The two routes that everything hangs on. Each area of the product lists its
// pages in pages/<area>/routes.ts and is joined in router.tsx; nav.ts says where
// they stand in the navigation.
export const root = createRootRoute({ notFoundComponent: NotFound })

/** Pages behind sign-in live under the frame, which asks who is there and keeps
 * the site and the time range: they stay in the address from page to page. */
export const frame = createRoute({
  getParentRoute: () => root,
  id: 'frame',
  component: Frame,
  notFoundComponent: NotFound,
  validateSearch: readView,
  search: { middlewares: [retainSearchParams(['site', 'range', 'from', 'to'])] },
})

export const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignIn,
  // Only a path of our own: a link must not send people elsewhere after sign-in.
  validateSearch: (s: Record<string, unknown>): { to?: string; expired?: boolean; problem?: string } => ({ to: ownPath(s.to), expired: s.expired === true || undefined, problem: typeof s.problem === 'string' && s.problem ? s.problem : undefined }),
})

export const setUp = createRoute({ getParentRoute: () => root, path: '/setup', component: SetUp })

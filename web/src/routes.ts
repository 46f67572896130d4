import { createRootRoute, createRoute, retainSearchParams } from '@tanstack/react-router'
import { Frame } from './frame/Frame'
import { ownPath } from './frame/path'
import { SetUp } from './frame/SetUp'
import { SignIn } from './frame/SignIn'
import { ranges, type View } from './frame/view'
import { NotFound } from './parts/Trouble'

// The two routes that everything hangs on. Each area of the product lists its
// pages in pages/<area>/routes.ts and is joined in router.tsx; nav.ts says where
// they stand in the navigation.
export const root = createRootRoute({ notFoundComponent: NotFound })

const text = (v: unknown) => (typeof v === 'string' && v !== '' ? v : undefined)

/** Pages behind sign-in live under the frame, which asks who is there and keeps
 * the site and the time range: they stay in the address from page to page. */
export const frame = createRoute({
  getParentRoute: () => root,
  id: 'frame',
  component: Frame,
  notFoundComponent: NotFound,
  validateSearch: (s: Record<string, unknown>): View => ({ site: text(s.site), range: ranges.some((r) => r.value === s.range) ? (s.range as View['range']) : undefined }),
  search: { middlewares: [retainSearchParams(['site', 'range'])] },
})

export const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignIn,
  // Only a path of our own: a link must not send people elsewhere after sign-in.
  validateSearch: (s: Record<string, unknown>): { to?: string; problem?: string } => ({ to: ownPath(s.to), problem: text(s.problem) }),
})

export const setUp = createRoute({ getParentRoute: () => root, path: '/setup', component: SetUp })

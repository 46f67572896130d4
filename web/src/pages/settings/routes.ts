import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'

const text = (v: unknown) => (typeof v === 'string' && v !== '' ? v : undefined)

const account = createRoute({
  getParentRoute: () => frame,
  path: '/settings/account',
  component: lazyRouteComponent(() => import('./Account'), 'AccountPage'),
  validateSearch: (s: Record<string, unknown>): { problem?: string } => ({ problem: text(s.problem) }),
})

const people = createRoute({
  getParentRoute: () => frame,
  path: '/settings/people',
  component: lazyRouteComponent(() => import('./People'), 'PeoplePage'),
})

const keys = createRoute({
  getParentRoute: () => frame,
  path: '/settings/keys',
  component: lazyRouteComponent(() => import('./Keys'), 'KeysPage'),
  validateSearch: (s: Record<string, unknown>): { of?: 'everybody' } => ({ of: s.of === 'everybody' ? 'everybody' : undefined }),
})

const audit = createRoute({
  getParentRoute: () => frame,
  path: '/settings/audit',
  component: lazyRouteComponent(() => import('./Audit'), 'AuditPage'),
  validateSearch: (s: Record<string, unknown>): { actor?: string; action?: string; subject?: string; since?: string; until?: string } => ({
    actor: text(s.actor),
    action: text(s.action),
    subject: text(s.subject),
    since: text(s.since),
    until: text(s.until),
  }),
})

export const settingsRoutes = [account, people, keys, audit] as const

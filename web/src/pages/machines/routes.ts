import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frame } from '../../routes'
import type { Choice } from './filter'

/** What the page of machines keeps in its address. */
export interface MachinesSearch extends Choice {
  sort?: string
  desc?: boolean
  columns?: string
  metric?: string
  show?: 'map' | 'both' | 'table'
}

const text = (v: unknown) => (typeof v === 'string' && v !== '' ? v : typeof v === 'number' ? String(v) : undefined)

const machines = createRoute({
  getParentRoute: () => frame,
  path: '/machines',
  component: lazyRouteComponent(() => import('./Machines'), 'Machines'),
  validateSearch: (s: Record<string, unknown>): MachinesSearch => ({
    q: text(s.q),
    condition: text(s.condition),
    group: text(s.group),
    tag: text(s.tag),
    model: text(s.model),
    firmware: text(s.firmware),
    place: text(s.place),
    sort: text(s.sort),
    desc: s.desc === true ? true : undefined,
    columns: text(s.columns),
    metric: text(s.metric),
    show: s.show === 'map' || s.show === 'both' || s.show === 'table' ? s.show : undefined,
  }),
})

const machine = createRoute({
  getParentRoute: () => frame,
  path: '/machines/$id',
  component: lazyRouteComponent(() => import('./Machine'), 'MachinePage'),
})

const groups = createRoute({
  getParentRoute: () => frame,
  path: '/groups',
  component: lazyRouteComponent(() => import('./Groups'), 'Groups'),
})

const commands = createRoute({
  getParentRoute: () => frame,
  path: '/commands',
  component: lazyRouteComponent(() => import('./Commands'), 'Commands'),
  validateSearch: (s: Record<string, unknown>): { list?: 'single'; state?: string; kind?: string; by?: string; machine?: string } => ({ list: s.list === 'single' ? 'single' : undefined, state: text(s.state), kind: text(s.kind), by: text(s.by), machine: text(s.machine) }),
})

const batch = createRoute({
  getParentRoute: () => frame,
  path: '/commands/$id',
  component: lazyRouteComponent(() => import('./Batch'), 'BatchPage'),
})

const command = createRoute({
  getParentRoute: () => frame,
  path: '/commands/one/$id',
  component: lazyRouteComponent(() => import('./Command'), 'CommandPage'),
})

export const machineRoutes = [machines, machine, groups, commands, batch, command] as const

import { createRoute } from '@tanstack/react-router'
import { frame } from '../../routes'
import { Now } from './Now'

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

export const nowRoutes = [now] as const

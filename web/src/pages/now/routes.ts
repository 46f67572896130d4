import { createRoute } from '@tanstack/react-router'
import { frame } from '../../routes'
import { Now } from './Now'

const now = createRoute({ getParentRoute: () => frame, path: '/', component: Now })

export const nowRoutes = [now] as const

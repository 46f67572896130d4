import '@mantine/core/styles.css'
import 'uplot/dist/uPlot.min.css'
import '../src/style.css'
import { MantineProvider } from '@mantine/core'
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { theme, variables } from '../src/theme'
import { stories } from './stories'

// ?story=Chart shows one part; without it, all.
const only = new URLSearchParams(location.search).get('story')

function Stories() {
  return (
    <main className="page">
      <h1 style={{ fontSize: 20 }}>{only ?? 'Parts of Ballast'}</h1>
      {Object.entries(stories)
        .filter(([name]) => !only || name === only)
        .map(([name, states]) => (
          <section key={name} aria-label={name} data-story={name}>
            {!only && <h2 className="part">{name}</h2>}
            {Object.entries(states).map(([state, show]) => (
              <div key={state} data-state={state} style={{ margin: '0 0 24px' }}>
                <p style={{ fontSize: 12, color: 'var(--dim)', margin: '0 0 6px', borderBottom: '1px solid var(--line)' }}>{state}</p>
                {show()}
              </div>
            ))}
          </section>
        ))}
    </main>
  )
}

// Parts lead elsewhere by links, which need a router: every address shows this page.
const router = createRouter({ routeTree: createRootRoute({ component: Stories, notFoundComponent: Stories }), history: createMemoryHistory({ initialEntries: ['/'] }) })

createRoot(document.getElementById('root')!).render(
  <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
    <RouterProvider router={router as never} />
  </MantineProvider>,
)

import '@mantine/core/styles.css'
import 'uplot/dist/uPlot.min.css'
import './style.css'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Failed } from './api/client'
import { router } from './router'
import { theme, variables } from './theme'

const queries = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 5_000, retry: (n, error) => n < 2 && !(error instanceof Failed && error.status < 500) },
  },
})

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)

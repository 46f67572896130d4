import { createTheme } from '@mantine/core'

// One type scale, one spacing scale, tabular figures everywhere numbers stand.
export const theme = createTheme({
  primaryColor: 'blue',
  fontFamily: 'ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", monospace',
  defaultRadius: 'sm',
  respectReducedMotion: true,
})

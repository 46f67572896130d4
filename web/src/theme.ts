import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core'

// One type scale (12, 13, 14, 16, 20, 26), one spacing scale (4, 8, 12, 16, 24,
// 32). Shades are chosen so that text on them passes WCAG AA (4.5:1) in both
// schemes; the browser tests check every page with axe.
const harbour: MantineColorsTuple = ['#eef5fb', '#dcebf7', '#b9d6ee', '#8fbce2', '#64a1d6', '#3f88c9', '#2a73b4', '#1f629e', '#18538a', '#103d68']

/** Dark is not black: a blue-grey that tires less at 3 a.m. From text to page. */
const night: MantineColorsTuple = ['#dde3e9', '#c3ccd5', '#a3aeb9', '#7d8995', '#3a444e', '#303941', '#252d34', '#161b20', '#11161a', '#0b0f12']

/** White reads on its shade 7. */
const red: MantineColorsTuple = ['#fff5f5', '#ffe3e3', '#ffc9c9', '#ffa8a8', '#ff8787', '#fa5252', '#e03131', '#c92a2a', '#b02525', '#8f1d1d']

export const theme = createTheme({
  primaryColor: 'harbour',
  primaryShade: { light: 7, dark: 7 },
  autoContrast: true,
  luminanceThreshold: 0.22,
  colors: { harbour, blue: harbour, dark: night, red },
  black: '#1a2027',
  fontFamily: 'ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '20px', lineHeight: '1.3' }, h2: { fontSize: '16px', lineHeight: '1.35' }, h3: { fontSize: '14px', lineHeight: '1.4' } } },
  defaultRadius: 'sm',
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    Badge: { styles: { root: { textTransform: 'none', fontWeight: 500 } } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } }, styles: { title: { fontSize: '16px', fontWeight: 600 } } },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    // A focusable placeholder is no child that a menu may have.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    // What scrolls sideways can be reached by key.
    TableScrollContainer: { defaultProps: { scrollAreaProps: { viewportProps: { tabIndex: 0 } } } },
    Alert: { defaultProps: { variant: 'light' } },
  },
})

/** Inks of the tinted boxes and texts that Mantine leaves below 4.5:1 in light. */
const inks: Record<string, string> = { red: '#9b1c1c', pink: '#9c1c55', orange: '#7d3100', yellow: '#664700', lime: '#3d5a00', green: '#1c5c2b', teal: '#075e47', cyan: '#0b5868' }
const readable = Object.fromEntries(Object.entries(inks).flatMap(([name, ink]) => ['text', 'light-color', 'outline'].map((k) => [`--mantine-color-${name}-${k}`, ink])))

/** Grounds of tinted boxes in the dark, calmer than Mantine's. */
const grounds: Record<string, string> = { red: '#351b1e', pink: '#331b29', orange: '#352312', yellow: '#302811', lime: '#232a12', green: '#15291c', teal: '#102c27', cyan: '#11292f', harbour: '#15293c', blue: '#15293c', gray: '#252d34' }
const calm = Object.fromEntries(Object.entries(grounds).map(([name, ground]) => [`--mantine-color-${name}-light`, ground]))

/** What Mantine's own variables leave too pale to read. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...readable,
    '--mantine-color-dimmed': '#56616c',
    '--mantine-color-placeholder': '#616c77',
    '--mantine-color-default-border': '#d9dfe5',
    '--mantine-color-default-hover': '#f1f4f7',
    '--mantine-color-error': '#b42318',
    '--mantine-color-anchor': '#18538a',
  },
  dark: {
    ...calm,
    '--mantine-color-dimmed': '#a3aeb9',
    '--mantine-color-placeholder': '#98a3ae',
    '--mantine-color-default-border': '#323b44',
    '--mantine-color-default-hover': '#20272e',
    '--mantine-color-error': '#ff8a80',
    '--mantine-color-anchor': '#8fbce2',
  },
})

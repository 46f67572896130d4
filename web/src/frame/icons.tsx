import type { ReactNode } from 'react'

// Drawn by ourselves on a grid of 20: strokes of one width, no fills.
const paths: Record<string, ReactNode> = {
  Now: <path d="M2 10h4l2-6 4 12 2-6h4" />,
  Machines: <path d="M3 3h14v5H3zM3 12h14v5H3zM6 5.5h.01M6 14.5h.01M9 5.5h5M9 14.5h5" />,
  Alarms: <path d="M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13zM8.5 17.5h3" />,
  Health: <path d="M10 17S3 12.6 3 7.6A3.6 3.6 0 0 1 10 6a3.6 3.6 0 0 1 7 1.6C17 12.6 10 17 10 17zM6 10h2l1.2-2.2L11 12l1-2h2" />,
  Power: <path d="M11 2 4 11.5h5L8 18l8-10h-5.5z" />,
  Money: <path d="M10 3v14M4 6h12M4 6l-2 5a2.4 2.4 0 0 0 4 0zM16 6l-2 5a2.4 2.4 0 0 0 4 0zM7 17h6" />,
  Tenants: <path d="M7 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM1.5 17a5.5 5.5 0 0 1 11 0M13 3.4a3 3 0 0 1 0 5.3M15 12a5.5 5.5 0 0 1 3.5 5" />,
  Places: <path d="M10 18s6-5.3 6-10A6 6 0 0 0 4 8c0 4.7 6 10 6 10zM10 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z" />,
  Reports: <path d="M5 2h7l4 4v12H5zM12 2v4h4M8 10h5M8 13h5" />,
  Settings: <path d="M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4" />,
  Other: <path d="M4 4h12v12H4z" />,
  search: <path d="M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.5 13.5 18 18" />,
  sun: <path d="M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6 16 16M16 4l-1.4 1.4M5.4 14.6 4 16" />,
  moon: <path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z" />,
  person: <path d="M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3.5 17.5a6.5 6.5 0 0 1 13 0" />,
  fold: <path d="m12 5-5 5 5 5M17 5l-5 5 5 5" />,
  unfold: <path d="m8 5 5 5-5 5M3 5l5 5-5 5" />,
  close: <path d="m5 5 10 10M15 5 5 15" />,
  download: <path d="M10 3v9M6 9l4 4 4-4M3 17h14" />,
  columns: <path d="M3 4h14v12H3zM8 4v12M13 4v12" />,
  table: <path d="M3 4h14v12H3zM3 8h14M3 12h14M9 4v12" />,
  chart: <path d="M3 3v14h14M6 13l3-4 3 2 4-6" />,
  good: <path d="m4 10.5 4 4 8-9" />,
  bad: <path d="M10 3 1.8 17h16.4zM10 8v4M10 14.6h.01" />,
  info: <path d="M10 18a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM10 9v5M10 6h.01" />,
}

/** A small drawing of one of the names above; it says nothing by itself, the
 * word stands beside it or in the label of its button. */
export function Icon({ name }: { name: string }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden focusable="false">
      {paths[name] ?? paths.Other}
    </svg>
  )
}

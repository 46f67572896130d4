/** How urgent, in a word, a colour and a shape of its own: none carries it alone. */
export const severities = ['critical', 'major', 'minor', 'info'] as const

export const urgency: Record<string, string> = { critical: 'now', major: 'today', minor: 'in the morning', info: 'worth knowing' }

export function Severity({ of, quiet }: { of: string; quiet?: boolean }) {
  return (
    <span className={`severity ${of}${quiet ? ' quiet' : ''}`} title={`${of}: ${urgency[of] ?? ''}`}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        {of === 'critical' && <rect x="0.5" y="0.5" width="11" height="11" />}
        {of === 'major' && <path d="M6 0 12 11.5H0Z" />}
        {of === 'minor' && <circle cx="6" cy="6" r="5.5" />}
        {of === 'info' && <circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" strokeWidth="2" />}
      </svg>
      {of}
    </span>
  )
}

import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useLive } from '../../api/live'
import { span } from '../../format'
import { where } from './api'
import { Severity } from './Severity'

/** The open alarms, compact, from the live stream: for the Now page. The most
 * urgent first; those that somebody took on or silenced come last and faded. */
export function OpenAlarms({ most = 5 }: { most?: number }) {
  const live = useLive()
  const alarms = live.alarms
  if (!alarms) return null
  const loud = alarms.open.filter((a) => !a.acked_at && !a.quiet && a.severity !== 'info')
  const rest = alarms.open.length + alarms.more - loud.length
  const shown = loud.slice(0, most)
  return (
    <section aria-label="Open alarms" className="open-alarms" data-testid="open-alarms">
      {shown.length === 0 ? (
        <Text fz="sm" c="dimmed">
          No alarm needs anybody.
          {rest > 0 && (
            <>
              {' '}
              <Anchor component={Link} to="/alarms" fz="sm">
                {rest} taken on, silenced or for information
              </Anchor>
            </>
          )}
        </Text>
      ) : (
        <>
          <ul>
            {shown.map((a) => (
              <li key={a.id}>
                <Severity of={a.severity} />
                <Link to="/alarms/$id" params={{ id: String(a.id) }} title={`${a.means} ${a.safe}`}>
                  {a.title}
                </Link>
                <span className="alarm-age" title={where(a)}>
                  {span(live.at / 1000 - a.since)}
                </span>
              </li>
            ))}
          </ul>
          {(loud.length > shown.length || rest > 0) && (
            <Anchor component={Link} to="/alarms" fz="sm">
              {loud.length > shown.length ? `${loud.length - shown.length} more` : ''}
              {loud.length > shown.length && rest > 0 ? ', ' : ''}
              {rest > 0 ? `${rest} taken on, silenced or for information` : ''}
            </Anchor>
          )}
        </>
      )}
    </section>
  )
}

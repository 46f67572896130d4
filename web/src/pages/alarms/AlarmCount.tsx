import { Link } from '@tanstack/react-router'
import { useLive } from '../../api/live'
import { severities } from './Severity'

/** How many open alarms nobody took on, in the colour of the worst, for the
 * header. Nothing when there is nothing. */
export function AlarmCount() {
  const counts = useLive().alarms?.counts
  const n = counts ? counts.critical + counts.major + counts.minor : 0
  if (!counts || n === 0) return null
  const worst = severities.find((s) => counts[s] > 0)!
  return (
    <Link to="/alarms" className={`alarm-count ${worst}`} data-testid="alarm-count" aria-label={`${n} open alarms, the worst ${worst}`}>
      {n}
      <span className="wide"> {n === 1 ? 'alarm' : 'alarms'}</span>
    </Link>
  )
}

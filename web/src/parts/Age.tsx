import { useEffect, useState } from 'react'
import { span } from '../format'

/** The clock, for ages: renders again every so often. */
export function useNow(every = 1000): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const t = window.setInterval(() => setNow(Date.now()), every)
    return () => window.clearInterval(t)
  }, [every])
  return now
}

/** Says how fresh the page is: live, or old and since when. */
export function Age({ connected, at }: { connected: boolean; at: number }) {
  const now = useNow()
  if (!at)
    return (
      <span className="age wait">
        connecting…
      </span>
    )
  if (connected)
    return (
      <span className="age" title="Numbers on this page change by themselves, each second">
        ● live
      </span>
    )
  return (
    <span className="age lost">
      ■ <span className="phone-hide">no connection; this is </span>
      {span((now - at) / 1000)} old
    </span>
  )
}

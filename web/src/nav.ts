import type { Right } from './api/client'

/** A page in the navigation: where it is and what it takes to see it. */
export interface NavPage {
  title: string
  to: string
  right?: Right
  /** Words that the search finds it by, beside its title. */
  words?: string
}

/** A step of the loop. `key` is the letter after g that leads there. */
export interface Section {
  title: string
  key: string
  pages: NavPage[]
}

/** The map of the product, in the order of the loop. A section shows once it
 * has pages that the one who is signed in may see. */
export const sections: Section[] = [
  {
    title: 'Now',
    key: 'n',
    pages: [
      { title: 'Now', to: '/', right: 'look', words: 'overview totals site' },
      { title: 'Alarms', to: '/alarms', right: 'look', words: 'alerts incidents acknowledge history' },
      { title: 'Daily reports', to: '/reports', right: 'look', words: 'report uptime energy losses pdf csv month week' },
      { title: 'Silences and maintenance', to: '/alarms/quiet', right: 'look', words: 'mute silence window' },
    ],
  },
  {
    title: 'Machines',
    key: 'm',
    pages: [
      { title: 'Machines', to: '/machines', right: 'look', words: 'map table fleet miners racks bulk' },
      { title: 'Groups and tags', to: '/groups', right: 'look', words: 'group tag' },
      { title: 'Pools', to: '/pools', right: 'look', words: 'stratum worker account reject stale' },
      { title: 'Commands', to: '/commands', right: 'look', words: 'batches actions sleep wake power' },
    ],
  },
  { title: 'Health', key: 'h', pages: [] },
  {
    title: 'Power',
    key: 'p',
    pages: [
      { title: 'Price', to: '/power', right: 'look', words: 'electricity tariff forecast fan spike coincident peak market MWh' },
      { title: 'Forecast accuracy', to: '/power/accuracy', right: 'look', words: 'scoreboard naive champion model coverage' },
      { title: 'Market feeds', to: '/power/feeds', right: 'look', words: 'ercot caiso entsoe prices stale gaps' },
      { title: 'Statements', to: '/power/statements', right: 'money', words: 'bill invoice month electricity pdf csv issue' },
      { title: 'Utility meter', to: '/power/meter', right: 'money', words: 'interval data green button import csv utility revenue meter compare' },
      { title: 'Day-ahead awards', to: '/power/awards', right: 'money', words: 'two-settlement award bid day-ahead import' },
      { title: 'Contracts', to: '/power/contracts', right: 'money', words: 'tariff ppa demand charge yaml' },
    ],
  },
  {
    title: 'Money',
    key: 'o',
    pages: [
      { title: 'Position', to: '/money', right: 'money', words: 'debt ratio hashrate dscr runway liquidity board pack' },
      { title: 'Register', to: '/money/register', right: 'money', words: 'facilities loans notes schedule lender import' },
      { title: 'Covenants', to: '/money/covenants', right: 'money', words: 'headroom breach ltv cover' },
      { title: 'Cash', to: '/money/cash', right: 'money', words: 'thirteen weeks 13 forecast runway balances flows' },
      { title: 'Hashcost', to: '/money/hashcost', right: 'money', words: 'waterfall sensitivity heat map break-even' },
      { title: 'Terms', to: '/money/terms', right: 'money', words: 'assumptions power price market by hand machine prices rates' },
      { title: 'Market', to: '/money/market', right: 'look', words: 'price bitcoin hashprice difficulty retarget halving fees sources' },
      { title: 'Outlook', to: '/money/outlook', right: 'money', words: 'ratio probability default levers scenario forecast fan' },
      { title: 'Stress', to: '/money/stress', right: 'money', words: 'shock policy treasury hedge cascade monte carlo' },
      { title: 'Peers', to: '/money/peers', right: 'money', words: 'league table realised hashrate production reports import' },
      { title: 'Claims', to: '/money/claims', right: 'money', words: 'article press 25 billion 1.8 1.5 arithmetic' },
    ],
  },
  { title: 'Tenants', key: 't', pages: [] },
  {
    title: 'Places',
    key: 'l',
    pages: [
      { title: 'Sites', to: '/places/sites', right: 'look', words: 'layout container rack slot feeder pdu import csv foreman' },
      { title: 'Discovery', to: '/places/discovery', right: 'look', words: 'scan ranges find machines network' },
    ],
  },
  {
    title: 'Settings',
    key: 's',
    pages: [
      { title: 'Your account', to: '/settings/account', words: 'password passkey session name profile' },
      { title: 'People', to: '/settings/people', right: 'administer', words: 'users accounts invite roles grants admin' },
      { title: 'API keys', to: '/settings/keys', words: 'token program grafana' },
      { title: 'Audit', to: '/settings/audit', right: 'administer', words: 'log history who did what verify anchor chain' },
      { title: 'Firmware passwords', to: '/settings/passwords', right: 'configure', words: 'credentials unlock locked login' },
      { title: 'Alarm rules', to: '/settings/alarm-rules', right: 'look', words: 'thresholds levels alerts' },
      { title: 'Notifications', to: '/settings/notifications', right: 'configure', words: 'receivers escalation email slack telegram pagerduty webhook on call' },
      { title: 'Settings', to: '/settings', right: 'administer', words: 'configuration keys environment file' },
      { title: 'System health', to: '/settings/system', right: 'administer', words: 'ballast itself disk memory polls errors log support bundle version' },
      { title: 'Reports by e-mail', to: '/reports/mail', right: 'configure', words: 'schedule recipients smtp' },
    ],
  },
]

/** Sections with the pages that these rights open. */
export function visible(rights: readonly Right[]): Section[] {
  return sections.map((s) => ({ ...s, pages: s.pages.filter((p) => !p.right || rights.includes(p.right)) })).filter((s) => s.pages.length > 0)
}

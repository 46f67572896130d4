import { Menu } from '@mantine/core'
import { Link, useLocation, useNavigate } from '@tanstack/react-router'
import type { Me } from '../api/client'
import { type Section, visible } from '../nav'
import { Icon } from './icons'
import { whereIs } from './place'

/** The steps of the loop with their pages. Folded, only the icons stay. */
export function Rail({ me, folded, onFold }: { me: Me; folded?: boolean; onFold?: () => void }) {
  const path = useLocation({ select: (l) => l.pathname })
  const sections = visible(me.rights ?? [])
  const here = whereIs(path, sections)
  return (
    <>
      {sections.map((s) =>
        folded ? (
          <Folded key={s.title} section={s} here={here} />
        ) : (
          <section key={s.title} aria-label={s.title}>
            {s.pages.length > 1 && (
              <h2>
                <Icon name={s.title} />
                {s.title}
              </h2>
            )}
            {s.pages.map((p) => (
              <Link key={p.to} to={p.to} className={here.page === p ? 'here' : undefined} aria-current={here.page === p ? (path === p.to ? 'page' : 'true') : undefined} data-page>
                {s.pages.length === 1 && <Icon name={s.title} />}
                {p.title}
              </Link>
            ))}
          </section>
        ),
      )}
      {onFold && (
        <button type="button" className="fold" onClick={onFold} aria-expanded={!folded} aria-label={folded ? 'Unfold the navigation' : 'Fold the navigation'} title={folded ? 'Unfold the navigation' : undefined}>
          <Icon name={folded ? 'unfold' : 'fold'} />
          {!folded && 'Fold'}
        </button>
      )}
    </>
  )
}

function Folded({ section: s, here }: { section: Section; here: ReturnType<typeof whereIs> }) {
  const go = useNavigate()
  const is = here.section === s
  if (s.pages.length === 1)
    return (
      <section aria-label={s.title}>
        <Link to={s.pages[0]!.to} className={is ? 'here' : undefined} aria-label={s.title} title={s.title} aria-current={is ? 'page' : undefined}>
          <Icon name={s.title} />
        </Link>
      </section>
    )
  return (
    <section aria-label={s.title}>
      <Menu position="right-start" withinPortal>
        <Menu.Target>
          <button type="button" className={'group' + (is ? ' here' : '')} aria-label={s.title} title={s.title}>
            <Icon name={s.title} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{s.title}</Menu.Label>
          {s.pages.map((p) => (
            <Menu.Item key={p.to} onClick={() => void go({ to: p.to })} aria-current={here.page === p ? 'page' : undefined} fw={here.page === p ? 600 : undefined}>
              {p.title}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </section>
  )
}

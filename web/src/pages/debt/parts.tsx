import './debt.css'
import { Alert, Loader, Popover, Stack, Text, UnstyledButton } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { span } from '../../format'
import { Figure as Shown } from '../../parts/Figure'
import { Trouble } from '../../parts/Trouble'
import { type Company, type Figure, type Input, states, type Covenant } from './words'

/** Says of every page whose figures they are, when they are made up; and what
 * the reader must know first. */
export function Whose({ of }: { of: Company }) {
  return (
    <>
      {of.example && (
        <Alert color="orange" mb="sm" role="note" data-testid="example">
          <Text fz="sm">
            <b>{of.name}</b> {of.example}
          </Text>
        </Alert>
      )}
      {(of.remarks ?? []).length > 0 && (
        <Alert color="yellow" mb="sm" data-testid="remarks" title="Before you read the figures">
          <Stack gap={2}>
            {of.remarks!.map((r) => (
              <Text key={r} fz="sm">
                {r}
              </Text>
            ))}
          </Stack>
        </Alert>
      )}
    </>
  )
}

/** What a page shows while it waits, or when it failed. */
export function Waiting({ pending, error, what, again }: { pending: boolean; error: Error | null; what: string; again: () => void }) {
  if (pending) return <Loader aria-label="loading" />
  return error ? <Trouble what={what} error={error} again={again} /> : null
}

const age = (at?: string) => {
  const t = at ? Date.parse(at) : 0
  return t > 0 ? `${span((Date.now() - t) / 1000)} old` : ''
}

/** How a figure is reckoned, from what, from where, how old. */
export function Provenance({ f }: { f: Figure }) {
  return (
    <div className="provenance">
      {f.missing && <p className="lack">It cannot be had: {f.missing}.</p>}
      {f.formula && (
        <p>
          <b>Formula</b> {f.formula}
        </p>
      )}
      {f.with && (
        <p>
          <b>With the numbers</b> {f.with}
        </p>
      )}
      {(f.lines ?? []).map((l) => (
        <p key={l.at}>
          <b>{l.at}</b> {l.claim}
        </p>
      ))}
      {(f.inputs ?? []).length > 0 && <Inputs all={f.inputs!} />}
    </div>
  )
}

/** Inputs, each with where it is from and how old it is. */
export function Inputs({ all }: { all: Input[] }) {
  return (
    <ul className="inputs">
      {all.map((i) => (
        <li key={i.name + i.text}>
          <span className="what">
            {i.name} <b>{i.text}</b>
          </span>
          <span className="from">
            <i>{i.source.how}</i> {i.source.what}
            {i.source.at && ` · ${age(i.source.at)}`}
          </span>
        </li>
      ))}
    </ul>
  )
}

/** A figure of the position, with everything behind it. */
export function Sourced({ f, name, to }: { f: Figure; name?: string; to?: string }) {
  return <Shown name={name ?? f.name} value={f.text} unit={f.text === '–' || f.text === '∞' ? undefined : f.unit || undefined} note={f.missing || f.note} source={<Provenance f={f} />} wide to={to ? { to } : undefined} />
}

/** A figure inside a table or a sentence, that opens. */
export function Opens({ f, children, label }: { f: Figure; children?: ReactNode; label?: string }) {
  const [open, setOpen] = useState(false)
  const shown = f.unit && f.text !== '–' && !children ? `${f.text} ${f.unit}` : f.text
  return (
    <Popover width={420} position="bottom-end" withArrow shadow="md" withinPortal opened={open} onChange={setOpen}>
      <Popover.Target>
        <UnstyledButton className="opens" aria-label={`${label ?? f.name}, ${shown}: where it comes from`} onClick={() => setOpen(!open)} onKeyDown={(e) => e.key === 'Escape' && setOpen(false)}>
          {children ?? shown}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown maw="92vw">
        <Text fz="sm" component="div">
          <b>{f.name}</b>
          <Provenance f={f} />
        </Text>
      </Popover.Dropdown>
    </Popover>
  )
}

/** Where a covenant stands, as shape and word. */
export function State({ of }: { of: Covenant['state'] }) {
  const s = states[of]
  return (
    <span className="covenant-state" style={{ color: s.colour }}>
      <span aria-hidden>{s.mark}</span> {s.word}
    </span>
  )
}

/** Covenants with their headroom, one a line; each number opens. */
export function CovenantTable({ rows, brief }: { rows: Covenant[]; brief?: boolean }) {
  const part = (c: Covenant, p: string) => (c.figures ?? []).find((f) => f.key.endsWith('/' + p))
  const cell = (c: Covenant, p: string) => {
    const f = part(c, p)
    return f ? <Opens f={f} label={`${f.name} of ${c.id}`} /> : '–'
  }
  return (
    <div className="gridtable" tabIndex={0} role="region" aria-label="Covenants">
      <table data-testid="covenants">
        <thead>
          <tr>
            <th>State</th>
            <th>Covenant</th>
            <th className="num">Now</th>
            <th className="num">Headroom</th>
            <th className="num">Bitcoin at breach</th>
            <th className="num">Hashprice at breach</th>
            <th className="num">Days to breach</th>
            {!brief && <th className="num">Cure</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((c) => (
            <tr key={c.facility + c.id}>
              <td>
                <State of={c.state} />
              </td>
              <td className="rule">
                {c.rule}
                <div className="sub">
                  <Link to="/money/register/$id" params={{ id: c.facility } as never} className="link">
                    {c.facility}
                  </Link>
                  {c.clause && `, ${c.clause}`}
                </div>
              </td>
              <td className="num">
                <Opens f={c.reading} label={`${c.rule}, now`} />
              </td>
              <td className="num">{cell(c, 'headroom')}</td>
              <td className="num">{cell(c, 'price')}</td>
              <td className="num">{cell(c, 'hashprice')}</td>
              <td className="num">{cell(c, 'days')}</td>
              {!brief && <td className="num">{c.cure_days ? `${c.cure_days} days` : '–'}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

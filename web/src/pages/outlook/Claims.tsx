import { Loader, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { ask, type Schema } from '../../api/client'
import { useMay } from '../../frame/me'
import { Page } from '../../parts/Page'
import { Forbidden, Trouble } from '../../parts/Trouble'
import { Wide } from './parts'
import { digits } from './words'

const meaning: Record<string, string> = {
  coherent: 'the figures fit together, which is not the same as true',
  'not coherent': 'it contradicts itself or what is on record',
  'not sourced': 'no source was found, or sources say otherwise',
  'not defined': 'it means different things to different readers',
  'not checked': 'the data to check it with is not here',
}
const ink: Record<string, string> = { coherent: 'var(--mantine-color-text)', 'not coherent': 'var(--ink-bad)' }

/** The press article's figures, one by one: what holds, what does not, what
 * nobody could source. */
export function ClaimsPage() {
  const may = useMay('money')
  const q = useQuery({ queryKey: ['claims'], queryFn: ({ signal }) => ask<Schema['ClaimsBody']>('GET', '/outlook/claims', undefined, signal), enabled: may })
  if (!may) return <Forbidden title="Claims" right="money" />
  const rows = q.data?.rows ?? []
  const count = (v: string) => rows.filter((r) => r.verdict === v).length
  return (
    <Page title="Claims" note="The figures of the press article on hashrate debt, each held against what can be reckoned or sourced. Its lines at 1.8 and 1.5 are the article's, not Ballast's.">
      {q.error && <Trouble what="The claims cannot be shown" error={q.error} again={() => void q.refetch()} />}
      {q.isPending && <Loader aria-label="loading" />}
      {rows.length > 0 && (
        <>
          <Text fz="sm" my="sm" data-testid="verdicts">
            {Object.keys(meaning)
              .filter((v) => count(v) > 0)
              .map((v) => (
                <span key={v} style={{ display: 'block' }}>
                  <b>
                    {count(v)} {v}
                  </b>
                  : {meaning[v]}
                </span>
              ))}
          </Text>
          <Wide label="Claims" testid="claims">
            <thead>
              <tr>
                <th scope="col">The claim</th>
                <th scope="col">Verdict</th>
                <th scope="col">Its arithmetic, and why</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((r) => (
                <tr key={r.no}>
                  <th scope="row" className="say">
                    {r.no}. {r.figure}
                  </th>
                  <td className="verdict" style={{ color: ink[r.verdict] }}>
                    {r.verdict}
                  </td>
                  <td className="say">
                    {r.formula && (
                      <div>
                        {r.formula} = <b>{digits(r.result !== undefined && Math.abs(r.result) >= 1000 ? Math.round(r.result) : Number(r.result?.toPrecision(3)))}</b> {r.unit}
                      </div>
                    )}
                    <div className={r.formula ? 'dim' : undefined}>{r.note}</div>
                  </td>
                </tr>
              ))}
            </tbody>
          </Wide>
          <h2 className="part">What they are held against</h2>
          <Wide label="Sourced figures">
            <thead>
              <tr>
                <th scope="col">Figure</th>
                <th scope="col" className="num">Value</th>
                <th scope="col">As of</th>
                <th scope="col">Kind</th>
                <th scope="col">Source</th>
              </tr>
            </thead>
            <tbody>
              {(q.data?.inputs ?? []).map((i) => (
                <tr key={i.name}>
                  <th scope="row" className="say">{i.name}</th>
                  <td className="num">
                    {digits(i.value)} {i.unit}
                  </td>
                  <td>{i.as_of}</td>
                  <td>{i.kind}</td>
                  <td className="say">{i.source}</td>
                </tr>
              ))}
            </tbody>
          </Wide>
        </>
      )}
    </Page>
  )
}

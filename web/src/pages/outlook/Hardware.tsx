import { Button, NumberInput, Text } from '@mantine/core'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Trouble } from '../../parts/Trouble'
import { Wide } from './parts'
import { times } from './words'

type Option = Schema['HardwareOption']

const first: Option[] = [
  { name: 'keep running as it is', usd_per_th: 0, j_per_th: 30, life_days: 365, uptime: 0.85 },
  { name: 'repair', usd_per_th: 1.5, j_per_th: 30, life_days: 700, uptime: 0.95 },
  { name: 'replace by new machines', usd_per_th: 16, j_per_th: 15, life_days: 1460, uptime: 0.96 },
]

/** New machines against repair, per TH/s: payback, and what the right to hash is
 * worth. */
export function Hardware({ power }: { power: number }) {
  const [options, setOptions] = useState(first)
  const [price, setPrice] = useState<number | string>(power)
  const [drift, setDrift] = useState<number | string>(-30)
  const [got, setGot] = useState<Schema['WeighBody']>()
  const [error, setError] = useState<Error>()
  const set = (i: number, o: Partial<Option>) => setOptions(options.map((x, k) => (k === i ? { ...x, ...o } : x)))
  const weigh = async () => {
    setError(undefined)
    try {
      setGot(await ask<Schema['WeighBody']>('POST', '/outlook/hardware', { options, power_usd_mwh: Number(price), drift: Math.log1p(Number(drift) / 100) }))
    } catch (e) {
      setError(e as Error)
    }
  }
  const cell = (i: number, key: 'usd_per_th' | 'j_per_th' | 'life_days', title: string) => (
    <td className="num">
      <input
        type="number"
        min={0}
        step="any"
        aria-label={`${options[i]!.name}: ${title}`}
        style={{ width: 76, textAlign: 'right', font: 'inherit', padding: '3px 6px', border: '1px solid var(--mantine-color-default-border)', borderRadius: 4, background: 'transparent', color: 'inherit' }}
        value={options[i]![key]}
        onChange={(e) => set(i, { [key]: Number(e.currentTarget.value) })}
      />
    </td>
  )
  return (
    <section aria-label="Hardware">
      <h2 className="part">Repair or replace, per TH/s</h2>
      <Text fz="sm" c="dimmed">
        A machine is the right, and not the duty, to turn power into bitcoin each day: its value is more than what today's margin says, and grows with uncertainty. The prices here are examples until you put in yours.
      </Text>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          void weigh()
        }}
      >
        <Wide label="Options" testid="hardware">
          <thead>
            <tr>
              <th scope="col">Option</th>
              <th scope="col" className="num">Costs, $/TH</th>
              <th scope="col" className="num">J/TH</th>
              <th scope="col" className="num">Days of life</th>
              <th scope="col" className="num">Pays back in</th>
              <th scope="col" className="num">NPV, $/TH</th>
              <th scope="col" className="num">Option value, $/TH</th>
              <th scope="col" className="num">Less cost, $/TH</th>
            </tr>
          </thead>
          <tbody>
            {options.map((o, i) => {
              const w = got?.options?.[i]
              return (
                <tr key={o.name} className={got && got.best === i ? 'best' : undefined}>
                  <th scope="row">
                    {o.name}
                    {got && got.best === i ? ' (best)' : ''}
                  </th>
                  {cell(i, 'usd_per_th', 'costs in $/TH')}
                  {cell(i, 'j_per_th', 'J/TH')}
                  {cell(i, 'life_days', 'days of life')}
                  <td className="num">{w ? (w.usd_per_th === 0 ? 'costs nothing' : w.payback_days ? `${w.payback_days} days` : 'not in its life') : '–'}</td>
                  <td className="num">{times(w?.npv_usd_th)}</td>
                  <td className="num">{times(w?.option_usd_th)}</td>
                  <td className="num">{times(w?.net_usd_th)}</td>
                </tr>
              )
            })}
          </tbody>
        </Wide>
        <div style={{ display: 'flex', gap: 10, alignItems: 'flex-end', flexWrap: 'wrap', marginTop: 8 }}>
          <NumberInput label="Power, $/MWh" size="xs" w={120} value={price} onChange={setPrice} min={0} />
          <NumberInput label="Hashprice a year on, %" size="xs" w={160} value={drift} onChange={setDrift} min={-90} max={300} description="−30: difficulty grows at a flat price" inputWrapperOrder={['label', 'input', 'description']} />
          <Button type="submit" size="xs" variant="default">
            Weigh
          </Button>
        </div>
      </form>
      {error && <Trouble what="It could not be weighed" error={error} />}
      {got && (
        <Text fz="xs" c="dimmed" mt={6}>
          {got.formula}. Hashprice {got.hashprice.value.toFixed(2)} $/PH/day, {got.hashprice.source}.
        </Text>
      )}
    </section>
  )
}

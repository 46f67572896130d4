/** Where a new contract begins. */
export const example = `name: New contract
currency: USD
zone: America/Chicago
interval: 15m
versions:
  - from: 2026-01-01
    source: what was signed, and when
    parts:
      - {name: Energy, kind: fixed, price: $42.00/MWh}
      - {name: Wires, kind: adder, price: $3.10/MWh}
      - {name: Demand, kind: demand, capacity: $6.50/kW}
      - {name: Meter, kind: fee, amount: $450.00}
      - {name: Gross receipts, kind: tax, share: 2%}
`

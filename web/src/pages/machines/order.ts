// The order that the table of machines was left in, so that one machine's page
// leads to the next.
let order: number[] = []

export function leaveOrder(ids: number[]) {
  order = ids
}

/** The machines before and after one in that order, and where it stands. */
export function neighbours(id: number): { before?: number; after?: number; at: number; of: number } {
  const at = order.indexOf(id)
  if (at < 0) return { at: -1, of: 0 }
  return { before: order[at - 1], after: order[at + 1], at, of: order.length }
}

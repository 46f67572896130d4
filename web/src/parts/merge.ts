/** What an edit becomes when somebody else saved first. */
export interface Merged<D> {
  /** Theirs, with what was typed here put over it. */
  draft: D
  /** Fields that they changed and that were not touched here. */
  taken: (keyof D & string)[]
  /** Fields that both changed, differently: what was typed here stands. */
  both: (keyof D & string)[]
}

/** Equal as it would be sent: a field that is undefined is one that is not there. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Puts what was typed on `base` over what stands there now. Nothing typed is
 * lost; what was not touched becomes theirs. */
export function merge<D extends object>(base: D, mine: D, theirs: D): Merged<D> {
  const out: Merged<D> = { draft: { ...theirs }, taken: [], both: [] }
  for (const key of Object.keys({ ...base, ...mine, ...theirs }) as (keyof D & string)[]) {
    const changed = !same(base[key], theirs[key])
    if (same(base[key], mine[key])) {
      if (changed) out.taken.push(key)
      continue
    }
    out.draft[key] = mine[key]
    if (changed && !same(mine[key], theirs[key])) out.both.push(key)
  }
  return out
}

/** Lines and commas apart, without what is empty. */
export const lines = (text: string) =>
  text
    .split(/[\n,;]/)
    .map((t) => t.trim())
    .filter(Boolean)

/** "1 machine", "12 machines". */
export const count = (n: number, one: string, many = one + 's') => `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`

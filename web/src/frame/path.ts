/** A path of our own to go to after sign-in, or undefined: a link must not send
 * people elsewhere. Browsers drop tabs and line ends and take \ for /, so what
 * looks like a path may not be one; the browser's own reading decides. */
export function ownPath(to: unknown, origin = location.origin): string | undefined {
  // biome-ignore lint: control characters are what this is about
  if (typeof to !== 'string' || !to.startsWith('/') || /[\u0000-\u001f\u007f\\]/.test(to)) return undefined
  try {
    const url = new URL(to, origin)
    if (url.origin !== origin || url.pathname.startsWith('//')) return undefined
    return url.pathname + url.search + url.hash
  } catch {
    return undefined
  }
}

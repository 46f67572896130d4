// Accessibility as axe-core judges it, inside a page that the browser shows.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The serious and critical findings on a page, one line each; none is what is
 * wanted. */
export async function findings(page, { within } = {}) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(source)
  const found = await page.evaluate(async (within) => {
    const { violations } = await window.axe.run(within ?? document, { resultTypes: ['violations'] })
    return violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .flatMap((v) => v.nodes.map((n) => `${v.impact} ${v.id}: ${n.target.join(' ')} ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ''} ${n.html.slice(0, 160)}`))
  }, within)
  return found
}

/** How many pixels a page is wider than its window. */
export const tooWide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** What has the focus, in words, and whether that can be seen. A radio button or
 * a checkbox may be drawn by its label, and hidden itself: then the label is what
 * must be seen, and what must show the ring. */
export const focused = (page) =>
  page.evaluate(() => {
    const el = document.activeElement
    if (!el || el === document.body) return null
    const ringed = (e) => {
      const c = getComputedStyle(e)
      return (c.outlineStyle !== 'none' && Number.parseFloat(c.outlineWidth) > 0) || c.boxShadow !== 'none'
    }
    const seen = (e) => {
      const box = e.getBoundingClientRect()
      const css = getComputedStyle(e)
      return box.width > 1 && box.height > 1 && css.visibility !== 'hidden' && css.opacity !== '0'
    }
    const labels = [...(el.labels ?? [])]
    const drawn = !seen(el) && el.matches('input[type=radio], input[type=checkbox]') ? (labels.find(seen) ?? el) : el
    const box = drawn.getBoundingClientRect()
    return {
      tag: el.tagName.toLowerCase(),
      name: el.getAttribute('aria-label') ?? (labels.length ? labels.map((l) => l.textContent.trim()).join(' ') : null) ?? el.textContent?.trim().slice(0, 60) ?? '',
      html: el.outerHTML.slice(0, 140),
      // Mantine rings the visible part of a control, which may be beside the input; a
      // border that changes colour on focus counts too.
      ring: ringed(drawn) || labels.some(ringed) || (drawn !== el && !!el.nextElementSibling && ringed(el.nextElementSibling)) || !!(drawn.parentElement && ringed(drawn.parentElement)) || el.matches('input:not([type=radio], [type=checkbox]), textarea, select'),
      shown: seen(drawn),
      at: [box.x, box.y],
      // Day, month and year of a date are stops of their own within one field.
      parts: el.matches('input[type=date], input[type=month], input[type=time], input[type=datetime-local]') ? 6 : 1,
    }
  })

import { ActionIcon, Button, Group, NativeSelect, Text, Tooltip, useComputedColorScheme } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type PointerEvent, useEffect, useMemo, useRef, useState } from 'react'
import { liveNow } from '../../../api/live'
import { Dot } from '../../../parts/Condition'
import { Trouble } from '../../../parts/Trouble'
import { Empty } from '../../../parts/Empty'
import { hit, inside, type Laid, layOut, type SiteMap as Structure } from './layout'
import { Legend } from './Legend'
import { type Colours, fit, keep, paint, type Sight, zoom } from './paint'
import { mapMetrics, mix, nameColours, parse, pixel, rampAt, rangeOf, words, type MapMetric, type RGB } from './scale'
import { missing, type State } from './state'
import { useMapState, useStructure } from './useMap'

/** The site as it stands, a cell a machine, any metric as colour. What can be
 * done here with a pointer can be done in the table beside it with keys. */
export function SiteMap({
  site,
  metric,
  onMetric,
  fits,
  chosen,
  onChoose,
  onOpen,
}: {
  site?: string
  metric: string
  onMetric: (key: string) => void
  /** Machines that the filters let through; without it all do. */
  fits?: ReadonlySet<number>
  chosen: ReadonlySet<string | number>
  /** A box was drawn around these. */
  onChoose?: (ids: number[], add: boolean) => void
  onOpen: (id: number) => void
}) {
  const m = mapMetrics.find((x) => x.key === metric) ?? mapMetrics[0]!
  const structure = useStructure(site)
  const { state, tick, error } = useMapState(structure.data, site, m.key, () => void structure.refetch())
  const [tool, setTool] = useState<'move' | 'choose'>('move')
  const move = useRef<(how: 'in' | 'out' | 'all') => void>(() => undefined)
  if (structure.error && !structure.data) return <Trouble what="The map cannot be shown" error={structure.error} again={() => void structure.refetch()} />
  if (structure.data && (structure.data.machines?.length ?? 0) === 0 && (structure.data.areas?.length ?? 0) === 0)
    return (
      <Empty title="No machines yet">
        The map shows every machine once a scan has found them.
      </Empty>
    )
  const ready = state && state.metric === m.key && state.version === structure.data?.version ? state : undefined
  return (
    <section className="map" aria-label="Map of the site">
      <Group gap="xs" mb={6}>
        <NativeSelect size="xs" aria-label="Colour by" value={m.key} onChange={(e) => onMetric(e.currentTarget.value)} data={mapMetrics.map((x) => ({ value: x.key, label: x.title }))} />
        <Group gap={4} ml="auto">
          {onChoose && (
            <Tooltip label="Draw a box around machines to choose them; or hold Shift">
              <Button size="compact-sm" variant={tool === 'choose' ? 'filled' : 'default'} aria-pressed={tool === 'choose'} onClick={() => setTool(tool === 'choose' ? 'move' : 'choose')}>
                Box
              </Button>
            </Tooltip>
          )}
          <ActionIcon variant="default" aria-label="Zoom in" onClick={() => move.current('in')}>
            +
          </ActionIcon>
          <ActionIcon variant="default" aria-label="Zoom out" onClick={() => move.current('out')}>
            −
          </ActionIcon>
          <Button size="compact-sm" variant="default" onClick={() => move.current('all')}>
            Whole site
          </Button>
        </Group>
      </Group>
      {structure.data ? (
        <Canvas map={structure.data} m={m} state={ready} tick={tick} fits={fits} chosen={chosen} onChoose={onChoose} onOpen={onOpen} tool={tool} move={move} />
      ) : (
        <div className="map-window" />
      )}
      <Legend m={m} state={ready} tick={tick} />
      {error && (
        <Text fz="xs" c="var(--down)" role="status">
          {error.message}
        </Text>
      )}
    </section>
  )
}

/** Colours from the page's own style, so that light and dark are both right. */
function inks(): { page: RGB; area: RGB; empty: RGB; text: string; mark: RGB; css: CSSStyleDeclaration } {
  const css = getComputedStyle(document.documentElement)
  const of = (name: string, or: string) => parse(css.getPropertyValue(name).trim() || or)
  const page = of('--mantine-color-body', '#ffffff')
  const ink = page[0] > 127 ? ([0, 0, 0] as RGB) : ([255, 255, 255] as RGB)
  return { page, area: mix(page, ink, 0.045), empty: mix(page, ink, 0.11), text: `rgb(${mix(page, ink, 0.72).join(' ')})`, mark: ink, css }
}

/** The colour of every machine, before filters. */
function base(m: MapMetric, state: State | undefined, n: number, ink: ReturnType<typeof inks>): Uint32Array {
  const out = new Uint32Array(n)
  const untold = pixel(mix(ink.page, ink.mark, 0.3))
  if (!state) return out.fill(pixel(mix(ink.page, ink.mark, 0.16)))
  const table = new Uint32Array(0x10000).fill(untold)
  if (m.kind === 'ramp') {
    const [low, high] = rangeOf(m, state)
    const steps = new Uint32Array(256)
    for (let i = 0; i < 256; i++) steps[i] = pixel(rampAt(m.ramp ?? 'good', i / 255))
    const first = Math.max(0, Math.floor((low - state.offset) / state.scale))
    for (let raw = 0; raw < missing; raw++) {
      const t = raw <= first ? 0 : (state.offset + state.scale * raw - low) / (high - low)
      table[raw] = steps[Math.min(255, Math.max(0, Math.round(t * 255)))]!
    }
  } else {
    const colours = m.kind === 'condition' ? (state.names ?? []).map((c) => ink.css.getPropertyValue(`--${c}`).trim() || '#8f8f8f') : nameColours(state).colours
    colours.forEach((c, i) => {
      table[i] = pixel(parse(c))
    })
  }
  for (let i = 0; i < n; i++) out[i] = table[state.raw[i] ?? missing]!
  return out
}

interface Tip {
  index: number
  x: number
  y: number
  stays: boolean
}

function Canvas({ map, m, state, tick, fits, chosen, onChoose, onOpen, tool, move }: { map: Structure; m: MapMetric; state?: State; tick: number; fits?: ReadonlySet<number>; chosen: ReadonlySet<string | number>; onChoose?: (ids: number[], add: boolean) => void; onOpen: (id: number) => void; tool: 'move' | 'choose'; move: { current: (how: 'in' | 'out' | 'all') => void } }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [aspect, setAspect] = useState(1.6)
  const scheme = useComputedColorScheme('light')
  const [tip, setTip] = useState<Tip>()
  const laid = useMemo(() => layOut(map, aspect), [map, aspect])
  const ids = map.machines ?? []

  // What the next frame is painted from. Frames come when something changed.
  const at = useRef<{ sight?: Sight; laid: Laid; colours?: Colours; marked: number[]; mark: number; text: string; box?: [number, number, number, number]; frame?: number; image?: ImageData; pixels?: Uint32Array; moved: boolean }>({ laid, marked: [], mark: 0, text: '', moved: false })

  const draw = useRef(() => {
    const a = at.current
    a.frame ??= requestAnimationFrame(() => {
      a.frame = undefined
      const el = canvas.current
      const ctx = el?.getContext('2d', { alpha: false })
      if (!el || !ctx || !a.colours || el.width === 0) return
      if (!a.sight) a.sight = fit(a.laid, el.width, el.height)
      if (a.image?.width !== el.width || a.image.height !== el.height) {
        a.image = ctx.createImageData(el.width, el.height)
        a.pixels = new Uint32Array(a.image.data.buffer)
      }
      paint(a.pixels!, el.width, el.height, a.laid, a.sight, a.colours)
      marks(a.pixels!, el.width, el.height, a.laid, a.sight, a.marked, a.mark)
      ctx.putImageData(a.image, 0, 0)
      labels(ctx, el.width, el.height, a.laid, a.sight, a.text)
      if (a.box) {
        ctx.strokeStyle = a.text
        ctx.lineWidth = window.devicePixelRatio
        ctx.setLineDash([4, 3])
        ctx.strokeRect(a.box[0] + 0.5, a.box[1] + 0.5, a.box[2] - a.box[0], a.box[3] - a.box[1])
        ctx.setLineDash([])
      }
    })
  }).current

  // The whole site again when it, or the window, has another shape, unless
  // somebody has looked closer.
  useEffect(() => {
    const a = at.current
    a.laid = laid
    if (!a.moved) a.sight = undefined
    draw()
  }, [laid, draw])

  // biome-ignore lint: tick says that the arrays changed
  useEffect(() => {
    const a = at.current
    const ink = inks()
    const cells = base(m, state, ids.length, ink)
    const area = ink.area
    if (fits) {
      for (let i = 0; i < ids.length; i++) {
        if (fits.has(ids[i]!)) continue
        // mix(colour, area, 0.86) without making anything: there may be 200,000.
        const c = cells[i]!
        const fade = (shift: number, to: number) => Math.round(((c >> shift) & 255) * 0.14 + to * 0.86) << shift
        cells[i] = ((255 << 24) | fade(16, area[2]) | fade(8, area[1]) | fade(0, area[0])) >>> 0
      }
    }
    a.colours = { cells, page: pixel(ink.page), empty: pixel(ink.empty), area: pixel(area) }
    a.text = ink.text
    a.mark = pixel(ink.mark)
    draw()
  }, [m, state, tick, fits, ids, scheme, draw])

  useEffect(() => {
    const marked: number[] = []
    if (chosen.size > 0) for (let i = 0; i < ids.length; i++) if (chosen.has(ids[i]!)) marked.push(i)
    at.current.marked = marked
    draw()
  }, [chosen, ids, draw])

  useEffect(() => {
    const el = canvas.current
    if (!el) return
    const size = new ResizeObserver(() => {
      const ratio = Math.min(window.devicePixelRatio, 2)
      el.width = Math.round(el.clientWidth * ratio)
      el.height = Math.round(el.clientHeight * ratio)
      if (el.width > 0 && el.height > 0) setAspect((old) => (Math.abs(old - el.width / el.height) > old * 0.15 ? el.width / el.height : old))
      if (!at.current.moved) at.current.sight = undefined
      draw()
    })
    size.observe(el)
    const wheel = (e: WheelEvent) => {
      e.preventDefault()
      const r = ratioOf(el)
      look(zoom(at.current.sight ?? fit(at.current.laid, el.width, el.height), Math.exp(-e.deltaY * (e.ctrlKey ? 0.01 : 0.0015)), e.offsetX * r, e.offsetY * r, least(el), 80))
    }
    const least = (c: HTMLCanvasElement) => fit(at.current.laid, c.width, c.height).scale * 0.8
    const look = (s: Sight) => {
      at.current.sight = keep(s, at.current.laid, el.width, el.height)
      at.current.moved = true
      setTip(undefined)
      draw()
    }
    move.current = (how) => {
      if (how === 'all') {
        at.current.sight = undefined
        at.current.moved = false
        draw()
      } else look(zoom(at.current.sight ?? fit(at.current.laid, el.width, el.height), how === 'in' ? 1.5 : 1 / 1.5, el.width / 2, el.height / 2, least(el), 80))
    }
    el.addEventListener('wheel', wheel, { passive: false })
    return () => {
      size.disconnect()
      el.removeEventListener('wheel', wheel)
      const a = at.current
      if (a.frame !== undefined) cancelAnimationFrame(a.frame)
      a.frame = undefined
    }
  }, [draw, move])

  // Fingers and mice: one moves (or draws a box), two zoom.
  const down = useRef(new Map<number, [number, number]>())
  const drag = useRef<{ x: number; y: number; far: boolean; choose: boolean }>(undefined)
  const where = (e: PointerEvent): [number, number] => {
    const el = canvas.current!
    const box = el.getBoundingClientRect()
    const r = ratioOf(el)
    return [(e.clientX - box.left) * r, (e.clientY - box.top) * r]
  }
  const cell = (x: number, y: number): [number, number] => {
    const s = at.current.sight
    return s ? [s.x + x / s.scale, s.y + y / s.scale] : [-1, -1]
  }
  const press = (e: PointerEvent) => {
    if (e.button !== 0) return
    e.currentTarget.setPointerCapture(e.pointerId)
    const [x, y] = where(e)
    down.current.set(e.pointerId, [x, y])
    drag.current = { x, y, far: down.current.size > 1, choose: !!onChoose && (e.shiftKey || tool === 'choose') }
  }
  const slide = (e: PointerEvent) => {
    const el = canvas.current!
    const [x, y] = where(e)
    const before = down.current.get(e.pointerId)
    const a = at.current
    if (!before || !a.sight) {
      if (e.pointerType === 'mouse') point(x, y, false)
      return
    }
    down.current.set(e.pointerId, [x, y])
    const d = drag.current!
    if (Math.hypot(x - d.x, y - d.y) > 4 * ratioOf(el)) d.far = true
    if (!d.far) return
    if (tip) setTip(undefined)
    const fingers = [...down.current.values()]
    if (fingers.length === 2) {
      const other = fingers.find((f) => f[0] !== x || f[1] !== y) ?? fingers[0]!
      const was = Math.hypot(before[0] - other[0], before[1] - other[1])
      const is = Math.hypot(x - other[0], y - other[1])
      if (was > 0) a.sight = keep(zoom(a.sight, is / was, (x + other[0]) / 2, (y + other[1]) / 2, fit(a.laid, el.width, el.height).scale * 0.8, 80), a.laid, el.width, el.height)
      a.moved = true
    } else if (d.choose) a.box = [Math.min(d.x, x), Math.min(d.y, y), Math.max(d.x, x), Math.max(d.y, y)]
    else {
      a.sight = keep({ scale: a.sight.scale, x: a.sight.x - (x - before[0]) / a.sight.scale, y: a.sight.y - (y - before[1]) / a.sight.scale }, a.laid, el.width, el.height)
      a.moved = true
    }
    draw()
  }
  const release = (e: PointerEvent) => {
    const d = drag.current
    if (!down.current.delete(e.pointerId) || !d) return
    const [x, y] = where(e)
    const a = at.current
    if (d.choose && d.far && a.box) {
      const found = inside(laid, ...cell(a.box[0], a.box[1]), ...cell(a.box[2], a.box[3])).map((i) => ids[i]!)
      onChoose?.(fits ? found.filter((id) => fits.has(id)) : found, e.ctrlKey || e.metaKey || e.shiftKey)
    } else if (!d.far) {
      const i = hit(laid, ...cell(x, y))
      if (i >= 0 && d.choose) onChoose?.([ids[i]!], true)
      else if (i >= 0 && e.pointerType === 'mouse') onOpen(ids[i]!)
      else point(x, y, true)
    }
    a.box = undefined
    if (down.current.size === 0) drag.current = undefined
    draw()
  }
  const point = (x: number, y: number, stays: boolean) => {
    const i = hit(laid, ...cell(x, y))
    const r = ratioOf(canvas.current!)
    setTip((old) => (i < 0 ? undefined : old?.index === i && !stays ? old : { index: i, x: x / r, y: y / r, stays }))
  }
  const placed = ids.length - map.unplaced
  return (
    <div className="map-window">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${ids.length} machines by ${m.title.toLowerCase()}: ${placed} in ${laid.racks.length - (map.unplaced > 0 ? 1 : 0)} racks, ${map.unplaced} not placed. The table lists the same machines.`}
        data-testid="map"
        style={{ cursor: tip ? 'pointer' : tool === 'choose' ? 'crosshair' : 'grab', touchAction: 'none' }}
        onPointerDown={press}
        onPointerMove={slide}
        onPointerUp={release}
        onPointerCancel={(e) => {
          down.current.delete(e.pointerId)
          at.current.box = undefined
          draw()
        }}
        onPointerLeave={() => setTip((t) => (t?.stays ? t : undefined))}
      />
      {tip && ids[tip.index] !== undefined && <TipCard tip={tip} id={ids[tip.index]!} m={m} state={state} width={canvas.current?.clientWidth ?? 400} />}
    </div>
  )
}

const ratioOf = (el: HTMLCanvasElement) => (el.clientWidth > 0 ? el.width / el.clientWidth : 1)

function TipCard({ tip, id, m, state, width }: { tip: Tip; id: number; m: MapMetric; state?: State; width: number }) {
  const row = liveNow().rows.get(id)
  return (
    <div className="map-tip" role="status" style={{ left: Math.min(Math.max(tip.x + 12, 4), Math.max(width - 236, 4)), top: tip.y + 14 }}>
      <Text fz="sm" fw={600} truncate>
        {row?.name ?? `Machine ${id}`}
      </Text>
      {row && (
        <Text fz="xs" c="dimmed" truncate>
          {[row.model, row.place || 'not placed'].filter(Boolean).join(' · ')}
        </Text>
      )}
      {row && (
        <Text fz="xs">
          <Dot of={row.condition} />
          {row.condition}
        </Text>
      )}
      {state && m.kind !== 'condition' && (
        <Text fz="xs">
          {m.title}: {words(m, state, tip.index)}
        </Text>
      )}
      {tip.stays && (
        <Link className="link" to="/machines/$id" params={{ id: String(id) }} style={{ fontSize: 13 }}>
          Open
        </Link>
      )}
    </div>
  )
}

/** Frames around chosen machines; where cells are too small for one, the cell
 * itself takes the mark's colour. */
function marks(px: Uint32Array, width: number, height: number, laid: Laid, s: Sight, marked: number[], colour: number) {
  const thick = s.scale >= 16 ? 3 : s.scale >= 7 ? 2 : 1
  for (const i of marked) {
    const x0 = Math.round((laid.x[i]! - s.x) * s.scale)
    const y0 = Math.round((laid.y[i]! - s.y) * s.scale)
    const x1 = Math.max(Math.round((laid.x[i]! + 1 - s.x) * s.scale), x0 + 1)
    const y1 = Math.max(Math.round((laid.y[i]! + 1 - s.y) * s.scale), y0 + 1)
    if (x1 <= 0 || y1 <= 0 || x0 >= width || y0 >= height) continue
    const solid = s.scale < 5
    for (let y = Math.max(y0, 0); y < Math.min(y1, height); y++) {
      const edge = solid || y < y0 + thick || y >= y1 - thick
      for (let x = Math.max(x0, 0); x < Math.min(x1, width); x++) {
        if (edge || x < x0 + thick || x >= x1 - thick) px[y * width + x] = colour
      }
    }
  }
}

function labels(ctx: CanvasRenderingContext2D, width: number, height: number, laid: Laid, s: Sight, colour: string) {
  const ratio = Math.min(window.devicePixelRatio, 2)
  ctx.fillStyle = colour
  ctx.textBaseline = 'alphabetic'
  const write = (text: string, x: number, y: number, w: number, size: number, weight: number) => {
    const px = (x - s.x) * s.scale
    const py = (y - s.y) * s.scale
    const room = w * s.scale
    if (!text || room < 16 * ratio || px > width || px + room < 0 || py > height + 20 || py < 0) return
    ctx.font = `${weight} ${size}px system-ui, sans-serif`
    let t = text
    if (ctx.measureText(t).width > room) {
      const keepChars = Math.floor((t.length * room) / ctx.measureText(t).width) - 1
      if (keepChars < 2) return
      t = t.slice(0, keepChars) + '…'
    }
    ctx.fillText(t, Math.max(px, 0) + (px < 0 ? 4 : 0), py)
  }
  const big = Math.min(15, Math.max(11, s.scale * 1.1)) * ratio
  for (const a of laid.areas) write(`${a.title}`, a.x + 1, a.y + 1.55, a.w - 2, Math.min(big, s.scale * 1.7), 600)
  if (s.scale < 8 * ratio) return
  for (const r of laid.racks) write(r.title, r.x, r.y + 0.8, r.w, Math.min(12 * ratio, s.scale * 0.85), 400)
}

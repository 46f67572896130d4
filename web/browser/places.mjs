// Puts simulated machines into racks, as people would with the API.
const racks = (containers, perRack, slots) =>
  Array.from({ length: containers * perRack * slots }, (_, i) => ({
    building: i < (containers * perRack * slots) / 2 ? 'Hall A' : 'Hall B',
    container: `C${String(Math.floor(i / (perRack * slots)) + 1).padStart(2, '0')}`,
    rack: `R${(Math.floor(i / slots) % perRack) + 1}`,
    slot: String((i % slots) + 1),
  }))

/** Places the first machines of the site, by id, and leaves the last ones without a place. */
export async function placeMachines(page, { containers = 4, perRack = 3, slots = 12, leave = 5 } = {}) {
  return page.evaluate(
    async ({ places, leave }) => {
      const { machines } = await (await fetch('/api/v1/machines?limit=10000')).json()
      const here = machines.slice(0, Math.max(0, machines.length - leave))
      let n = 0
      for (const m of here) {
        if (!places[n]) break
        const res = await fetch(`/api/v1/machines/${m.id}`, { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ place: places[n] }) })
        if (!res.ok) throw new Error(await res.text())
        n++
      }
      return n
    },
    { places: racks(containers, perRack, slots), leave },
  )
}

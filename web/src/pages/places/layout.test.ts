import { describe, expect, it } from 'vitest'
import { addPattern, expand, inWords, type Layout, moveContainer, moveRack, occupancy, place, type PlacedMachine, put, racksOf, runOf, slotsOf, words } from './layout'

const two: Layout = { name: 'x', containers: [{ name: 'C1', racks: [{ name: 'R1', slots: 4, addresses: '10.0.0.1-10.0.0.4' }] }, { name: 'C2', racks: [{ name: 'R1', slots: 2 }] }] }
const m = (id: number, more: Partial<PlacedMachine> = {}): PlacedMachine => ({ id, name: `m${id}`, addr: `10.0.0.${id}`, mac: `02:aa:00:00:00:0${id}`, version: id, ...more })

describe('patterns', () => {
  it('expands', () => {
    expect(expand('C{1..3}')).toEqual(['C1', 'C2', 'C3'])
    expect(expand('R{08..10}')).toEqual(['R08', 'R09', 'R10'])
    expect(expand('Row {1..2}-{1..2}')).toEqual(['Row 1-1', 'Row 1-2', 'Row 2-1', 'Row 2-2'])
    expect(expand('Hall')).toEqual(['Hall'])
    expect(expand('C{5..1}')).toEqual([])
  })
  it('adds containers, racks, slots and addresses', () => {
    const r = addPattern({ name: 'x' }, { building: '', containers: 'C{1..8}', racks: 'R{1..6}', slots: 24, columns: 4, from: '10.20.1.1', step: 'on' })
    expect([r.containers, r.racks, r.slots]).toEqual([8, 48, 1152])
    expect(r.last).toBe('10.20.5.128')
    expect(racksOf(r.layout)[1]!.rack).toEqual({ name: 'R2', slots: 24, columns: 4, addresses: '10.20.1.25-10.20.1.48' })
  })
  it('starts each rack or container at a new block', () => {
    const by = (step: 'rack24' | 'container24') => racksOf(addPattern({ name: 'x' }, { building: 'Hall', containers: 'C{1..2}', racks: 'R{1..2}', slots: 20, columns: 0, from: '10.0.0.1', step }).layout).map((r) => r.rack.addresses)
    expect(by('rack24')).toEqual(['10.0.0.1-10.0.0.20', '10.0.1.1-10.0.1.20', '10.0.2.1-10.0.2.20', '10.0.3.1-10.0.3.20'])
    expect(by('container24')).toEqual(['10.0.0.1-10.0.0.20', '10.0.0.21-10.0.0.40', '10.0.1.1-10.0.1.20', '10.0.1.21-10.0.1.40'])
  })
  it('refuses names that are taken', () => {
    expect(() => addPattern(two, { building: '', containers: 'C1', racks: 'R1', slots: 4, columns: 0, from: '', step: 'on' })).toThrow(/has a rack R1/)
    expect(() => addPattern(two, { building: 'Hall', containers: 'C1', racks: 'R9', slots: 4, columns: 0, from: '', step: 'on' })).toThrow(/elsewhere/)
  })
})

describe('slots', () => {
  it('reads runs of addresses', () => {
    expect(runOf('10.0.0.1-20')).toEqual(runOf('10.0.0.1-10.0.0.20'))
    expect(slotsOf(two.containers![0]!.racks![0]!).map((s) => s.addr)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'])
  })
  it('finds machines by MAC before address, each in one slot', () => {
    const l = place(two, m(2), 'containers[1].racks[0]', 1)
    const { slotOf, inSlot } = occupancy(l, [m(1), m(2), m(3)])
    expect(slotOf.get(1)).toBe('containers[0].racks[0]#1')
    expect(slotOf.get(2)).toBe('containers[1].racks[0]#1')
    expect(inSlot.has('containers[0].racks[0]#2')).toBe(false)
  })
  it('moves a machine without MAC out of a run, and leaves the others in', () => {
    const l = place(two, m(2, { mac: undefined }), 'containers[1].racks[0]', 2)
    const { slotOf } = occupancy(l, [m(1), m(2, { mac: undefined }), m(3)])
    expect(slotOf.get(2)).toBe('containers[1].racks[0]#2')
    expect(slotOf.get(1)).toBe('containers[0].racks[0]#1')
    expect(slotOf.get(3)).toBe('containers[0].racks[0]#3')
  })
  it('moves the other out of the slot', () => {
    const l = place(place(two, m(1), 'containers[1].racks[0]', 1), m(2), 'containers[1].racks[0]', 1)
    expect(occupancy(l, [m(1), m(2)]).inSlot.get('containers[1].racks[0]#1')?.id).toBe(2)
  })
})

describe('moving', () => {
  it('racks', () => {
    expect(moveRack(two, 'containers[0].racks[0]', 'containers[1]')).toBeUndefined() // its name is taken there
    const l = moveRack(put(two, 'containers[0].racks[0].name', 'R7'), 'containers[0].racks[0]', 'containers[1]')!
    expect(racksOf(l).map((r) => r.container + '/' + r.rack.name)).toEqual(['C2/R1', 'C2/R7'])
  })
  it('containers', () => {
    const l = moveContainer({ ...two, buildings: [{ name: 'Hall' }] }, 'containers[0]', 'buildings[0]')!
    expect(racksOf(l).map((r) => r.building + '/' + r.container)).toEqual(['Hall/C1', '/C2'])
    expect(moveContainer(two, 'containers[0]', '')).toBeUndefined()
  })
  it('changes nothing in place', () => {
    const before = JSON.stringify(two)
    place(two, m(2), 'containers[1].racks[0]', 1)
    expect(JSON.stringify(two)).toBe(before)
  })
})

describe('messages', () => {
  it('say names, not paths', () => {
    expect(words(two, 'containers[0].racks[0].slots')).toEqual(['C1', 'R1', 'slots'])
    expect(words(two, 'feeders[3].cap')).toEqual(['number 4', 'cap'])
    expect(inWords(two, 'rack "R1" is already containers[1].racks[0]')).toBe('rack "R1" is already C2/R1')
  })
})

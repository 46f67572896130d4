import { expect, test } from 'vitest'
import type { Section } from '../nav'
import { scriptOf } from './Banner'
import { crumbs, whereIs } from './place'
import { readView } from './view'

const sections: Section[] = [
  { title: 'Now', key: 'n', pages: [{ title: 'Now', to: '/' }] },
  { title: 'Machines', key: 'm', pages: [{ title: 'Table', to: '/machines' }, { title: 'Map', to: '/machines/map' }] },
  { title: 'Settings', key: 's', pages: [{ title: 'People', to: '/settings/people', right: 'administer' }] },
]

test('a page lies under the longest address that its path starts with', () => {
  expect(whereIs('/machines/17', sections).page?.title).toBe('Table')
  expect(whereIs('/machines/map', sections).page?.title).toBe('Map')
  expect(whereIs('/machinesque', sections).page).toBeUndefined()
  expect(whereIs('/', sections).section?.title).toBe('Now')
})

test('breadcrumbs stand where the navigation does not reach', () => {
  expect(crumbs('/', sections, 'Now')).toEqual([])
  expect(crumbs('/machines', sections, 'Machines')).toEqual([])
  expect(crumbs('/machines/17', sections, 'm17')).toEqual([{ title: 'Machines', to: '/machines' }, { title: 'm17' }])
  expect(crumbs('/settings/people/3', sections, 'bob')).toEqual([{ title: 'Settings', to: '/settings/people' }, { title: 'bob' }])
  expect(crumbs('/elsewhere', sections, 'Lost')).toEqual([{ title: 'Now', to: '/' }, { title: 'Lost' }])
})

test('a view holds what makes sense, and nothing else', () => {
  expect(readView({ site: 'hood', range: '6h', from: 10, to: 20, evil: 1 })).toEqual({ site: 'hood', range: '6h', from: 10, to: 20 })
  expect(readView({ site: '', range: '5h', from: 20, to: 10 })).toEqual({ site: undefined, range: undefined, from: undefined, to: undefined })
  expect(readView({ from: '10', to: 1e99 }).from).toBeUndefined()
})

test('the script of a page is known by its name', () => {
  expect(scriptOf('<script type="module" crossorigin src="/assets/index-AbC_1.js"></script>')).toBe('/assets/index-AbC_1.js')
  expect(scriptOf('<script src="https://elsewhere/assets/x.js">')).toBeUndefined()
})

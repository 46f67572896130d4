import { SimpleGrid, TagsInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { ask, type SiteInfo } from '../../api/client'
import { useLive } from '../../api/live'
import type { Match } from './api'

/** Picks sites, places, groups, models and firmwares. Empty is everything. */
export function MatchFields({ value, onChange, place }: { value: Match; onChange: (m: Match) => void; place?: boolean }) {
  const live = useLive()
  const sites = useQuery({ queryKey: ['sites'], queryFn: ({ signal }) => ask<SiteInfo[]>('GET', '/sites', undefined, signal), staleTime: 60_000 })
  // biome-ignore lint: version says that the map changed
  const known = useMemo(() => {
    const groups = new Set<string>()
    const models = new Set<string>()
    const firmwares = new Set<string>()
    const containers = new Set<string>()
    for (const r of live.rows.values()) {
      if (r.group) groups.add(r.group)
      if (r.model) models.add(r.model)
      if (r.firmware) firmwares.add(r.firmware)
      const parts = r.place.split(' / ')
      if (parts.length > 2) containers.add(parts.at(-3)!)
    }
    return { groups: [...groups].sort(), models: [...models].sort(), firmwares: [...firmwares].sort(), containers: [...containers].sort() }
  }, [live.rows.size > 0])
  const field = (key: keyof Match, label: string, data: string[] = []) => (
    <TagsInput key={key} label={label} data={data} value={(value[key] as string[] | null | undefined) ?? []} onChange={(v) => onChange({ ...value, [key]: v.length ? v : undefined })} placeholder={(value[key] as string[] | undefined)?.length ? '' : 'any'} clearable />
  )
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
      {field('sites', 'Sites', sites.data?.map((s) => s.name))}
      {field('containers', 'Containers', known.containers)}
      {field('racks', 'Racks')}
      {field('buildings', 'Buildings')}
      {!place && field('groups', 'Groups', known.groups)}
      {!place && field('models', 'Models', known.models)}
      {!place && field('firmwares', 'Firmwares', known.firmwares)}
    </SimpleGrid>
  )
}

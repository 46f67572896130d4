import { Button, CloseButton, Group, NativeSelect, Stack, Text } from '@mantine/core'
import { type Grant, type Role, roles, useRoles, useSites } from './access'

/** Which roles somebody has, each at one site or everywhere. */
export function GrantsEditor({ value, onChange, disabled }: { value: Grant[]; onChange: (next: Grant[]) => void; disabled?: boolean }) {
  const sites = useSites()
  const what = useRoles()
  const set = (i: number, next: Partial<Grant>) => onChange(value.map((g, k) => (k === i ? { ...g, ...next } : g)))
  const places = [{ value: '', label: 'everywhere' }, ...(sites.data ?? []).map((s) => ({ value: s.name, label: `at ${s.title || s.name}` }))]
  const may = [...new Set(value.flatMap((g) => what.data?.find((r) => r.role === g.role)?.rights ?? []).map((r) => r.meaning))]
  return (
    <Stack gap={6}>
      <Text fz="sm" fw={500} id="grants-label">
        Roles
      </Text>
      <div role="group" aria-labelledby="grants-label">
        {value.map((g, i) => (
          // biome-ignore lint: rows have no other identity
          <Group key={i} gap={6} wrap="nowrap" mb={6}>
            <NativeSelect flex={1} aria-label={`Role ${i + 1}`} disabled={disabled} value={g.role} onChange={(e) => set(i, { role: e.currentTarget.value as Role })} data={roles.map((r) => ({ value: r.value, label: r.label }))} />
            <NativeSelect
              flex={1}
              aria-label={`Where ${i + 1}`}
              disabled={disabled}
              value={g.site ?? ''}
              onChange={(e) => set(i, { site: e.currentTarget.value || undefined })}
              data={g.site && !places.some((p) => p.value === g.site) ? [...places, { value: g.site, label: `at ${g.site}` }] : places}
            />
            <CloseButton aria-label={`Take away role ${i + 1}`} disabled={disabled} onClick={() => onChange(value.filter((_, k) => k !== i))} />
          </Group>
        ))}
        {!disabled && (
          <Button size="compact-sm" variant="default" onClick={() => onChange([...value, { role: 'viewer' }])}>
            {value.length === 0 ? 'Give a role' : 'One more role'}
          </Button>
        )}
      </div>
      <Text fz="xs" c="dimmed" data-testid="may">
        {may.length > 0 ? `May: ${may.join('; ')}.` : 'Without a role, nothing can be seen.'}
      </Text>
    </Stack>
  )
}

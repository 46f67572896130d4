import { Badge, Button, Table, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ask, type Schema } from '../../api/client'
import { Confirm } from '../../parts/Confirm'
import { when } from './words'

type Import = Schema['LedgerSiteImport']

/** What was imported, by whom and when; any of it can be withdrawn. */
export function Imports({ list, zone, path, invalidate }: { list: Import[]; zone: string; path: string; invalidate: string[] }) {
  const queries = useQueryClient()
  const [sure, setSure] = useState<Import>()
  const withdraw = useMutation({
    mutationFn: (i: Import) => ask('DELETE', `${path}/${i.id}`),
    onSuccess: async () => {
      setSure(undefined)
      await Promise.all(invalidate.map((key) => queries.invalidateQueries({ queryKey: [key] })))
    },
  })
  if (list.length === 0)
    return (
      <Text fz="sm" c="dimmed">
        Nothing was imported yet.
      </Text>
    )
  return (
    <>
      <Table.ScrollContainer minWidth={720} type="native" tabIndex={0}>
        <Table fz="sm" verticalSpacing={4} data-testid="imports">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>No.</Table.Th>
              <Table.Th>File</Table.Th>
              <Table.Th>From</Table.Th>
              <Table.Th>To</Table.Th>
              <Table.Th ta="right">New</Table.Th>
              <Table.Th ta="right">Revised</Table.Th>
              <Table.Th>By</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {list.map((i) => (
              <Table.Tr key={i.id}>
                <Table.Td>{i.id}</Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }} title={`${i.format}; SHA-256 ${i.digest}`}>
                  {i.file || 'without a name'}
                </Table.Td>
                <Table.Td>{when(i.from, zone)}</Table.Td>
                <Table.Td>{when(i.to, zone)}</Table.Td>
                <Table.Td ta="right">{i.added.toLocaleString('en-US')}</Table.Td>
                <Table.Td ta="right">{i.changed.toLocaleString('en-US')}</Table.Td>
                <Table.Td>
                  {i.actor}, {when(i.at, zone)}
                </Table.Td>
                <Table.Td ta="right">
                  {i.withdrawn_at ? (
                    <Badge size="sm" variant="light" color="gray" tt="none" title={when(i.withdrawn_at, zone)}>
                      withdrawn by {i.withdrawn_by}
                    </Badge>
                  ) : (
                    <Button size="compact-xs" variant="subtle" color="red" onClick={() => setSure(i)} aria-label={`Withdraw import ${i.id}`}>
                      Withdraw
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Confirm
        title={`Withdraw import ${sure?.id ?? ''}`}
        opened={sure !== undefined}
        onClose={() => setSure(undefined)}
        effects={sure ? [{ name: 'File', value: sure.file || 'without a name' }, { name: 'From', value: when(sure.from, zone) }, { name: 'To', value: when(sure.to, zone) }] : []}
        warning="What it said counts no more; earlier imports of the same intervals count again. It stays in the record."
        button="Withdraw"
        busy={withdraw.isPending}
        error={withdraw.error}
        onConfirm={() => sure && withdraw.mutate(sure)}
      />
    </>
  )
}

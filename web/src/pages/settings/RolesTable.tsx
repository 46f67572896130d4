import { Skeleton, Table, Text } from '@mantine/core'
import type { Right } from '../../api/client'
import { Part, rightNames, roles, useRoles } from './access'

const order: Right[] = ['look', 'repair', 'command', 'configure', 'money', 'administer', 'portal']

/** What each role may do, as the server decides it. */
export function RolesTable() {
  const all = useRoles()
  const meaning = new Map(all.data?.flatMap((r) => r.rights ?? []).map((r) => [r.right as Right, r.meaning]))
  return (
    <Part title="What each role may do" note="A role counts at the site where it is given, or everywhere. Nobody can do what no role of theirs allows; an API key can never do more than its owner.">
      {!all.data ? (
        <Skeleton h={200} aria-label="loading" />
      ) : (
        <Table.ScrollContainer minWidth={820}>
          <Table data-testid="roles" striped={false} verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Right</Table.Th>
                {roles.map((r) => (
                  <Table.Th key={r.value} ta="center" title={r.what}>
                    {r.label}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {order.map((right) => (
                <Table.Tr key={right}>
                  <Table.Th scope="row" fw={500} miw={190}>
                    {rightNames[right]}
                    <Text fz="xs" c="dimmed" fw={400}>
                      {meaning.get(right)}
                    </Text>
                  </Table.Th>
                  {roles.map((r) => {
                    const has = all.data.find((x) => x.role === r.value)?.rights?.some((x) => x.right === right)
                    return (
                      <Table.Td key={r.value} ta="center" aria-label={`${r.label}: ${has ? 'yes' : 'no'}`}>
                        {has ? <span className="yes">yes</span> : <span className="no">–</span>}
                      </Table.Td>
                    )
                  })}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Part>
  )
}

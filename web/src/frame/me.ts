import { useQuery } from '@tanstack/react-query'
import { ask, type Me, type Right } from '../api/client'

/** Who is signed in. */
export function useMe() {
  return useQuery({ queryKey: ['me'], queryFn: ({ signal }) => ask<Me>('GET', '/session', undefined, signal), staleTime: 60_000 })
}

/** Tells whether the one who is signed in has a right somewhere; pages leave
 * out what cannot be done, the server decides. */
export function useMay(right: Right): boolean {
  return useMe().data?.rights?.includes(right) ?? false
}

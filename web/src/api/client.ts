import type { components } from './types.gen'

export type Schema = components['schemas']
export type Site = Schema['Site']
export type Row = Schema['Row']
export type Machine = Schema['Machine']
export type Me = Schema['Me']
export type Right = NonNullable<Me['rights']>[number]
export type SiteInfo = Schema['SiteInfo']
export type AlarmRow = Schema['AlarmRow']
export type History = Schema['HistoryBody']
export type Activity = Schema['Activity']
export type ActivityBody = Schema['ActivityBody']
export type PowerLine = Schema['PowerLine']

/** An error of the API: what failed, in words, and its HTTP status (0 when the server did not answer). */
export class Failed extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/** Asks the API; throws Failed with the server's own words. */
export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal, headers: Record<string, string> = {}): Promise<T> {
  let res: Response
  try {
    res = await fetch('/api/v1' + path, {
      method,
      signal,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw new Failed(0, 'Ballast does not answer. It may be restarting; this page tries again by itself.')
  }
  if (res.status === 204) return undefined as T
  const text = await res.text()
  if (!res.ok) {
    let detail = res.statusText
    try {
      detail = JSON.parse(text).detail || detail
    } catch {
      // not a problem document: the status text has to do
    }
    if (res.status === 401 && !path.startsWith('/session') && !path.startsWith('/setup')) window.dispatchEvent(new Event('signed-out'))
    throw new Failed(res.status, detail)
  }
  return JSON.parse(text) as T
}

/** A key for one wish, so that a request that is sent again is not done twice.
 * (crypto.randomUUID is there on https and loopback only.) */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('')
}

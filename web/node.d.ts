// The little of Node that the build's configuration uses.
declare module 'node:zlib' {
  export function gzipSync(data: string | Uint8Array): Uint8Array
}

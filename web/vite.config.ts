import react from '@vitejs/plugin-react'
import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

// What the first page may take, compressed. It is told at every build, and a
// build that needs more fails.
const budget = 600_000

/** Adds up what index.html loads at once: its scripts, what they import before
 * they run, and its styles. */
const firstPage: Plugin = {
  name: 'first-page',
  generateBundle(_options, bundle) {
    const seen = new Set<string>()
    let bytes = 0
    const add = (name: string) => {
      const part = bundle[name]
      if (!part || seen.has(name)) return
      seen.add(name)
      bytes += gzipSync(part.type === 'chunk' ? part.code : part.source).length
      if (part.type === 'chunk') for (const next of part.imports) add(next)
    }
    for (const part of Object.values(bundle)) {
      if (part.type === 'chunk' && part.isEntry) add(part.fileName)
      else if (part.fileName.endsWith('.css')) add(part.fileName)
    }
    this.info(`first page: ${Math.round(bytes / 1000)} kB compressed of ${budget / 1000} kB, in ${seen.size} files`)
    if (bytes > budget) this.error(`the first page takes ${bytes} bytes compressed; ${budget} is the budget`)
  },
}

// The build is committed and must come out the same on every machine: no dates,
// no source maps. While developing, the API comes from a running `ballast run`.
export default defineConfig({
  plugins: [react(), firstPage],
  build: { outDir: 'dist', emptyOutDir: true, sourcemap: false, target: 'es2023', chunkSizeWarningLimit: 900 },
  test: { include: ['src/**/*.test.ts'] },
  server: { proxy: { '/api': 'http://127.0.0.1:8480' } },
})

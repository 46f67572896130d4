import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// The build is committed and must come out the same on every machine: no dates,
// no source maps. While developing, the API comes from a running `ballast run`.
export default defineConfig({
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, sourcemap: false, target: 'es2023', chunkSizeWarningLimit: 900 },
  test: { include: ['src/**/*.test.ts'] },
  server: { proxy: { '/api': 'http://127.0.0.1:8480' } },
})

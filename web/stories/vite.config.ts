import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The parts by themselves, in all their states. Not part of the product: what
// is built from here goes where --outDir says, never into dist.
export default defineConfig({
  root: 'stories',
  base: './',
  plugins: [react()],
  publicDir: '../public',
  build: { outDir: '../test-results/stories', emptyOutDir: true, target: 'es2023', chunkSizeWarningLimit: 2000 },
})

import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// The bundle is committed: the same sources and the locked versions give the same bytes.
export default defineConfig({
  plugins: [svelte({ compilerOptions: { cssHash: ({ hash, css }) => `s${hash(css)}` } })],
  build: {
    outDir: '../danqing/faces/studio/static',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy knows no inline code
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: true,
  },
  server: { proxy: { '/v1': { target: 'http://127.0.0.1:7860', ws: true } } },
})

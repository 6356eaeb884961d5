import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// The server for `npm run dev`: `lectern serve --dev` on its default port.
const server = 'localhost:7880';

/** Adds `name.gz` beside each script and style sheet, which the server sends to browsers that accept gzip. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    generateBundle: {
      // After the plugins that still change what is written.
      order: 'post',
      async handler(_options, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          if (!/\.(?:js|css)$/u.test(fileName)) continue;
          const content = file.type === 'chunk' ? file.code : file.source;
          // A copy, because the type of a file admits shared memory, which a `Blob` does not take.
          const plain = typeof content === 'string' ? content : new Uint8Array(content);
          const packed = new Blob([plain]).stream().pipeThrough(new CompressionStream('gzip'));
          const source = new Uint8Array(await new Response(packed).arrayBuffer());
          this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source });
        }
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  // Relative to `<base>`, in which the server writes the path under which a proxy shows it.
  base: './',
  build: {
    // The server's content security policy forbids inline styles and `data:` URLs of scripts and fonts.
    assetsInlineLimit: 0,
    // All browsers that LiveKit's client supports know `modulepreload`.
    modulePreload: { polyfill: false },
    // livekit-client and Swagger UI exceed the default limit of 500 kB; this limit warns when they grow.
    chunkSizeWarningLimit: 1600,
    rolldownOptions: {
      // The pages of lessons, of teaching sessions, of recordings, of rooms made by Daily's API, of the REST API, and all
      // components.
      input: ['index.html', 'sessions.html', 'replay.html', 'room.html', 'docs.html', 'components.html'],
    },
  },
  // A test reads the colours out of the style sheet, which Vitest otherwise leaves empty.
  test: { css: true },
  server: {
    proxy: {
      '/page': {
        target: `http://${server}`,
        changeOrigin: true,
        // The server gives tokens to its own page only, but in development the page comes from another port.
        headers: { origin: `http://${server}` },
      },
      '/daily': `http://${server}`,
      '/api': { target: `http://${server}`, changeOrigin: true, headers: { origin: `http://${server}` } },
      '/rtc': { target: `ws://${server}`, ws: true },
    },
  },
});

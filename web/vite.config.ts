import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The server for `npm run dev`: `lectern serve --dev` on its default port.
const server = 'localhost:7880';

export default defineConfig({
  plugins: [react()],
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

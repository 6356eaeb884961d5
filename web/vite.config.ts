import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Where `npm run dev` finds the server: `lectern serve --dev` on its usual port.
const server = 'localhost:7880';

export default defineConfig({
  plugins: [react()],
  build: {
    // The server's content security policy has no inline styles and no data: scripts or fonts.
    assetsInlineLimit: 0,
    // livekit-client and Swagger UI are over the default limit of 500 kB; what matters is that they do not grow unseen.
    chunkSizeWarningLimit: 1600,
    rolldownOptions: {
      // The page of lessons, the one of a room made by Daily's API, and the one of the REST API.
      input: ['index.html', 'room.html', 'docs.html'],
    },
  },
  server: {
    proxy: {
      '/page': {
        target: `http://${server}`,
        changeOrigin: true,
        // The server gives tokens to its own page only, and in development the page comes from another port.
        headers: { origin: `http://${server}` },
      },
      '/daily': `http://${server}`,
      '/rtc': { target: `ws://${server}`, ws: true },
    },
  },
});

import { defineConfig } from 'vite';

/** Pages that only a node serves, under paths of any depth: they name their files from the root. */
const OF_THE_NODE = ['explore/'];

export default defineConfig({
  // Every other page may stand in any folder of any host.
  base: './',
  experimental: {
    renderBuiltUrl(file, { hostId, hostType }) {
      const ofTheNode = hostType === 'html' && OF_THE_NODE.some((folder) => hostId.startsWith(folder));
      return ofTheNode ? `/${file}` : { relative: true };
    },
  },
  build: {
    target: 'es2022',
    // A page's policy allows no `data:` images and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { explore: 'explore/index.html' } },
  },
});

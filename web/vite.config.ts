import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { type Plugin, defineConfig } from 'vite';

/** Pages that a server of ours serves under paths of any depth: they name their files from the root. */
const FROM_THE_ROOT = ['explore/', 'share/'];
/** The package for browsers, as scripts/build-wasm leaves it. */
const PACKAGE = new URL('../target/wasm/package/', import.meta.url);

const verifier = existsSync(new URL('testamur_wasm_bg.wasm', PACKAGE)) ? files() : null;
if (verifier === null) console.warn('web: without the pages that verify: run scripts/build-wasm first');

/** The files of the package, and a name for its folder that changes with them. */
function files() {
  const names = readdirSync(PACKAGE).filter((name) => /\.(js|wasm)$|^contexts\.json$/.test(name));
  const contents = names.sort().map((name) => ({ name, source: readFileSync(new URL(name, PACKAGE)) }));
  const hash = createHash('sha256');
  for (const { name, source } of contents) hash.update(`${name} ${source.length} `).update(source);
  return { folder: `verifier-${hash.digest('hex').slice(0, 16)}`, contents };
}

/** Puts the package beside the chunks, as it is: it finds its own files, and loads JSON-LD only when it is met. */
const withVerifier: Plugin = {
  name: 'verifier',
  generateBundle() {
    for (const { name, source } of verifier?.contents ?? []) {
      this.emitFile({ type: 'asset', fileName: `assets/${verifier?.folder}/${name}`, source });
    }
  },
};

export default defineConfig({
  // Every other page may stand in any folder of any host.
  base: './',
  plugins: [withVerifier],
  define: { __VERIFIER__: JSON.stringify(`${verifier?.folder}/index.js`) },
  experimental: {
    renderBuiltUrl(file, { hostId, hostType }) {
      const fromTheRoot = hostType === 'html' && FROM_THE_ROOT.some((folder) => hostId.startsWith(folder));
      return fromTheRoot ? `/${file}` : { relative: true };
    },
  },
  build: {
    target: 'es2022',
    // A page's policy allows no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        explore: 'explore/index.html',
        ...(verifier && { verify: 'verify/index.html', share: 'share/index.html', embed: 'embed/index.html', 'testamur-verify': 'embed/testamur-verify.ts' }),
        studio: 'studio/index.html',
      },
      output: {
        // The name that other people's pages write down.
        entryFileNames: ({ name }) => (name === 'testamur-verify' ? 'embed/[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});

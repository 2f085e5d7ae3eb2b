import { defineConfig } from "vite";

// Until the server has keys, nobody encrypts here, and 5 MB of wasm would lie in the binary for nothing.
// To switch it on: remove this plugin, call `client.initRustCrypto()` in src/matrix/connection.ts,
// and add 'wasm-unsafe-eval' to the policy in src/web/policy.rs.
const withoutCrypto = {
  name: "hearth:without-crypto",
  enforce: "pre" as const,
  resolveId(id: string): string | undefined {
    const crypto = id === "@matrix-org/matrix-sdk-crypto-wasm" || id.endsWith("/rust-crypto/index.js");
    return crypto ? "\0no-crypto" : undefined;
  },
  load(id: string): { code: string; syntheticNamedExports: boolean } | undefined {
    return id === "\0no-crypto" ? { code: "export default {};", syntheticNamedExports: true } : undefined;
  },
};

export default defineConfig({
  // Relative, so that the same files work at / and below a path.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [withoutCrypto],
  build: {
    target: "es2022",
    outDir: "dist/files",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/_matrix": { target: process.env.HEARTH_URL ?? "http://127.0.0.1:8008", ws: true } } },
  define: { global: "globalThis" },
});

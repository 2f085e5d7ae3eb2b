// Holds the size of what is loaded until the first room shows: all JavaScript and style sheets that
// index.html names, and what those import at once, compressed with brotli.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const KIB_MAX = 450;
const files = "dist/files";

const html = readFileSync(join(files, "index.html"), "utf8");
const loaded = new Set([...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.(?:js|css))"/g)].map((match) => match[1]));
for (const path of loaded) {
  const text = readFileSync(join(files, path), "utf8");
  // Static imports only: what `import()` fetches comes when it is needed.
  for (const match of text.matchAll(/(?:^|[;}])import(?:[^("']*from)?["']\.\/([^"']+)["']/g)) loaded.add(`assets/${match[1]}`);
}
let bytes = 0;
for (const path of loaded) {
  const size = statSync(join(files, `${path}.br`)).size;
  bytes += size;
  console.log(`  ${path}: ${(size / 1024).toFixed(1)} KiB`);
}
const kib = bytes / 1024;
console.log(`Loaded until the first room shows: ${kib.toFixed(1)} KiB of at most ${KIB_MAX}`);
if (loaded.size < 2 || kib > KIB_MAX) process.exit(1);

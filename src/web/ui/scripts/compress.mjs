// Lays a brotli and a gzip form beside each built file that gets smaller by it. The server embeds them.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = /\.(?:js|css|html|svg|json|webmanifest|txt)$/;

function walk(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });
}

const files = walk("dist/files").filter((path) => TEXT.test(path));
let whole = 0;
let small = 0;
for (const path of files) {
  const bytes = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const brotli = brotliCompressSync(bytes, { params });
  writeFileSync(`${path}.br`, brotli);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  whole += bytes.length;
  small += brotli.length;
}
console.log(`${files.length} files, ${Math.round(whole / 1024)} KiB, compressed ${Math.round(small / 1024)} KiB`);

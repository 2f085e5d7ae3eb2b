// For work on the UI: serves the built files from `src/web/ui/dist/files` in front of a server that was
// built earlier, with the same policy, so that a change needs no cargo build. (HEARTH_UI_OVERLAY=1)

import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { passRequest, passUpgrade } from "./pipe.mjs";

const FILES = new URL("../../src/web/ui/dist/files/", import.meta.url);
const POLICY = /UI_POLICY: &str = "([\s\S]*?)";/
  .exec(readFileSync(new URL("../../src/web/policy.rs", import.meta.url), "utf8"))[1]
  .replace(/\\\n\s*/g, "");
const KINDS = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** All files as they are now, so that a build may go on meanwhile. */
function readFiles() {
  const names = readdirSync(FILES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => relative(fileURLToPath(FILES), join(entry.parentPath, entry.name)));
  return new Map(paths.map((path) => [path, readFileSync(new URL(path, FILES))]));
}

/** Listens on a free port before the server at `port`; gives the address. */
export function startOverlay(port, ownPort = 0) {
  const files = readFiles();
  const server = createServer((asked, answer) => {
    if (asked.url.startsWith("/_matrix") || asked.url.startsWith("/.well-known")) {
      passRequest(asked, answer, port);
      return;
    }
    const path = asked.url === "/" ? "index.html" : asked.url.split("?")[0].slice(1);
    const bytes = files.get(path);
    if (!bytes) {
      answer.writeHead(404).end();
      return;
    }
    answer.writeHead(200, { "content-type": KINDS[extname(path)] ?? "application/octet-stream", "content-security-policy": POLICY });
    answer.end(bytes);
  });
  server.on("upgrade", (asked, socket, head) => passUpgrade(asked, socket, head, port));
  return new Promise((resolve) => server.listen(ownPort, "127.0.0.1", () => resolve(`http://localhost:${server.address().port}`)));
}

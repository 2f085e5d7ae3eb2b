// For work on the UI: serves the built files from `src/web/ui/dist/files` in front of a server that was
// built earlier, with the same policy, so that a change needs no cargo build. (HEARTH_UI_OVERLAY=1)

import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { extname } from "node:path";

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

/** Listens on a free port before the server at `port`; gives the address. */
export function startOverlay(port, ownPort = 0) {
  const server = createServer((asked, answer) => {
    if (asked.url.startsWith("/_matrix") || asked.url.startsWith("/.well-known")) {
      const options = { host: "127.0.0.1", port, path: asked.url, method: asked.method, headers: asked.headers };
      const onward = request(options, (got) => {
        answer.writeHead(got.statusCode, got.headers);
        got.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      answer.on("close", () => onward.destroy());
      asked.pipe(onward);
      return;
    }
    try {
      const path = asked.url === "/" ? "index.html" : asked.url.split("?")[0].slice(1);
      const bytes = readFileSync(new URL(path, FILES));
      answer.writeHead(200, { "content-type": KINDS[extname(path)] ?? "application/octet-stream", "content-security-policy": POLICY });
      answer.end(bytes);
    } catch {
      answer.writeHead(404).end();
    }
  });
  server.on("upgrade", (asked, socket, head) => {
    const onward = connect(port, "127.0.0.1", () => {
      const lines = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}`);
      onward.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  return new Promise((resolve) => server.listen(ownPort, "127.0.0.1", () => resolve(`http://localhost:${server.address().port}`)));
}

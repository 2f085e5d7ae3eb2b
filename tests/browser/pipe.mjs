// Passing requests and sockets on to a server on this machine.

import { createServer, request } from "node:http";
import { connect } from "node:net";

export function passRequest(asked, answer, port) {
  const options = { host: "127.0.0.1", port, path: asked.url, method: asked.method, headers: asked.headers };
  const onward = request(options, (got) => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  answer.on("close", () => onward.destroy());
  asked.pipe(onward);
}

export function passUpgrade(asked, socket, head, port) {
  const onward = connect(port, "127.0.0.1", () => {
    const lines = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}`);
    onward.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  onward.on("error", () => socket.destroy());
  socket.on("error", () => onward.destroy());
  return onward;
}

/** A proxy before the server at `port` that can be told to let no WebSocket through. */
export class Proxy {
  #sockets = new Map();
  #frozen = [];
  #blocked = false;

  async start(port) {
    this.server = createServer((asked, answer) => passRequest(asked, answer, port));
    this.server.on("upgrade", (asked, socket, head) => {
      if (this.#blocked) {
        socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      }
      this.#sockets.set(socket, passUpgrade(asked, socket, head, port));
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://localhost:${this.server.address().port}`;
    return this;
  }

  get sockets() {
    return this.#sockets.size;
  }

  block() {
    this.#blocked = true;
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  /** The sockets that there are stay open, and nothing comes through them any more: as where a cable is pulled. */
  freeze() {
    for (const [socket, onward] of this.#sockets) {
      socket.unpipe(onward).pause();
      onward.unpipe(socket).pause();
      this.#frozen.push(socket, onward);
    }
    this.#sockets.clear();
  }

  unblock() {
    this.#blocked = false;
  }

  end() {
    this.server.close();
    this.server.closeAllConnections();
    for (const socket of [...[...this.#sockets].flat(), ...this.#frozen]) socket.destroy();
  }
}

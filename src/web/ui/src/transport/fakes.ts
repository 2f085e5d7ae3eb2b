// For tests: a socket that does what it is told, and an HTTP that notes what it is asked.

import type { SocketLike } from "./socket";

export class FakeSocket implements SocketLike {
  readyState = 0;
  readonly sent: Record<string, unknown>[] = [];
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  onerror: SocketLike["onerror"] = null;

  constructor(
    readonly url: string,
    readonly subprotocol: string,
  ) {}

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The server accepts, and greets. */
  greet(limits: Record<string, number> = {}): void {
    this.readyState = 1;
    this.onopen?.({});
    this.give({
      op: "hello",
      user_id: "@a:h",
      device_id: "D",
      heartbeat_ms: 30_000,
      limits: { frame_bytes_max: 65_536, calls_in_flight_max: 8, ...limits },
    });
  }

  give(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  drop(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  ops(): string[] {
    return this.sent.map((frame) => String(frame.op));
  }

  last(op: string): Record<string, unknown> | undefined {
    return this.sent.findLast((frame) => frame.op === op);
  }
}

export interface Asked {
  method: string;
  url: string;
  signal: AbortSignal | undefined;
  answer(body: unknown, status?: number): void;
  fail(): void;
}

/** An HTTP of which the test gives the answers; /versions is answered by itself. */
export class FakeHttp {
  readonly asked: Asked[] = [];
  versions: unknown = { unstable_features: { "chat.hearth.websocket": true } };

  readonly fetch = (resource: URL | string | Request, init?: RequestInit): Promise<Response> => {
    const url = resource instanceof Request ? resource.url : String(resource);
    if (url.endsWith("/_matrix/client/versions")) {
      return this.versions === undefined
        ? Promise.reject(new TypeError("no network"))
        : Promise.resolve(new Response(JSON.stringify(this.versions)));
    }
    return new Promise((resolve, reject) => {
      const signal = init?.signal ?? undefined;
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      this.asked.push({
        method: init?.method ?? "GET",
        url,
        signal,
        answer: (body, status = 200) => resolve(new Response(JSON.stringify(body), { status })),
        fail: () => reject(new TypeError("no network")),
      });
    });
  };

  paths(): string[] {
    return this.asked.map((entry) => new URL(entry.url).pathname);
  }
}

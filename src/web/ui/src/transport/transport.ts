// A `fetch` whose JSON requests and syncs go over one WebSocket where the server has the extension
// chat.hearth.websocket, and over HTTP everywhere else. It knows nothing of who uses it.

import { CLOSE, CONNECT_PATH, FEATURE, SUBPROTOCOL, type AnswerFrame, type ServerFrame } from "./frames";
import { Feed } from "./feed";
import { routeOf, syncPath, type Asked, type Route } from "./route";
import { Socket, type SocketLike } from "./socket";

export type FetchLike = (resource: URL | string | Request, init?: RequestInit) => Promise<Response>;

/** `off`: the server has no such extension, or it was ended for good. */
export type TransportState = "off" | "connecting" | "up" | "down";

export interface TransportOptions {
  /** The homeserver's address, as it is given to the SDK. */
  baseUrl: string;
  /** Over HTTP; the global `fetch` if it is not given. */
  fetch?: FetchLike;
  /** Makes a socket; the global `WebSocket` if it is not given. */
  openSocket?: (url: string, subprotocol: string) => SocketLike;
  onState?: (state: TransportState) => void;
}

const RECONNECT_MS_MIN = 1_000;
const RECONNECT_MS_MAX = 60_000;
/** For the server to say what it has. */
const VERSIONS_MS_MAX = 15_000;
/** After which a server that had no extension is asked again. */
const LACKING_MS = 10 * 60_000;
/** For the body that comes at once, where the client would not wait at all. */
const FIRST_BODY_MS_MAX = 10_000;
/** What a call's frame holds beside its path, headers and body. */
const ENVELOPE_BYTES = 512;

interface Call {
  frame: string;
  /** `lost`: it may have happened; `unsent`: it has not. */
  settle(answer: AnswerFrame | "lost" | "unsent"): void;
}

interface Waiter {
  /** `replaced`: there is one sync, and a newer request for it has come. */
  wake(why: "news" | "lost" | "replaced" | AnswerFrame): void;
}

export class Transport {
  private readonly http: FetchLike;
  private readonly base: URL;
  private readonly connId = randomId();
  private socket: Socket | undefined;
  private state: TransportState = "down";
  private refusedToken: string | undefined;
  private checking = false;
  private lackingUntil = 0;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  private wanted: string | undefined;

  private feed: Feed | undefined;
  private waiter: Waiter | undefined;
  private readonly inFlight = new Map<string, Call>();
  private readonly queued: { id: string; call: Call }[] = [];
  private readonly onceReady = new Set<() => void>();
  private lastId = 0;

  constructor(private readonly options: TransportOptions) {
    this.http = options.fetch ?? ((resource, init) => globalThis.fetch(resource, init));
    this.base = new URL(options.baseUrl.endsWith("/") ? options.baseUrl : `${options.baseUrl}/`);
  }

  /** The `fetch` to hand to an SDK. */
  readonly fetch: FetchLike = async (resource, init) => {
    const asked = this.takeApart(resource, init);
    const token = asked?.headers.get("authorization")?.match(/^Bearer (.+)$/i)?.[1];
    if (!asked || !token || this.closed || init?.keepalive) return this.http(resource, init);
    const route = routeOf(asked);
    if (route.kind === "http") return this.http(resource, init);
    this.want(token, route.kind === "sync");
    if (route.kind === "sync") return this.sync(route, token, resource, init);
    if (!this.carries(token) || this.tooLarge(route)) return this.http(resource, init);
    return this.call(route, resource, init);
  };

  /** The network may have changed: looks whether the socket lives, or tries to connect at once. */
  wake(): void {
    this.socket?.probe();
    if (this.closed || this.socket || !this.timer) return;
    this.failures = 0;
    this.schedule(0);
  }

  /** Ends the connection for good, as after a logout. Requests go on over HTTP. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.socket?.close();
    this.tell("off");
  }

  // -- Connecting ----------------------------------------------------------------------------

  /** Someone uses `token`. Syncs decide whose socket this is; other calls only begin one. */
  private want(token: string, sync: boolean): void {
    if (token === this.refusedToken) return;
    if (sync) this.wanted = token;
    if (this.socket) {
      if (sync && this.socket.token !== token && this.socket.ready) this.socket.reauthenticate(token);
      return;
    }
    this.wanted ??= token;
    if (!this.timer && !this.checking && Date.now() >= this.lackingUntil) this.schedule(0);
  }

  private schedule(afterMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.connect();
    }, afterMs);
  }

  private async connect(): Promise<void> {
    const token = this.wanted;
    if (this.closed || this.socket || this.checking || !token || token === this.refusedToken) return;
    this.checking = true;
    const has = await this.hasExtension();
    this.checking = false;
    if (this.closed) return;
    if (has === undefined) {
      this.retryLater();
      return;
    }
    if (!has) {
      this.lackingUntil = Date.now() + LACKING_MS;
      this.tell("off");
      return;
    }
    this.tell("connecting");
    const url = new URL(`.${CONNECT_PATH}`, this.base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const open = this.options.openSocket ?? ((at, name) => new WebSocket(at, name) as unknown as SocketLike);
    let raw: SocketLike;
    try {
      raw = open(url.href, SUBPROTOCOL);
    } catch {
      this.retryLater();
      return;
    }
    const socket: Socket = new Socket(raw, token, {
      onReady: () => this.begin(),
      onFrame: (frame) => this.receive(frame),
      onEnd: (code, afterMs) => this.end(socket, code, afterMs),
    });
    this.socket = socket;
  }

  /** Asks /versions; `undefined` if nobody answered. */
  private async hasExtension(): Promise<boolean | undefined> {
    try {
      const signal = AbortSignal.timeout(VERSIONS_MS_MAX);
      const response = await this.http(new URL("./_matrix/client/versions", this.base).href, { signal });
      if (!response.ok) return undefined;
      const body = (await response.json()) as { unstable_features?: Record<string, boolean> };
      return body.unstable_features?.[FEATURE] === true;
    } catch {
      return undefined;
    }
  }

  private begin(): void {
    this.failures = 0;
    this.tell("up");
    for (const wake of [...this.onceReady]) wake();
  }

  private end(socket: Socket, code: number, afterMs: number | undefined): void {
    if (this.socket !== socket) return;
    this.socket = undefined;
    this.feed = undefined;
    if (code === CLOSE.TOKEN_REFUSED) {
      this.refusedToken = socket.token;
      this.wanted = undefined;
    }
    this.tell(code === CLOSE.REPLACED ? "off" : "down");
    if (code === CLOSE.REPLACED) this.closed = true;
    const waiter = this.waiter;
    this.waiter = undefined;
    waiter?.wake("lost");
    const lost = [...this.inFlight.values()];
    const unsent = this.queued.splice(0);
    this.inFlight.clear();
    for (const call of lost) call.settle("lost");
    for (const { call } of unsent) call.settle("unsent");
    if (!this.closed && this.wanted) this.retryLater(afterMs);
  }

  private retryLater(afterMs?: number): void {
    const backoff = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** Math.min(this.failures, 16));
    this.failures += 1;
    this.tell("down");
    this.schedule(afterMs ?? backoff * (0.5 + Math.random() / 2));
  }

  private tell(state: TransportState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.onState?.(state);
  }

  private receive(frame: ServerFrame): void {
    if (frame.op === "reply") {
      const call = this.inFlight.get(frame.id);
      this.inFlight.delete(frame.id);
      call?.settle(frame);
      this.sendQueued();
    } else if (frame.op === "sync" && frame.id === this.feed?.id) {
      if (this.feed.push(frame)) this.waiter?.wake("news");
    } else if (frame.op === "error" && frame.id === this.feed?.id) {
      this.feed = undefined;
      this.waiter?.wake(frame);
    }
  }

  // -- Calls ---------------------------------------------------------------------------------

  private carries(token: string): boolean {
    return this.socket?.ready === true && this.socket.token === token;
  }

  private tooLarge(route: Extract<Route, { kind: "call" }>): boolean {
    const max = this.socket?.limits?.frame_bytes_max ?? 0;
    const text = route.path.length + JSON.stringify(route.headers).length;
    // A character is at most three bytes of UTF-8; only near the limit is it worth counting.
    const bodyBytesMax = (route.body?.length ?? 0) * 3;
    if (bodyBytesMax + text * 3 + ENVELOPE_BYTES <= max) return false;
    return new TextEncoder().encode(route.body ?? "").length + text * 3 + ENVELOPE_BYTES > max;
  }

  private call(
    route: Extract<Route, { kind: "call" }>,
    resource: URL | string | Request,
    init: RequestInit | undefined,
  ): Promise<Response> {
    const signal = init?.signal ?? undefined;
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const id = this.nextId("c");
    return new Promise<Response>((resolve, reject) => {
      const stopListening = onAbort(signal, () => {
        this.cancel(id);
        reject(abortError(signal));
      });
      const call: Call = {
        frame: callFrame(id, route),
        settle: (answer) => {
          stopListening();
          if (answer !== "lost" && answer !== "unsent") resolve(toResponse(answer));
          // As with a broken fetch, what may have happened and may not happen twice is an error.
          else if (answer === "lost" && route.method === "POST") reject(new TypeError("the connection was lost"));
          else this.http(resource, init).then(resolve, reject);
        },
      };
      this.queued.push({ id, call });
      this.sendQueued();
    });
  }

  private sendQueued(): void {
    const max = this.socket?.limits?.calls_in_flight_max ?? 1;
    while (this.inFlight.size < max) {
      const next = this.queued.shift();
      if (!next) return;
      this.inFlight.set(next.id, next.call);
      this.socket?.ask(next.call.frame);
    }
  }

  private cancel(id: string): void {
    const waiting = this.queued.findIndex((entry) => entry.id === id);
    if (waiting >= 0) this.queued.splice(waiting, 1);
    if (this.inFlight.delete(id)) {
      this.socket?.send(JSON.stringify({ op: "cancel", id }));
      this.sendQueued();
    }
  }

  // -- Sync ----------------------------------------------------------------------------------

  private async sync(
    route: Extract<Route, { kind: "sync" }>,
    token: string,
    resource: URL | string | Request,
    init: RequestInit | undefined,
  ): Promise<Response> {
    if (!this.carries(token)) {
      const answer = await this.pollUntilReady(resource, init);
      if (answer) return answer;
      if (!this.carries(token)) return this.http(resource, init);
    }
    const answer = await this.syncOverSocket(route, init?.signal ?? undefined);
    // The position is good for both, so nothing is lost with the socket.
    return answer ?? this.sync(route, token, resource, init);
  }

  /** Long-polls; `undefined` if the socket came up meanwhile, and the poll was given up for it. */
  private async pollUntilReady(
    resource: URL | string | Request,
    init: RequestInit | undefined,
  ): Promise<Response | undefined> {
    const abort = new AbortController();
    const signal = init?.signal ?? undefined;
    const stopListening = onAbort(signal, () => abort.abort(signal?.reason));
    let came = false;
    const onReady = (): void => {
      came = true;
      abort.abort();
    };
    this.onceReady.add(onReady);
    try {
      return await this.http(resource, { ...init, signal: abort.signal });
    } catch (error) {
      if (came && !signal?.aborted) return undefined;
      throw error;
    } finally {
      this.onceReady.delete(onReady);
      stopListening();
    }
  }

  /** `undefined` if the socket was lost. */
  private syncOverSocket(
    route: Extract<Route, { kind: "sync" }>,
    signal: AbortSignal | undefined,
  ): Promise<Response | undefined> {
    if (signal?.aborted) return Promise.reject(abortError(signal));
    this.waiter?.wake("replaced");
    let found = this.feed?.key === route.key ? this.feed.ask(route.since) : undefined;
    if (!found?.fits) {
      this.startFeed(route);
      found = this.feed!.ask(route.since);
    }
    if (!found.fits) return Promise.resolve(undefined);
    const feed = this.feed!;
    if (found.ack !== undefined) this.socket?.send(JSON.stringify({ op: "ack", id: feed.id, seq: found.ack }));
    if (found.body) return Promise.resolve(jsonResponse(found.body));
    return this.waitForNews(feed, route, signal);
  }

  private waitForNews(
    feed: Feed,
    route: Extract<Route, { kind: "sync" }>,
    signal: AbortSignal | undefined,
  ): Promise<Response | undefined> {
    return new Promise((resolve, reject) => {
      const waitMs = feed.started ? route.timeoutMs : Math.max(route.timeoutMs, FIRST_BODY_MS_MAX);
      const timer = setTimeout(() => finish(() => resolve(jsonResponse({ next_batch: route.since }))), waitMs);
      const stopListening = onAbort(signal, () => finish(() => reject(abortError(signal))));
      const waiter: Waiter = {
        wake: (why) => {
          if (why === "lost") finish(() => resolve(undefined));
          else if (why === "replaced") finish(() => resolve(jsonResponse({ next_batch: route.since })));
          else if (why !== "news") finish(() => resolve(toResponse(why)));
          else {
            const found = feed.ask(route.since);
            if (found.fits && found.body) {
              const { body } = found;
              finish(() => resolve(jsonResponse(body)));
            }
          }
        },
      };
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        stopListening();
        if (this.waiter === waiter) this.waiter = undefined;
        settle();
      };
      this.waiter = waiter;
    });
  }

  private startFeed(route: Extract<Route, { kind: "sync" }>): void {
    if (this.feed) this.socket?.send(JSON.stringify({ op: "stop", id: this.feed.id }));
    const id = this.nextId("s");
    this.feed = new Feed(id, route.key, route.since);
    const path = syncPath(route.key, route.since);
    this.socket?.send(JSON.stringify({ op: "sync", id, conn_id: this.connId, path }));
  }

  // -- Requests ------------------------------------------------------------------------------

  private takeApart(resource: URL | string | Request, init: RequestInit | undefined): Asked | undefined {
    if (resource instanceof Request) return undefined; // Its body could be read only once.
    const url = new URL(resource, this.base);
    if (url.origin !== this.base.origin || !url.pathname.startsWith(this.base.pathname)) return undefined;
    const path = `/${url.pathname.slice(this.base.pathname.length)}${url.search}`;
    const body = init?.body ?? undefined;
    return {
      method: (init?.method ?? "GET").toUpperCase(),
      path,
      headers: new Headers(init?.headers),
      body: typeof body === "string" ? body : undefined,
      plain: body === undefined || typeof body === "string",
    };
  }

  private nextId(kind: string): string {
    this.lastId += 1;
    return `${kind}${this.lastId}`;
  }
}

/** The body is text that was checked to be JSON, so it goes in as it is. */
function callFrame(id: string, route: Extract<Route, { kind: "call" }>): string {
  const headers = Object.keys(route.headers).length > 0 ? { headers: route.headers } : {};
  const frame = JSON.stringify({ op: "call", id, method: route.method, path: route.path, ...headers });
  return route.body === undefined ? frame : `${frame.slice(0, -1)},"body":${route.body}}`;
}

function toResponse(answer: AnswerFrame): Response {
  const headers = new Headers(answer.headers);
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  const bodiless = answer.status === 204 || answer.status === 304;
  const body = bodiless ? null : JSON.stringify(answer.body ?? {});
  return new Response(body, { status: answer.status, headers });
}

function jsonResponse(body: unknown): Response {
  return new Response(JSON.stringify(body), { status: 200, headers: { "content-type": "application/json" } });
}

function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  signal?.addEventListener("abort", act, { once: true });
  return () => signal?.removeEventListener("abort", act);
}

function abortError(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new DOMException("the request was aborted", "AbortError");
}

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

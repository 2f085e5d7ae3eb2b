// One connection: authentication, heartbeat, frames. It ends once and is not used again;
// whoever made it makes another one.

import { CLOSE, parseFrame, type HelloFrame, type Limits, type ServerFrame } from "./frames";

/** As much of a WebSocket as is used here, so that tests can bring their own. */
export interface SocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason?: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
}

export interface SocketEvents {
  onReady(): void;
  onFrame(frame: ServerFrame): void;
  /** The end, told once. `code` is the server's, or 1006. */
  onEnd(code: number, reconnectAfterMs: number | undefined): void;
}

/** From opening to `hello`. */
const HELLO_MS_MAX = 10_000;
/** Of silence, in heartbeats, before a connection counts as dead. */
const SILENT_HEARTBEATS_MAX = 2;
const HEARTBEAT_MS_DEFAULT = 30_000;
/** How long a question may stay without any frame before the connection is asked whether it lives. */
const UNHEARD_MS_MAX = 8_000;
/** How long it has for answering that. */
const PROBE_MS_MAX = 5_000;
const OPEN = 1;

export class Socket {
  private hello: HelloFrame | undefined;
  private ended = false;
  private heard = false;
  private silent = 0;
  private byeMs: number | undefined;
  private probing: ReturnType<typeof setTimeout> | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private helloTimer: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly socket: SocketLike,
    private authToken: string,
    private readonly events: SocketEvents,
  ) {
    this.helloTimer = setTimeout(() => this.end(1006), HELLO_MS_MAX);
    socket.onopen = () => this.sendRaw(JSON.stringify({ op: "auth", token: this.authToken }));
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.end(event.code);
    socket.onerror = () => undefined; // A close always follows.
  }

  /** Whether calls and syncs may be sent. */
  get ready(): boolean {
    return this.hello !== undefined && !this.ended && this.socket.readyState === OPEN;
  }

  get token(): string {
    return this.authToken;
  }

  get limits(): Limits | undefined {
    return this.hello?.limits;
  }

  /** A refreshed token of the same device; frames sent behind it wait for it at the server. */
  reauthenticate(token: string): void {
    this.authToken = token;
    this.sendRaw(JSON.stringify({ op: "auth", token }));
  }

  /** Sends a whole frame; false if there is no connection to send it on. */
  send(frame: string): boolean {
    return this.ready && this.sendRaw(frame);
  }

  /** Sends a frame that will be answered: if nothing at all comes, the connection may be dead. */
  ask(frame: string): boolean {
    if (!this.send(frame)) return false;
    this.waiting ??= setTimeout(() => this.probe(), UNHEARD_MS_MAX);
    return true;
  }

  /** Asks whether the connection lives, and ends it if nothing comes. */
  probe(): void {
    if (!this.ready || this.probing) return;
    this.probing = setTimeout(() => this.end(1006), PROBE_MS_MAX);
    this.sendRaw('{"op":"ping"}');
  }

  close(): void {
    this.end(1000);
  }

  private sendRaw(frame: string): boolean {
    try {
      this.socket.send(frame);
      return true;
    } catch {
      this.end(1006);
      return false;
    }
  }

  private receive(data: unknown): void {
    if (this.ended) return;
    this.heard = true;
    this.calm();
    const frame = parseFrame(data);
    if (!frame) {
      this.end(CLOSE.BAD_FRAME);
      return;
    }
    switch (frame.op) {
      case "hello":
        this.greet(frame);
        break;
      case "ping":
        this.sendRaw('{"op":"pong"}');
        break;
      case "pong":
        break;
      case "bye":
        this.byeMs = frame.after_ms;
        break;
      default:
        this.events.onFrame(frame);
    }
  }

  /** Something came, so it lives. */
  private calm(): void {
    clearTimeout(this.probing);
    clearTimeout(this.waiting);
    this.probing = this.waiting = undefined;
  }

  private greet(frame: HelloFrame): void {
    const first = this.hello === undefined;
    this.hello = frame;
    if (!first) return;
    clearTimeout(this.helloTimer);
    this.heartbeat = setInterval(() => this.beat(), frame.heartbeat_ms || HEARTBEAT_MS_DEFAULT);
    this.events.onReady();
  }

  private beat(): void {
    this.silent = this.heard ? 0 : this.silent + 1;
    this.heard = false;
    if (this.silent >= SILENT_HEARTBEATS_MAX) this.end(1006);
    else this.sendRaw('{"op":"ping"}');
  }

  private end(code: number): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.helloTimer);
    clearInterval(this.heartbeat);
    this.calm();
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    try {
      this.socket.close();
    } catch {
      // It was never open.
    }
    this.events.onEnd(code, this.byeMs);
  }
}

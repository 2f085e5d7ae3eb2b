// The SDK's client of one session: its store, its sending queue, its transport.
//
// Everything below `matrix/` may use the SDK's types; the views see plain data only. End-to-end
// encryption will begin here, by `initRustCrypto` before `startClient`.

import {
  ClientEvent,
  createClient,
  HTTPError,
  HttpApiEvent,
  IndexedDBStore,
  MatrixError,
  MatrixScheduler,
  MemoryStore,
  PendingEventOrdering,
  SyncState,
  type MatrixClient,
  type MatrixEvent,
  type SyncStateData,
} from "matrix-js-sdk/lib/matrix";
import { logger, type Logger } from "matrix-js-sdk/lib/logger";

import { signal } from "@preact/signals";
import { Transport, type TransportState } from "../transport";
import { watchEchoes } from "./echoes";
import type { Session } from "./session";

/** What goes wrong is shown to the person, not written into the console. */
const QUIET: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  getChild: () => QUIET,
};

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 15_000;
const INITIAL_EVENTS = 20;

/** `starting` until the first sync; `offline` while the server cannot be reached. */
export type Online = "starting" | "online" | "offline";

export class Connection {
  readonly online = signal<Online>("starting");
  readonly transportState = signal<TransportState>("off");
  private readonly transport: Transport;
  private stopped = false;
  readonly client: MatrixClient;
  /** The server has ended this session. */
  onSessionEnd: () => void = () => undefined;

  constructor(readonly session: Session) {
    // The type hides that it is a logger of `loglevel`.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- parts of the SDK log by it alone.
    (logger as unknown as { setLevel(level: string): void }).setLevel("silent");
    this.transport = new Transport({
      baseUrl: location.origin,
      onState: (state) => this.onTransport(state),
    });
    this.client = createClient({
      baseUrl: location.origin,
      accessToken: session.accessToken,
      userId: session.userId,
      deviceId: session.deviceId,
      fetchFn: this.transport.fetch,
      store: makeStore(session),
      scheduler: makeScheduler(),
      timelineSupport: true,
      disableVoip: true,
      logger: QUIET,
    });
    // There are no calls here, so nobody need ask the server for what they would need.
    this.client._unstable_getRTCTransports = () => Promise.resolve([]);
    this.client.setMaxListeners(1000);
    watchEchoes(this.client);
  }

  async start(): Promise<void> {
    const { client } = this;
    client.on(ClientEvent.Sync, (state, _old, data) => this.onSync(state, data));
    client.on(HttpApiEvent.SessionLoggedOut, () => this.onSessionEnd());
    addEventListener("online", this.wake);
    addEventListener("offline", this.look);
    document.addEventListener("visibilitychange", this.look);
    // A damaged store costs a longer first sync, and no more.
    await client.store.startup().catch(() => client.store.deleteAllData());
    const started = client.startClient({
      initialSyncLimit: INITIAL_EVENTS,
      lazyLoadMembers: true,
      pendingEventOrdering: PendingEventOrdering.Detached,
      includeArchivedRooms: false,
    });
    // Whoever stops it meanwhile breaks off what it asks for, and knows.
    await started.catch((error: unknown) => {
      if (!this.stopped) throw error;
    });
  }

  /** Stops; what is stored stays, for the next page. */
  stop(): void {
    this.stopped = true;
    removeEventListener("online", this.wake);
    removeEventListener("offline", this.look);
    document.removeEventListener("visibilitychange", this.look);
    // The client first: otherwise its sync would go on over HTTP when the socket ends.
    this.client.stopClient();
    this.transport.close();
  }

  /** Stops and forgets everything that is stored here. */
  async forget(): Promise<void> {
    this.stop();
    await this.client.store.deleteAllData().catch(() => undefined);
  }

  /** The network may be back: try at once. */
  readonly wake = (): void => {
    this.transport.wake();
    this.client.retryImmediately();
  };

  private onTransport(state: TransportState): void {
    this.transportState.value = state;
    // The SDK may be waiting out a pause between two tries.
    if (state === "up" && this.online.value === "offline") this.client.retryImmediately();
  }

  /** The network may be gone, or was while the machine slept: a dead socket is noticed now. */
  private readonly look = (): void => this.transport.wake();

  private onSync(state: SyncState, data?: SyncStateData): void {
    if (state === SyncState.Prepared && data?.fromCache) return;
    if (state === SyncState.Prepared || state === SyncState.Syncing || state === SyncState.Catchup) {
      if (this.online.value !== "online") this.resendLeftovers();
      this.online.value = "online";
    } else if (state === SyncState.Reconnecting || state === SyncState.Error) {
      if (data?.error instanceof MatrixError && data.error.errcode === "M_UNKNOWN_POS") void this.startAnew();
      else if (this.online.value !== "starting" || state === SyncState.Error) this.online.value = "offline";
    }
  }

  /** The SDK would repeat a position that the server does not know for ever. */
  private async startAnew(): Promise<void> {
    await this.forget();
    location.reload();
  }

  /** What an earlier page could not send is sent now, in its order. */
  private resendLeftovers(): void {
    for (const room of this.client.getRooms()) {
      for (const event of room.getPendingEvents()) {
        if (event.status === "not_sent" && event.error === null) {
          this.client.resendEvent(event, room).catch(() => undefined);
        }
      }
    }
  }
}

function makeStore(session: Session): IndexedDBStore | MemoryStore {
  try {
    return new IndexedDBStore({
      indexedDB: globalThis.indexedDB,
      localStorage: globalThis.localStorage,
      dbName: `hearth:${session.userId}:${session.deviceId}`,
    });
  } catch {
    return new MemoryStore({ localStorage: globalThis.localStorage });
  }
}

/**
 * The queues of what is sent. An event whose answer was lost may come in with a sync, and is no local copy any more: the
 * SDK fails to send it again, and everything behind it would wait for ever.
 */
export function makeScheduler(): MatrixScheduler {
  const scheduler: MatrixScheduler = new MatrixScheduler((event, attempts, error) => {
    if (event?.status !== null) return retryAfterMs(attempts, error);
    scheduler.removeEventFromQueue(event);
    return 0;
  }, queueName);
  return scheduler;
}

/** One queue a room: order is kept there, and a room that fails holds up no other. */
function queueName(event: MatrixEvent): string {
  return event.getRoomId() ?? "none";
}

/**
 * How long to wait before an event is sent again, or -1 to give up: never for want of a network, so
 * that what is written off-line goes out in order afterwards; the transaction id stays the same.
 */
export function retryAfterMs(attempts: number, error: unknown): number {
  const backoff = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempts - 1, 10));
  // No answer, or one that broke off: a server that dies in the middle of it leaves half a body, which is no error of HTTP.
  if (!(error instanceof HTTPError)) return backoff;
  if (error.isRateLimitError()) return error.getRetryAfterMs() ?? backoff;
  const isRefusal = error.httpStatus !== undefined && error.httpStatus >= 400 && error.httpStatus < 500;
  return isRefusal ? -1 : backoff;
}

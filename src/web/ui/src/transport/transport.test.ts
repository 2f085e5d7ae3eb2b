import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeHttp, FakeSocket } from "./fakes";
import { Transport, type TransportState } from "./transport";

const BASE = "https://h.example";
const AUTH = { authorization: "Bearer t1" };

let http: FakeHttp;
let sockets: FakeSocket[];
let states: TransportState[];
let transport: Transport;

beforeEach(() => {
  vi.useFakeTimers();
  http = new FakeHttp();
  sockets = [];
  states = [];
  transport = new Transport({
    baseUrl: BASE,
    fetch: http.fetch,
    openSocket: (url, subprotocol) => {
      const socket = new FakeSocket(url, subprotocol);
      sockets.push(socket);
      return socket;
    },
    onState: (state) => states.push(state),
  });
});

afterEach(() => {
  transport.close();
  vi.useRealTimers();
});

const tick = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return transport.fetch(`${BASE}${path}`, { headers: AUTH, ...init });
}

/** Begins with a sync over HTTP, as an SDK does, until the socket is up. */
async function connect(limits: Record<string, number> = {}): Promise<FakeSocket> {
  const first = ask("/_matrix/client/v3/account/whoami");
  void first;
  const call = ask("/_matrix/client/v3/pushrules/");
  await tick();
  http.asked.at(-1)!.answer({});
  await call;
  const socket = sockets.at(-1)!;
  socket.greet(limits);
  http.asked.length = 0;
  return socket;
}

const sync = (since: string, timeout = 30_000, init: RequestInit = {}): Promise<Response> =>
  ask(`/_matrix/client/v3/sync?since=${since}&timeout=${timeout}&filter=f1`, init);

async function body(response: Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await response).json()) as Record<string, unknown>;
}

describe("connecting", () => {
  it("authenticates by the first frame, with no token in the address", async () => {
    const socket = await connect();
    expect(socket.url).toBe("wss://h.example/_matrix/client/unstable/chat.hearth.websocket/connect");
    expect(socket.subprotocol).toBe("chat.hearth.v1.json");
    expect(socket.sent[0]).toEqual({ op: "auth", token: "t1" });
    expect(states).toEqual(["connecting", "up"]);
  });

  it("stays with HTTP where the server lacks the extension", async () => {
    http.versions = { unstable_features: {} };
    const call = ask("/_matrix/client/v3/pushrules/");
    await tick();
    http.asked[0]!.answer({ ok: 1 });
    expect(await body(call)).toEqual({ ok: 1 });
    void ask("/_matrix/client/v3/pushrules/");
    await tick(60_000);
    expect(sockets).toHaveLength(0);
    expect(states).toEqual(["off"]);
  });

  it("comes back after a lost socket, later each time", async () => {
    const socket = await connect();
    socket.drop();
    await tick(1_000);
    expect(sockets).toHaveLength(2);
    sockets[1]!.drop();
    await tick(900);
    expect(sockets).toHaveLength(2);
    await tick(1_200);
    expect(sockets).toHaveLength(3);
  });

  it("waits as long as the server asks when it goes down", async () => {
    const socket = await connect();
    socket.give({ op: "bye", after_ms: 7_000 });
    socket.drop(1012);
    await tick(6_900);
    expect(sockets).toHaveLength(1);
    await tick(200);
    expect(sockets).toHaveLength(2);
  });

  it("does not come back when a newer socket of its own has replaced it", async () => {
    const socket = await connect();
    socket.drop(4409);
    await tick(120_000);
    expect(sockets).toHaveLength(1);
    expect(states.at(-1)).toBe("off");
  });

  it("does not try a refused token again, and tries another one", async () => {
    const socket = await connect();
    socket.drop(4401);
    const over = sync("s1");
    await tick(60_000);
    expect(sockets).toHaveLength(1);
    expect(http.paths()).toContain("/_matrix/client/v3/sync");
    http.asked[0]!.answer({ errcode: "M_UNKNOWN_TOKEN" }, 401);
    expect((await over).status).toBe(401);
    void ask("/_matrix/client/v3/sync?since=s1", { headers: { authorization: "Bearer t2" } });
    await tick();
    expect(sockets).toHaveLength(2);
  });

  it("hands over a refreshed token in band", async () => {
    const socket = await connect();
    void ask("/_matrix/client/v3/sync?since=s1", { headers: { authorization: "Bearer t2" } });
    await tick();
    expect(socket.last("auth")).toEqual({ op: "auth", token: "t2" });
    expect(socket.ops().indexOf("sync")).toBeGreaterThan(1);
  });

  it("answers pings, sends its own, and drops a silent connection", async () => {
    const socket = await connect();
    socket.give({ op: "ping" });
    expect(socket.ops()).toContain("pong");
    await tick(30_000);
    expect(socket.ops()).toContain("ping");
    await tick(30_000);
    await tick(30_000);
    expect(socket.readyState).toBe(3);
  });

  it("asks a connection that leaves a call unanswered whether it lives", async () => {
    const socket = await connect();
    void ask("/_matrix/client/v3/pushrules/").catch(() => undefined);
    await tick(8_000);
    expect(socket.ops().at(-1)).toBe("ping");
    socket.give({ op: "pong" });
    await tick(6_000);
    expect(states.at(-1)).toBe("up");
    void ask("/_matrix/client/v3/pushrules/").catch(() => undefined);
    await tick(13_000);
    expect(states.at(-1)).toBe("down");
    expect(http.paths()).toEqual(["/_matrix/client/v3/pushrules/", "/_matrix/client/v3/pushrules/"]);
  });

  it("asks when the network may have changed, and drops what does not answer", async () => {
    const socket = await connect();
    transport.wake();
    expect(socket.ops().at(-1)).toBe("ping");
    socket.give({ op: "pong" });
    await tick(6_000);
    expect(states.at(-1)).toBe("up");
    transport.wake();
    await tick(5_000);
    expect(states.at(-1)).toBe("down");
  });

  it("gives up a connection that does not greet", async () => {
    void ask("/_matrix/client/v3/pushrules/");
    await tick();
    await tick(10_000);
    expect(states.at(-1)).toBe("down");
    await tick(2_000);
    expect(sockets.length).toBeGreaterThan(1);
  });
});

describe("calls", () => {
  it("go over the socket, body and all, and their answers come back", async () => {
    const socket = await connect();
    const call = ask("/_matrix/client/v3/rooms/!a/send/m.room.message/t", { method: "PUT", body: '{"body":"hi"}' });
    await tick();
    const frame = socket.last("call")!;
    expect(frame).toEqual({
      op: "call",
      id: frame.id,
      method: "PUT",
      path: "/_matrix/client/v3/rooms/!a/send/m.room.message/t",
      body: { body: "hi" },
    });
    socket.give({ op: "reply", id: frame.id, status: 429, headers: { "Retry-After": "3" }, body: { errcode: "M_LIMIT_EXCEEDED" } });
    const answer = await call;
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("3");
    expect(await answer.json()).toEqual({ errcode: "M_LIMIT_EXCEEDED" });
    expect(http.asked).toHaveLength(0);
  });

  it.each([
    ["POST", "/_matrix/client/v3/login", "{}"],
    ["POST", "/_matrix/client/v3/logout", "{}"],
    ["POST", "/_matrix/client/v3/account/password", "{}"],
    ["GET", "/_matrix/client/v1/media/download/h/m", undefined],
    ["GET", "/_matrix/client/v3/rooms/!a/messages?dir=b", undefined],
    ["GET", "/_matrix/client/v3/rooms/!a/members", undefined],
    ["GET", "/_matrix/client/v3/rooms/!a/state", undefined],
    ["GET", "/_matrix/client/v3/sync", undefined],
    ["POST", "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?pos=1", "{}"],
    ["PUT", "/_matrix/client/v3/profile/@a:h/displayname", "no json"],
  ])("%s %s goes over HTTP", async (method, path, text) => {
    const socket = await connect();
    void ask(path, { method, ...(text === undefined ? {} : { body: text }) });
    await tick();
    expect(http.asked).toHaveLength(1);
    expect(socket.ops()).toEqual(["auth"]);
  });

  it("goes over HTTP without a token, with another one, and to another server", async () => {
    await connect();
    void transport.fetch(`${BASE}/_matrix/client/v3/pushrules/`);
    void ask("/_matrix/client/v3/pushrules/", { headers: { authorization: "Bearer other" } });
    void transport.fetch("https://elsewhere.example/_matrix/client/v3/pushrules/", { headers: AUTH });
    await tick();
    expect(http.asked).toHaveLength(3);
  });

  it("sends over HTTP what does not fit into a frame", async () => {
    const socket = await connect({ frame_bytes_max: 2_000 });
    void ask("/_matrix/client/v3/user/@a:h/account_data/x", { method: "PUT", body: JSON.stringify({ a: "ü".repeat(900) }) });
    void ask("/_matrix/client/v3/user/@a:h/account_data/y", { method: "PUT", body: JSON.stringify({ a: "a".repeat(900) }) });
    await tick();
    expect(http.paths()).toEqual(["/_matrix/client/v3/user/@a:h/account_data/x"]);
    expect(socket.last("call")!.path).toContain("/account_data/y");
  });

  it("keeps as many in flight as the server allows, in order", async () => {
    const socket = await connect({ calls_in_flight_max: 2 });
    const paths = ["a", "b", "c"].map((name) => `/_matrix/client/v3/profile/${name}`);
    const calls = paths.map((path) => ask(path));
    await tick();
    expect(socket.sent.filter((frame) => frame.op === "call").map((frame) => frame.path)).toEqual(paths.slice(0, 2));
    socket.give({ op: "reply", id: socket.sent[1]!.id, status: 200, body: { n: 1 } });
    expect(await body(calls[0]!)).toEqual({ n: 1 });
    expect(socket.last("call")!.path).toBe(paths[2]);
  });

  it("cancels what nobody waits for any more", async () => {
    const socket = await connect();
    const abort = new AbortController();
    const call = ask("/_matrix/client/v3/profile/a", { signal: abort.signal });
    await tick();
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    expect(socket.last("cancel")).toEqual({ op: "cancel", id: socket.last("call")!.id });
  });

  it("repeats a PUT over HTTP when the socket is lost, but not a POST", async () => {
    const socket = await connect();
    const put = ask("/_matrix/client/v3/rooms/!a/send/m.room.message/t", { method: "PUT", body: "{}" });
    const post = ask("/_matrix/client/v3/createRoom", { method: "POST", body: "{}" });
    await tick();
    socket.drop();
    await expect(post).rejects.toBeInstanceOf(TypeError);
    await tick();
    expect(http.paths()).toEqual(["/_matrix/client/v3/rooms/!a/send/m.room.message/t"]);
    http.asked[0]!.answer({ event_id: "$1" });
    expect(await body(put)).toEqual({ event_id: "$1" });
  });

  it("sends a POST over HTTP that was still waiting its turn", async () => {
    const socket = await connect({ calls_in_flight_max: 1 });
    void ask("/_matrix/client/v3/profile/a");
    const post = ask("/_matrix/client/v3/createRoom", { method: "POST", body: "{}" });
    await tick();
    socket.drop();
    await tick();
    http.asked.at(-1)!.answer({ room_id: "!1" });
    expect(await body(post)).toEqual({ room_id: "!1" });
  });
});

describe("sync", () => {
  it("starts where the client stands, and acknowledges only what it asks beyond", async () => {
    const socket = await connect();
    const first = sync("s1");
    await tick();
    const start = socket.last("sync")!;
    expect(start.path).toBe("/_matrix/client/v3/sync?filter=f1&since=s1");
    socket.give({ op: "sync", id: start.id, seq: 1, body: { next_batch: "s2", rooms: {} } });
    expect(await body(first)).toEqual({ next_batch: "s2", rooms: {} });
    expect(socket.last("ack")).toBeUndefined();

    const second = sync("s2");
    await tick();
    expect(socket.last("ack")).toEqual({ op: "ack", id: start.id, seq: 1 });
    socket.give({ op: "sync", id: start.id, seq: 2, body: { next_batch: "s3" } });
    expect((await body(second)).next_batch).toBe("s3");
    expect(socket.ops().filter((op) => op === "sync")).toHaveLength(1);
  });

  it("keeps frames that come while nobody asks, and gives them one by one", async () => {
    const socket = await connect();
    const first = sync("s1");
    await tick();
    const { id } = socket.last("sync")!;
    for (const seq of [1, 2, 3]) socket.give({ op: "sync", id, seq, body: { next_batch: `s${seq + 1}` } });
    expect((await body(first)).next_batch).toBe("s2");
    expect((await body(sync("s2"))).next_batch).toBe("s3");
    expect((await body(sync("s3"))).next_batch).toBe("s4");
    expect(socket.sent.filter((frame) => frame.op === "ack").map((frame) => frame.seq)).toEqual([1, 2]);
  });

  it("gives a body again that the client asks for again, without acknowledging it", async () => {
    const socket = await connect();
    const first = sync("s1");
    await tick();
    const { id } = socket.last("sync")!;
    socket.give({ op: "sync", id, seq: 1, body: { next_batch: "s2", n: 1 } });
    await first;
    expect(await body(sync("s1"))).toEqual({ next_batch: "s2", n: 1 });
    expect(socket.last("ack")).toBeUndefined();
  });

  it("answers an empty body with the same position when the time passes", async () => {
    const socket = await connect();
    const first = sync("s1");
    await tick();
    socket.give({ op: "sync", id: socket.last("sync")!.id, seq: 1, body: { next_batch: "s1" } });
    expect(await body(first)).toEqual({ next_batch: "s1" });
    const second = sync("s1", 5_000);
    await tick(5_000);
    expect(await body(second)).toEqual({ next_batch: "s1" });
    expect(socket.ops().filter((op) => op === "sync")).toHaveLength(1);
  });

  it("waits for the body that comes at once, even where the client would not wait", async () => {
    const socket = await connect();
    const first = sync("s1", 0);
    await tick(200);
    socket.give({ op: "sync", id: socket.last("sync")!.id, seq: 1, body: { next_batch: "s9" } });
    expect((await body(first)).next_batch).toBe("s9");
  });

  it("starts anew when a parameter changes, or the position fits nothing", async () => {
    const socket = await connect();
    void sync("s1");
    await tick();
    const before = socket.last("sync")!.id;
    void ask("/_matrix/client/v3/sync?since=s1&filter=f2&timeout=30000");
    await tick();
    expect(socket.last("stop")).toEqual({ op: "stop", id: before });
    expect(socket.last("sync")!.path).toContain("filter=f2");
    void ask("/_matrix/client/v3/sync?since=s77&filter=f2&timeout=30000");
    await tick();
    expect(socket.last("sync")!.path).toContain("since=s77");
    expect(new Set(socket.sent.filter((frame) => frame.op === "sync").map((frame) => frame.conn_id)).size).toBe(1);
  });

  it("ignores late frames of a sync that was ended", async () => {
    const socket = await connect();
    void sync("s1");
    await tick();
    const old = socket.last("sync")!.id;
    const second = sync("s5");
    await tick();
    socket.give({ op: "sync", id: old, seq: 1, body: { next_batch: "s2" } });
    socket.give({ op: "sync", id: socket.last("sync")!.id, seq: 1, body: { next_batch: "s6" } });
    expect((await body(second)).next_batch).toBe("s6");
  });

  it("gives the end of a sync as the HTTP answer that it stands for", async () => {
    const socket = await connect();
    const first = sync("s1");
    await tick();
    socket.give({ op: "error", id: socket.last("sync")!.id, status: 400, headers: {}, body: { errcode: "M_UNKNOWN_POS" } });
    const answer = await first;
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ errcode: "M_UNKNOWN_POS" });
  });

  it("goes on over HTTP with the same position when the socket is lost, and comes back", async () => {
    const socket = await connect();
    const waiting = sync("s1");
    await tick();
    socket.drop();
    await tick();
    expect(http.asked.map((entry) => entry.url)).toEqual([`${BASE}/_matrix/client/v3/sync?since=s1&timeout=30000&filter=f1`]);
    await tick(2_000);
    // The poll under way is given up for the new socket, with the same position.
    sockets[1]!.greet();
    await tick();
    expect(http.asked[0]!.signal?.aborted).toBe(true);
    expect(sockets[1]!.last("sync")!.path).toContain("since=s1");
    sockets[1]!.give({ op: "sync", id: sockets[1]!.last("sync")!.id, seq: 1, body: { next_batch: "s2" } });
    expect((await body(waiting)).next_batch).toBe("s2");
  });

  it("ends a wait that the client aborts", async () => {
    await connect();
    const abort = new AbortController();
    const waiting = sync("s1", 30_000, { signal: abort.signal });
    await tick();
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  });
});

// The frames of chat.hearth.v1.json, as far as a client reads and writes them.

/** Limits that the server names in its `hello`. */
export interface Limits {
  frame_bytes_max: number;
  calls_in_flight_max: number;
  ack_window_frames?: number;
  ack_window_bytes?: number;
}

export interface HelloFrame {
  op: "hello";
  user_id: string;
  device_id: string;
  heartbeat_ms: number;
  limits: Limits;
}

/** One response body of a continuous sync. */
export interface SyncFrame {
  op: "sync";
  id: string;
  seq: number;
  body: Record<string, unknown>;
}

/** The answer to a call, or the end of a sync, as HTTP would have answered. */
export interface AnswerFrame {
  op: "reply" | "error";
  id: string;
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export type ServerFrame =
  | HelloFrame
  | SyncFrame
  | AnswerFrame
  | { op: "bye"; after_ms: number }
  | { op: "ping" }
  | { op: "pong" };

/** Why the server closed, and what a client does then. */
export const CLOSE = {
  BAD_FRAME: 4400,
  TOKEN_REFUSED: 4401,
  OTHER_DEVICE: 4403,
  NO_AUTH: 4408,
  REPLACED: 4409,
  TOO_LARGE: 4413,
  TOO_SLOW: 4429,
  RESTART: 1012,
} as const;

export const SUBPROTOCOL = "chat.hearth.v1.json";
export const FEATURE = "chat.hearth.websocket";
export const CONNECT_PATH = "/_matrix/client/unstable/chat.hearth.websocket/connect";

/** Reads a frame; `undefined` for what is none. Unknown operations are passed on, to be ignored. */
export function parseFrame(data: unknown): ServerFrame | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== "object" || value === null || !("op" in value)) return undefined;
    return value as ServerFrame;
  } catch {
    return undefined;
  }
}

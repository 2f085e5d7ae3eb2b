export { Transport, type FetchLike, type TransportOptions, type TransportState } from "./transport";
export { FEATURE, SUBPROTOCOL } from "./frames";
export type { SocketLike } from "./socket";

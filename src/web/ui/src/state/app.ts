// The application: which of its states it is in, and what there is while somebody is signed in.

import { computed, signal } from "@preact/signals";
import type { MatrixClient } from "matrix-js-sdk/lib/matrix";

import { Actions } from "../matrix/actions";
import { Connection } from "../matrix/connection";
import { forgetList } from "../matrix/kept-list";
import { Me } from "../matrix/me";
import { startMediaWorker, Uploads } from "../matrix/media";
import { countUnread, startCounting, startNotifying } from "../matrix/notify";
import { Rooms } from "../matrix/rooms";
import { clearSession, loadSession, saveSession, signOut, type Session } from "../matrix/session";
import { desktop, sound } from "./preferences";
import { go, goToRoom, route } from "./route";
import { takeLock, type Lock } from "./tab-lock";

/** What there is of a signed-in person. */
export interface Running {
  session: Session;
  connection: Connection;
  client: MatrixClient;
  rooms: Rooms;
  me: Me;
  actions: Actions;
  uploads: Uploads;
  stop(): void;
}

export type Phase =
  | { is: "starting" }
  | { is: "signed-out"; notice: string | undefined }
  | { is: "other-tab" }
  | { is: "running"; running: Running };

export const phase = signal<Phase>({ is: "starting" });
export const running = computed(() => (phase.value.is === "running" ? phase.value.running : undefined));
export const totalUnread = computed(() => countUnread(running.value?.rooms.list.value ?? []));
/** Whether the window is in front: a message in view is read only then. */
export const inFront = signal(true);

let lock: Lock = { held: false };

/** Goes on with the kept session, or shows the way in. */
export async function boot(how: "ask" | "take over" = "ask"): Promise<void> {
  watchFront();
  startMediaWorker(() => running.value?.session.accessToken);
  const session = loadSession();
  if (!session) {
    phase.value = { is: "signed-out", notice: undefined };
    return;
  }
  await run(session, how);
}

export async function takeOver(): Promise<void> {
  phase.value = { is: "starting" };
  const session = loadSession();
  if (session) await run(session, "take over");
  else phase.value = { is: "signed-out", notice: undefined };
}

/** Begins with a session that was just made. */
export async function begin(session: Session): Promise<Running | undefined> {
  saveSession(session);
  await run(session, "take over");
  if (route.value.at === "sign-in" || route.value.at === "sign-up") go({ at: "home" }, "replace");
  return running.value;
}

export async function leave(): Promise<void> {
  const current = running.value;
  if (!current) return;
  // The sync goes first: with an ended session it would be refused, and be told of it.
  current.stop();
  void signOut(current.session);
  await end(undefined);
}

async function run(session: Session, how: "ask" | "take over"): Promise<void> {
  lock = await takeLock(how, onStolen);
  if (!lock.held) {
    phase.value = { is: "other-tab" };
    return;
  }
  const connection = new Connection(session);
  connection.onSessionEnd = () => void end("You were signed out: this session was ended at the server.");
  const { client } = connection;
  const actions = new Actions(client);
  const uploads = new Uploads(client, (roomId, content) => actions.sendContent(roomId, content));
  const rooms = new Rooms(client);
  const me = new Me(client);
  const stopNotifying = startNotifying(client, {
    sound: () => sound.value === "on",
    desktop: () => desktop.value === "on",
    roomInView: () => (inFront.value && route.value.at === "room" ? route.value.roomId : undefined),
    open: (roomId) => goToRoom(roomId),
  });
  const stopCounting = startCounting(() => rooms.list.value);
  const stop = (): void => {
    rooms.close();
    stopNotifying();
    stopCounting();
    connection.stop();
  };
  phase.value = { is: "running", running: { session, connection, client, rooms, me, actions, uploads, stop } };
  void me.load();
  await connection.start();
}

function onStolen(): void {
  running.value?.stop();
  phase.value = { is: "other-tab" };
}

async function end(notice: string | undefined): Promise<void> {
  const current = running.value;
  if (!current) return; // Every request under way may tell it.
  clearSession();
  phase.value = { is: "signed-out", notice };
  go({ at: "sign-in" }, "replace");
  document.title = "Hearth";
  current.stop();
  forgetList();
  await current.connection.forget();
  if (lock.held) lock.release();
}

let watching = false;

function watchFront(): void {
  if (watching) return;
  watching = true;
  const update = (): void => {
    inFront.value = document.visibilityState === "visible" && document.hasFocus();
  };
  for (const name of ["focus", "blur", "visibilitychange"]) addEventListener(name, update, { capture: true });
  document.addEventListener("visibilitychange", update);
  update();
}

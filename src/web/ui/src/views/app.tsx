// The whole: which page is shown, the banner, the short messages.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { phase, takeOver, type Running } from "../state/app";
import { formatRoute, route } from "../state/route";
import { dismiss, toasts } from "../state/toasts";
import { SignIn, SignUp } from "./auth";
import { Icon, Logo } from "./icons";
import { Empty, IconButton, Spinner } from "./parts";
import { RoomView } from "./room";
import { Search } from "./search";
import { InvitationButtons, Sidebar } from "./sidebar";

const KNOWN = "hearth.known";

export function App(): JSX.Element {
  const now = phase.value;
  return (
    <>
      {now.is === "starting" && <Starting />}
      {now.is === "signed-out" && <SignedOut notice={now.notice} />}
      {now.is === "other-tab" && <OtherTab />}
      {now.is === "running" && <Shell running={now.running} />}
      <Toasts />
    </>
  );
}

function Starting(): JSX.Element {
  return (
    <main class="starting">
      <Logo size={72} />
      <Spinner />
    </main>
  );
}

/** Who was never here wants an account; who was here wants in. */
function SignedOut({ notice }: { notice: string | undefined }): JSX.Element {
  const { at } = route.value;
  const known = localStorage.getItem(KNOWN) !== null;
  if (at === "sign-up" || (at !== "sign-in" && !known)) return <SignUp />;
  return <SignIn notice={notice} />;
}

function OtherTab(): JSX.Element {
  return (
    <main class="starting">
      <Logo size={72} />
      <h1>Hearth is open in another tab</h1>
      <p>Only one tab at a time can hold your conversations.</p>
      <button type="button" class="button button-main" onClick={() => void takeOver()}>
        Use it here
      </button>
    </main>
  );
}

function Shell({ running }: { running: Running }): JSX.Element {
  useEffect(() => localStorage.setItem(KNOWN, "yes"), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        document.querySelector<HTMLInputElement>("#filter")?.focus();
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const at = route.value;
  const open = at.at === "room" || at.at === "search";
  return (
    <div class="frame">
      <Banner running={running} />
      <div class={`shell ${open ? "shell-open" : ""}`}>
        <Sidebar running={running} />
        <main class="stage">
          <Stage running={running} />
        </main>
      </div>
    </div>
  );
}

function Stage({ running }: { running: Running }): JSX.Element {
  const at = route.value;
  if (at.at === "search") return <Search key={`${at.roomId ?? ""} ${at.term ?? ""}`} running={running} roomId={at.roomId} term={at.term} />;
  if (at.at === "room") return <RoomStage running={running} roomId={at.roomId} eventId={at.eventId} />;
  return (
    <div class="welcome">
      <Logo size={96} />
      <h2>Pull up a chair</h2>
      <p>Choose a conversation, or start a new one.</p>
    </div>
  );
}

/** A room just joined or made comes with the next sync. */
function RoomStage({ running, roomId, eventId }: { running: Running; roomId: string; eventId: string | undefined }): JSX.Element {
  const entry = running.rooms.list.value.find((conversation) => conversation.id === roomId);
  const room = running.client.getRoom(roomId);
  if (room && entry?.membership === "join") return <RoomView key={roomId} running={running} room={room} eventId={eventId} />;
  if (entry?.membership === "invite") {
    return (
      <Empty icon="chat" title={`You are invited to ${entry.name}`}>
        <InvitationButtons running={running} entry={entry} />
        <a class="link" href={formatRoute({ at: "home" })}>
          Decide later
        </a>
      </Empty>
    );
  }
  return <Missing key={roomId} waiting={running.connection.online.value !== "online"} />;
}

const MISSING_MS = 4_000;

function Missing({ waiting }: { waiting: boolean }): JSX.Element {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), MISSING_MS);
    return () => clearTimeout(timer);
  }, []);
  if (waiting || !late) {
    return (
      <div class="empty">
        <Spinner label="Opening the conversation" />
      </div>
    );
  }
  return (
    <Empty icon="chat" title="You are not in this conversation">
      <a class="button" href={formatRoute({ at: "home" })}>
        Back to your conversations
      </a>
    </Empty>
  );
}

/** Short interruptions are nobody's business. */
const OFFLINE_SHOWN_MS = 1_500;

function Banner({ running }: { running: Running }): JSX.Element | null {
  const offline = running.connection.online.value === "offline";
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!offline) {
      setShown(false);
      return undefined;
    }
    const timer = setTimeout(() => setShown(true), navigator.onLine ? OFFLINE_SHOWN_MS : 0);
    return () => clearTimeout(timer);
  }, [offline]);
  if (!shown) return null;
  return (
    <div class="banner" role="status">
      <Icon name="wifiOff" size={18} />
      <span>No connection. What you write is sent when it is back.</span>
      <button type="button" class="link" onClick={() => running.connection.wake()}>
        Try now
      </button>
    </div>
  );
}

function Toasts(): JSX.Element {
  return (
    <div class="toasts" aria-live="polite">
      {toasts.value.map((entry) => (
        <div key={entry.id} class={`toast toast-${entry.kind}`} role={entry.kind === "error" ? "alert" : "status"}>
          <span>{entry.text}</span>
          <IconButton icon="close" label="Dismiss" size={16} onClick={() => dismiss(entry.id)} />
        </div>
      ))}
    </div>
  );
}

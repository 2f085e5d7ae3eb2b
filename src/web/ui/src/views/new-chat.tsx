// Beginning a direct chat or a group.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import type { Person } from "../matrix/find";
import type { Running } from "../state/app";
import { goToRoom } from "../state/route";
import { reasonOf, toastError } from "../state/toasts";
import { Icon } from "./icons";
import { Dialog, Field, Spinner } from "./parts";
import { PeopleSearch } from "./people";

interface Props {
  running: Running;
  onClose: () => void;
}

export function NewChat({ running, onClose, onGroup }: Props & { onGroup: () => void }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const choose = async (person: Person): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      const roomId = await running.actions.openDirect(person.id);
      onClose();
      goToRoom(roomId);
    } catch (error) {
      toastError("The chat could not be started.", error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="New chat" onClose={onClose}>
      <PeopleSearch running={running} label="Find people" chosen={[]} onChoose={(person) => void choose(person)} />
      {busy && <Spinner label="Starting the chat" />}
      <button type="button" class="button button-wide" onClick={onGroup}>
        <Icon name="people" size={18} /> Make a group instead
      </button>
    </Dialog>
  );
}

export function NewGroup({ running, onClose }: Props): JSX.Element {
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [open, setOpen] = useState<"private" | "public">("private");
  const [people, setPeople] = useState<Person[]>([]);
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const toggle = (person: Person): void =>
    setPeople(people.some((other) => other.id === person.id) ? people.filter((other) => other.id !== person.id) : [...people, person]);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!name.trim()) {
      setError("Give it a name.");
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      const invite = people.map((person) => person.id);
      const roomId = await running.actions.createGroup({ name: name.trim(), topic: topic.trim(), open, invite });
      onClose();
      goToRoom(roomId);
    } catch (problem) {
      setError(reasonOf(problem));
      setBusy(false);
    }
  };
  return (
    <Dialog title="New group" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Field label="Name of the group" value={name} onInput={setName} error={error} autofocus />
        <Field label="Topic (optional)" value={topic} onInput={setTopic} />
        <fieldset class="choices">
          <legend>Who can join</legend>
          <label class="choice">
            <input type="radio" name="open" checked={open === "private"} onChange={() => setOpen("private")} />
            <Icon name="lock" />
            <span>
              <b>Private</b>
              <span>Only people who are invited</span>
            </span>
          </label>
          <label class="choice">
            <input type="radio" name="open" checked={open === "public"} onChange={() => setOpen("public")} />
            <Icon name="globe" />
            <span>
              <b>Public</b>
              <span>Anyone here can find and join it</span>
            </span>
          </label>
        </fieldset>
        {people.length > 0 && (
          <ul class="chips" aria-label="To be invited">
            {people.map((person) => (
              <li key={person.id}>
                <button type="button" class="chip" onClick={() => toggle(person)} aria-label={`Do not invite ${person.name}`}>
                  {person.name} <Icon name="close" size={14} />
                </button>
              </li>
            ))}
          </ul>
        )}
        <PeopleSearch running={running} label="Invite people" chosen={people.map((person) => person.id)} onChoose={toggle} />
        <p class="hint">Messages here are not end-to-end encrypted: the server can read them.</p>
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button button-main" disabled={busy}>
            {busy ? "Creating…" : "Create group"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Inviting into a room that there is. */
export function Invite({ running, roomId, onClose }: Props & { roomId: string }): JSX.Element {
  const [invited, setInvited] = useState<string[]>([]);
  const [error, setError] = useState<string>();
  const invite = async (person: Person): Promise<void> => {
    if (invited.includes(person.id)) return;
    setError(undefined);
    try {
      await running.actions.invite(roomId, person.id);
      setInvited((before) => [...before, person.id]);
    } catch (problem) {
      setError(`${person.name} could not be invited. ${reasonOf(problem)}`);
    }
  };
  return (
    <Dialog title="Invite people" onClose={onClose}>
      <PeopleSearch running={running} label="Find people" chosen={invited} onChoose={(person) => void invite(person)} />
      {error && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
      <p class="hint" role="status">
        {invited.length > 0 ? `Invited: ${invited.length}` : "Choose whom to invite."}
      </p>
      <div class="dialog-buttons">
        <button type="button" class="button button-main" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

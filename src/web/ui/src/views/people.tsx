// Finding people in the user directory, and choosing one or some of them.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { findPeople, type Person } from "../matrix/find";
import type { Running } from "../state/app";
import { reasonOf } from "../state/toasts";
import { Icon } from "./icons";
import { Avatar, Field, Spinner, useDebounced } from "./parts";

interface Props {
  running: Running;
  onChoose: (person: Person) => void;
  /** Ids that are marked. */
  chosen: string[];
  label: string;
}

const DELAY_MS = 200;

export function PeopleSearch({ running, onChoose, chosen, label }: Props): JSX.Element {
  const [term, setTerm] = useState("");
  const [found, setFound] = useState<Person[]>();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  useDebounced(term, DELAY_MS, (value) => {
    const wanted = value.trim();
    setError(undefined);
    if (!wanted) {
      setFound(undefined);
      return;
    }
    setBusy(true);
    findPeople(running.client, wanted)
      .then(setFound, (problem: unknown) => setError(reasonOf(problem)))
      .finally(() => setBusy(false));
  });
  return (
    <div class="people-search">
      <Field label={label} type="search" value={term} onInput={setTerm} error={error} placeholder="Name or @name:server" autofocus />
      <ul class="people" aria-label="People found" aria-busy={busy}>
        {busy && !found && (
          <li class="people-wait">
            <Spinner />
          </li>
        )}
        {found?.map((person) => (
          <li key={person.id}>
            <button type="button" class="person" aria-pressed={chosen.includes(person.id)} onClick={() => onChoose(person)}>
              <Avatar id={person.id} name={person.name} mxc={person.avatar} size="small" />
              <span class="person-text">
                <span class="person-name">{person.name}</span>
                <span class="person-id">{person.id}</span>
              </span>
              {chosen.includes(person.id) && <Icon name="check" size={18} />}
            </button>
          </li>
        ))}
        {found?.length === 0 && <li class="people-none">Nobody found. Somebody who does not show here is found by the whole address, such as @name:server.</li>}
        {!found && !busy && <li class="people-none">Type a name to find people on this server</li>}
      </ul>
    </div>
  );
}

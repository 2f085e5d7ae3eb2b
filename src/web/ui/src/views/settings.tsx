// The person: profile, password, theme, notifications, signing out.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { ApiError } from "../matrix/api";
import { localpart } from "../matrix/names";
import { changePassword } from "../matrix/session";
import { leave, type Running } from "../state/app";
import { desktop, sound, theme, type Theme } from "../state/preferences";
import { toast, toastError } from "../state/toasts";
import { PicturePicker } from "./auth";
import { Icon } from "./icons";
import { Avatar, Dialog, Field } from "./parts";

interface Props {
  running: Running;
  onClose: () => void;
}

export function Settings({ running, onClose }: Props): JSX.Element {
  return (
    <Dialog title="Settings" onClose={onClose}>
      <Profile running={running} />
      <Appearance />
      <Notifications />
      <section class="settings-section settings-account" aria-label="Account">
        <Password running={running} />
        <button type="button" class="button button-quiet-danger button-wide" onClick={() => void leave()}>
          <Icon name="leave" size={18} /> Sign out
        </button>
        <p class="hint connection-note">{connectionText(running)}</p>
      </section>
    </Dialog>
  );
}

function connectionText(running: Running): string {
  return running.connection.transportState.value === "up" ? "Connected by WebSocket." : "Connected by long polling.";
}

function Profile({ running }: { running: Running }): JSX.Element {
  const { me } = running;
  const { id } = me;
  const [name, setName] = useState(me.name.value);
  const [picture, setPicture] = useState<File>();
  const [busy, setBusy] = useState(false);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await me.save(name.trim() === me.name.value ? undefined : name.trim(), picture);
      toast("Your profile is saved.");
    } catch (error) {
      toastError("Your profile could not be saved.", error);
    }
    setBusy(false);
  };
  const current = <Avatar id={id} name={name || localpart(id)} mxc={me.avatar.value} size="huge" />;
  return (
    <section class="settings-section" aria-label="Profile">
      <form onSubmit={(event) => void save(event)}>
        <PicturePicker picture={picture} current={current} onPick={setPicture} />
        <p class="settings-id">{id}</p>
        <Field label="Display name" value={name} onInput={setName} autocomplete="name" />
        <button class="button button-main" disabled={busy}>
          {busy ? "Saving…" : "Save profile"}
        </button>
      </form>
    </section>
  );
}

const THEMES: [Theme, string][] = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];

function Appearance(): JSX.Element {
  return (
    <section class="settings-section">
      <fieldset class="segments">
        <legend>Theme</legend>
        <div class="segments-row">
          {THEMES.map(([value, label]) => (
            <label key={value} class="segment">
              <input type="radio" name="theme" checked={theme.value === value} onChange={() => (theme.value = value)} />
              <span>{label}</span>
            </label>
          ))}
        </div>
      </fieldset>
    </section>
  );
}

function Notifications(): JSX.Element {
  const can = "Notification" in globalThis;
  const toggleDesktop = async (on: boolean): Promise<void> => {
    if (on && (await Notification.requestPermission()) !== "granted") {
      desktop.value = "off";
      toast("The browser does not allow notifications for this page.", "error");
      return;
    }
    desktop.value = on ? "on" : "off";
  };
  return (
    <section class="settings-section">
      <h3>Notifications</h3>
      <Switch label="Play a sound" on={sound.value === "on"} onChange={(on) => (sound.value = on ? "on" : "off")} />
      {can && <Switch label="Show desktop notifications" on={desktop.value === "on"} onChange={(on) => void toggleDesktop(on)} />}
    </section>
  );
}

function Switch({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }): JSX.Element {
  return (
    <label class="switch">
      <span>{label}</span>
      <input type="checkbox" role="switch" checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
    </label>
  );
}

const PASSWORD_CHARS_MIN = 8;

function intoView(form: HTMLFormElement | null): void {
  form?.scrollIntoView({ block: "nearest" });
}

function Password({ running }: { running: Running }): JSX.Element {
  const [open, setOpen] = useState(false);
  const [before, setBefore] = useState("");
  const [after, setAfter] = useState("");
  const [others, setOthers] = useState(false);
  const [errors, setErrors] = useState<{ before?: string; after?: string }>({});
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (after.length < PASSWORD_CHARS_MIN) {
      setErrors({ after: `At least ${PASSWORD_CHARS_MIN} characters.` });
      return;
    }
    setBusy(true);
    setErrors({});
    try {
      await changePassword(running.session, before, after, others ? "log out others" : "keep others");
      toast("Your password is changed.");
      setOpen(false);
      setBefore("");
      setAfter("");
    } catch (error) {
      const wrong = error instanceof ApiError && (error.errcode === "M_FORBIDDEN" || error.status === 401);
      setErrors(wrong ? { before: "This is not your password." } : { after: error instanceof Error ? error.message : "Something went wrong." });
    }
    setBusy(false);
  };
  if (!open) {
    return (
      <button type="button" class="button button-wide" onClick={() => setOpen(true)}>
        Change password
      </button>
    );
  }
  return (
    <form ref={intoView} class="password-form" onSubmit={(event) => void submit(event)} noValidate aria-label="Change password">
      <h3>Change password</h3>
      <Field label="Password now" type="password" value={before} onInput={setBefore} error={errors.before} autocomplete="current-password" autofocus />
      <Field label="New password" type="password" value={after} onInput={setAfter} error={errors.after} hint={`At least ${PASSWORD_CHARS_MIN} characters.`} autocomplete="new-password" />
      <Switch label="Sign out all other devices" on={others} onChange={setOthers} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => setOpen(false)}>
          Cancel
        </button>
        <button class="button button-main" disabled={busy}>
          Set password
        </button>
      </div>
    </form>
  );
}

// Small parts of which the views are made.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

import { fetchBlobUrl, mediaUrl, workerReady } from "../matrix/media";
import { initials, toneOf } from "../matrix/names";
import type { Presence } from "../matrix/rooms";
import { running } from "../state/app";
import { Icon, type IconName } from "./icons";

/** An address for `<img>` and `<video>`: direct where the worker adds the token, else a blob's. */
export function useMedia(mxc: string | undefined, size?: { width: number; height: number; method?: "crop" | "scale" }): string | undefined {
  const direct = mxc ? mediaUrl(mxc, size) : undefined;
  const [blob, setBlob] = useState<{ of: string; url: string }>();
  const viaWorker = workerReady.value;
  const token = running.value?.session.accessToken;
  useEffect(() => {
    if (viaWorker || !direct || !token) return undefined;
    let wanted = true;
    fetchBlobUrl(direct, token).then(
      (url) => wanted && setBlob({ of: direct, url }),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [direct, viaWorker, token]);
  if (viaWorker) return direct;
  return blob && blob.of === direct ? blob.url : undefined;
}

interface AvatarProps {
  /** Decides the colour. */
  id: string;
  name: string;
  mxc: string | undefined;
  size?: "tiny" | "small" | "medium" | "large" | "huge";
  presence?: Presence | undefined;
}

const AVATAR_PX = { width: 96, height: 96, method: "crop" as const };
const AVATAR_PX_HUGE = { width: 192, height: 192, method: "crop" as const };

export function Avatar({ id, name, mxc, size = "medium", presence }: AvatarProps): JSX.Element {
  const url = useMedia(mxc, size === "huge" ? AVATAR_PX_HUGE : AVATAR_PX);
  const [broken, setBroken] = useState<string>();
  const words = { online: "online", away: "away", offline: "offline", unknown: "" }[presence ?? "unknown"];
  return (
    <span class={`avatar avatar-${size} tone-${toneOf(id)}`}>
      {url && broken !== url ? (
        <img src={url} alt="" onError={() => setBroken(url)} loading="lazy" decoding="async" />
      ) : (
        <span class="initials" aria-hidden="true" data-letters={initials(name, size === "tiny" ? 1 : 2)} />
      )}
      {words && <span class={`presence presence-${presence}`} role="img" aria-label={words} title={words} />}
    </span>
  );
}

type ButtonProps = JSX.IntrinsicElements["button"];

export function IconButton({ icon, label, size, ...rest }: ButtonProps & { icon: IconName; label: string; size?: number }): JSX.Element {
  return (
    <button type="button" class={`icon-button ${(rest.class as string | undefined) ?? ""}`} aria-label={label} title={label} {...omitClass(rest)}>
      <Icon name={icon} {...(size ? { size } : {})} />
    </button>
  );
}

function omitClass(props: ButtonProps): ButtonProps {
  return Object.fromEntries(Object.entries(props).filter(([name]) => name !== "class"));
}

export function Spinner({ label = "Loading" }: { label?: string }): JSX.Element {
  return <span class="spinner" role="status" aria-label={label} />;
}

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  error?: string | undefined;
  hint?: string | undefined;
  type?: "text" | "password" | "search" | "date";
  autocomplete?: string;
  autofocus?: boolean;
  onBlur?: () => void;
  maxLength?: number;
  placeholder?: string;
  multiline?: boolean;
}

/** A labelled input whose error stands below it and is read with it. */
export function Field(props: FieldProps): JSX.Element {
  const id = useId();
  const ref = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    if (props.autofocus) ref.current?.focus();
  }, [props.autofocus]);
  const note = props.error ?? props.hint;
  const shared = {
    id,
    ref,
    value: props.value,
    maxLength: props.maxLength ?? 255,
    placeholder: props.placeholder,
    onInput: (event: { currentTarget: { value: string } }) => props.onInput(event.currentTarget.value),
    onBlur: props.onBlur,
    "aria-invalid": props.error ? true : undefined,
    "aria-describedby": note ? `${id}-note` : undefined,
  };
  return (
    <div class={`field ${props.error ? "field-wrong" : ""}`}>
      <label for={id}>{props.label}</label>
      {props.multiline ? (
        <textarea {...(shared)} rows={2} />
      ) : (
        <input {...({ ...shared, ...inputProps(props) })} />
      )}
      {note && (
        <p id={`${id}-note`} class="field-note" role={props.error ? "alert" : undefined}>
          {note}
        </p>
      )}
    </div>
  );
}

function inputProps(props: FieldProps): object {
  return {
    type: props.type ?? "text",
    autocomplete: props.autocomplete ?? "off",
    autocapitalize: "none",
    spellcheck: false,
  };
}

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

/** A modal dialog of the browser's own, so that focus and Escape do what people expect. */
export function Dialog({ title, onClose, children, wide }: DialogProps): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  // The browser tells of our own closing too, when something else may be open already.
  const showing = useRef(false);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    showing.current = true;
    if (!dialog.open) dialog.showModal();
    return () => {
      showing.current = false;
      dialog.close();
      before?.focus?.();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog ${wide ? "dialog-wide" : ""}`}
      aria-labelledby={id}
      onKeyDown={(event) => {
        // In a field for searching, the browser would only empty it.
        if (event.key !== "Escape" || event.isComposing) return;
        event.preventDefault();
        onClose();
      }}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={() => showing.current && onClose()}
      onMouseDown={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** What stands where there is nothing yet. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={32} />
      </span>
      <p class="empty-title">{title}</p>
      {children && <div class="empty-text">{children}</div>}
    </div>
  );
}

/** Calls `act` a moment after the last change of `value`. */
export function useDebounced(value: string, delayMs: number, act: (value: string) => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const timer = setTimeout(() => latest.current(value), delayMs);
    return () => clearTimeout(timer);
  }, [value, delayMs]);
}

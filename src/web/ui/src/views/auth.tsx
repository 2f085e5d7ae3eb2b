// Signing in and up.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError } from "../matrix/api";
import type { Me } from "../matrix/me";
import { checkName, signIn, signUp, type NeededStage } from "../matrix/session";
import { begin } from "../state/app";
import { formatRoute } from "../state/route";
import { toastError } from "../state/toasts";
import { Icon, Logo } from "./icons";
import { Field } from "./parts";

type Errors = Partial<Record<"name" | "password" | "form", string>>;

const PASSWORD_CHARS_MIN = 8;
/** What the server takes as a name; it is not asked about others. */
const NAME = /^[a-z0-9._=\-/+]+$/;
const BAD_NAME = "Only lower-case letters, digits and . _ = - / can be used.";
/** Between leaving the field of the name and asking whether it is free. */
const CHECK_MS = 150;

/** Which field an error belongs to, in words for a person. */
export function explain(error: unknown, doing: "in" | "up"): Errors {
  if (!(error instanceof ApiError)) return { form: "Something went wrong. Please try again." };
  switch (error.errcode) {
    case "M_FORBIDDEN":
      return doing === "in" ? { password: "The name or the password is wrong." } : { form: error.message };
    case "M_USER_IN_USE":
      return { name: "This name is taken. Try another one." };
    case "M_INVALID_USERNAME":
      return { name: BAD_NAME };
    case "M_EXCLUSIVE":
      return { name: "This name is reserved." };
    case "M_WEAK_PASSWORD":
      return { password: error.message };
    case "M_USER_DEACTIVATED":
      return { name: "This account was closed." };
    case "M_LIMIT_EXCEEDED":
      return { form: `Too many tries. Wait ${Math.ceil((error.retryAfterMs ?? 10_000) / 1000)} seconds and try again.` };
    default:
      return { form: error.message };
  }
}

function AuthPage({ title, lead, children }: { title: string; lead: string; children: ComponentChildren }): JSX.Element {
  return (
    <main class="auth">
      <div class="auth-card">
        <Logo size={56} />
        <h1>{title}</h1>
        <p class="auth-lead">{lead}</p>
        {children}
      </div>
      <p class="auth-foot">Hearth, a Matrix homeserver</p>
    </main>
  );
}

export function SignIn({ notice }: { notice: string | undefined }): JSX.Element {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    const found: Errors = {};
    if (!name.trim()) found.name = "Enter your name.";
    if (!password) found.password = "Enter your password.";
    setErrors(found);
    if (found.name ?? found.password) return;
    setBusy(true);
    try {
      await begin(await signIn(name.trim(), password));
    } catch (error) {
      setErrors(explain(error, "in"));
      setBusy(false);
    }
  };
  return (
    <AuthPage title="Welcome back" lead="Sign in to go on with your conversations.">
      {notice && (
        <p class="note" role="status">
          {notice}
        </p>
      )}
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Field label="Name" value={name} onInput={setName} error={errors.name} autocomplete="username" autofocus />
        <Field label="Password" type="password" value={password} onInput={setPassword} error={errors.password} autocomplete="current-password" />
        <FormError text={errors.form} />
        <button class="button button-main button-wide" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
      <p class="auth-switch">
        New here? <a href={formatRoute({ at: "sign-up" })}>Create an account</a>
      </p>
    </AuthPage>
  );
}

function FormError({ text }: { text: string | undefined }): JSX.Element | null {
  return text ? (
    <p class="form-error" role="alert">
      {text}
    </p>
  ) : null;
}

interface Asking {
  stage: NeededStage;
  answer: (value: string | undefined) => void;
}

export function SignUp(): JSX.Element {
  const [name, setName] = useState("");
  const [shownName, setShownName] = useState("");
  const [password, setPassword] = useState("");
  const [picture, setPicture] = useState<File>();
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState<Asking>();

  const sending = useRef(false);
  sending.current = busy;

  const check = async (): Promise<void> => {
    // Who leaves the field by the button is told by the answer to that; asked now, the server might say that
    // the name is taken by the very account that is being made.
    await new Promise((done) => setTimeout(done, CHECK_MS));
    if (!name || sending.current) return;
    if (!NAME.test(name)) {
      setErrors((before) => ({ ...before, name: BAD_NAME }));
      return;
    }
    try {
      await checkName(name);
      setErrors((before) => ({ ...before, name: undefined }));
    } catch (error) {
      if (error instanceof ApiError && error.status === 400) setErrors((before) => ({ ...before, ...explain(error, "up") }));
    }
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    const found: Errors = {};
    if (!name) found.name = "Choose a name.";
    else if (!NAME.test(name)) found.name = BAD_NAME;
    if (password.length < PASSWORD_CHARS_MIN) found.password = `At least ${PASSWORD_CHARS_MIN} characters.`;
    setErrors(found);
    if (found.name ?? found.password) return;
    setBusy(true);
    try {
      const ask = (stage: NeededStage): Promise<string | undefined> =>
        new Promise((resolve) => setAsking({ stage, answer: resolve }));
      const session = await signUp(name, password, ask);
      setAsking(undefined);
      if (!session) {
        setBusy(false);
        return;
      }
      const running = await begin(session);
      if (running) await introduce(running.me, shownName.trim(), picture);
    } catch (error) {
      setAsking(undefined);
      setErrors(explain(error, "up"));
      setBusy(false);
    }
  };
  if (asking) return <Stage {...asking} />;
  return (
    <AuthPage title="Create your account" lead="A name and a password are all it takes.">
      <form onSubmit={(event) => void submit(event)} noValidate>
        <PicturePicker picture={picture} onPick={setPicture} />
        <Field
          label="Name"
          value={name}
          onInput={(value) => setName(value.toLowerCase())}
          onBlur={() => void check()}
          error={errors.name}
          hint="Others find you by it. It cannot be changed later."
          autocomplete="username"
          autofocus
        />
        <Field label="Display name (optional)" value={shownName} onInput={setShownName} autocomplete="name" />
        <Field label="Password" type="password" value={password} onInput={setPassword} error={errors.password} hint={`At least ${PASSWORD_CHARS_MIN} characters.`} autocomplete="new-password" />
        <FormError text={errors.form} />
        <button class="button button-main button-wide" disabled={busy}>
          {busy ? "Creating your account…" : "Create account"}
        </button>
      </form>
      <p class="auth-switch">
        Have an account? <a href={formatRoute({ at: "sign-in" })}>Sign in</a>
      </p>
    </AuthPage>
  );
}

/** Sets the profile of a new account; the account stands even if this fails. */
async function introduce(me: Me, shownName: string, picture: File | undefined): Promise<void> {
  try {
    await me.save(shownName || undefined, picture);
  } catch (error) {
    toastError("Your profile could not be saved.", error);
  }
}

/** A round picture that can be chosen; shared with the settings. */
export function PicturePicker({ picture, current, onPick }: { picture: File | undefined; current?: JSX.Element; onPick: (file: File) => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const [preview, setPreview] = useState<string>();
  useEffect(() => {
    if (!picture) return undefined;
    const url = URL.createObjectURL(picture);
    setPreview(url);
    return () => URL.revokeObjectURL(url);
  }, [picture]);
  return (
    <div class="picture-picker">
      <button type="button" class="picture-button" onClick={() => input.current?.click()} aria-label={picture ? "Change the profile picture" : "Add a profile picture"}>
        {preview ? <img src={preview} alt="" /> : (current ?? <Icon name="person" size={34} />)}
        <span class="picture-badge">
          <Icon name={preview || current ? "edit" : "plus"} size={14} />
        </span>
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onPick(file);
        }}
      />
    </div>
  );
}

/** What the server wants of a new person beside name and password. */
function Stage({ stage, answer }: Asking): JSX.Element {
  const [token, setToken] = useState("");
  if (stage.type === "m.login.registration_token") {
    return (
      <AuthPage title="You need an invitation" lead="This server lets people in who have a registration token.">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (token.trim()) answer(token.trim());
          }}
        >
          <Field label="Registration token" value={token} onInput={setToken} error={stage.wrong ? "The server does not know this token, or it is used up." : undefined} autofocus />
          <button class="button button-main button-wide">Go on</button>
          <CancelStage answer={answer} />
        </form>
      </AuthPage>
    );
  }
  if (stage.type === "m.login.terms") {
    return (
      <AuthPage title="Please read and accept" lead="This server has rules.">
        <ul class="plain-links">
          {stage.policies.map((policy) => (
            <li key={policy.url}>
              <a href={policy.url} target="_blank" rel="noreferrer noopener">
                {policy.name}
              </a>
            </li>
          ))}
        </ul>
        <button class="button button-main button-wide" onClick={() => answer("accepted")}>
          I accept
        </button>
        <CancelStage answer={answer} />
      </AuthPage>
    );
  }
  return (
    <AuthPage title="One more step" lead="The server asks for something on a page of its own. Come back here when it is done.">
      <a class="button button-wide" href={stage.url} target="_blank" rel="noopener">
        Open that page
      </a>
      <button class="button button-main button-wide" onClick={() => answer("done")}>
        It is done
      </button>
      <CancelStage answer={answer} />
    </AuthPage>
  );
}

function CancelStage({ answer }: { answer: (value: string | undefined) => void }): JSX.Element {
  return (
    <button type="button" class="button button-wide" onClick={() => answer(undefined)}>
      Cancel
    </button>
  );
}

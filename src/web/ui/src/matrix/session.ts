// Who is signed in here. Signing up, in and out, and the password.

import { ApiError, ask } from "./api";

/** What is needed to go on as the same device. */
export interface Session {
  userId: string;
  deviceId: string;
  accessToken: string;
}

const KEY = "hearth.session";
const DEVICE_NAME = "Hearth in a browser";
/** Rounds of interactive authentication before we stop believing the server. */
const STAGES_MAX = 8;

export function loadSession(): Session | undefined {
  try {
    const value = JSON.parse(localStorage.getItem(KEY) ?? "null") as Session | null;
    return value?.accessToken && value.userId && value.deviceId ? value : undefined;
  } catch {
    return undefined;
  }
}

export function saveSession(session: Session): void {
  localStorage.setItem(KEY, JSON.stringify(session));
}

export function clearSession(): void {
  localStorage.removeItem(KEY);
}

interface LoginAnswer {
  user_id: string;
  device_id: string;
  access_token: string;
}

function toSession(answer: LoginAnswer): Session {
  return { userId: answer.user_id, deviceId: answer.device_id, accessToken: answer.access_token };
}

/** Signs in with a name (or a whole user id) and a password. */
export async function signIn(name: string, password: string): Promise<Session> {
  const answer = await ask<LoginAnswer>("POST", "/_matrix/client/v3/login", {
    body: {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: name },
      password,
      initial_device_display_name: DEVICE_NAME,
    },
  });
  return toSession(answer);
}

/** Whether a name is free; throws `ApiError` with the reason if it is not. */
export async function checkName(name: string): Promise<void> {
  await ask("GET", `/_matrix/client/v3/register/available?username=${encodeURIComponent(name)}`);
}

/** A stage of signing up that needs the person. */
export type NeededStage =
  /** `wrong` if what was answered before was not taken. */
  | { type: "m.login.registration_token"; wrong: boolean }
  | { type: "m.login.terms"; policies: { name: string; url: string }[] }
  | { type: "other"; stage: string; url: string };

interface UiaBody {
  session?: string;
  flows?: { stages: string[] }[];
  completed?: string[];
  params?: Record<string, unknown>;
}

/**
 * Signs up. `answer` is asked for what a stage needs of the person: the token's text, or anything
 * once terms were accepted or another page has done its part; `undefined` gives up.
 */
export async function signUp(
  name: string,
  password: string,
  answer: (stage: NeededStage) => Promise<string | undefined>,
): Promise<Session | undefined> {
  const account = { username: name, password, initial_device_display_name: DEVICE_NAME };
  // Most servers want no more than this; then it is one request.
  let auth: object = { type: "m.login.dummy" };
  for (let round = 0; round < STAGES_MAX; round += 1) {
    try {
      return toSession(await ask<LoginAnswer>("POST", "/_matrix/client/v3/register", { body: { ...account, auth } }));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || !error.body.flows) throw error;
      if (round > 0 && error.errcode === "M_FORBIDDEN") throw error;
      const wrong = (auth as { type?: string }).type === pickStage(error.body);
      const next = await nextAuth(error.body, wrong, answer);
      if (!next) return undefined;
      auth = next;
    }
  }
  throw new ApiError(0, "M_UNKNOWN", "Signing up takes more steps than this page knows.");
}

async function nextAuth(
  uia: UiaBody,
  wrong: boolean,
  answer: (stage: NeededStage) => Promise<string | undefined>,
): Promise<object | undefined> {
  const stage = pickStage(uia);
  if (!stage) throw new ApiError(0, "M_FORBIDDEN", "This server does not let anyone sign up.");
  const session = uia.session;
  if (stage === "m.login.dummy") return { type: stage, session };
  if (stage === "m.login.registration_token") {
    const token = await answer({ type: stage, wrong });
    return token === undefined ? undefined : { type: stage, token, session };
  }
  if (stage === "m.login.terms") {
    const accepted = await answer({ type: stage, policies: readPolicies(uia.params?.[stage]) });
    return accepted === undefined ? undefined : { type: stage, session };
  }
  const page = `/_matrix/client/v3/auth/${encodeURIComponent(stage)}/fallback/web`;
  const done = await answer({ type: "other", stage, url: `${page}?session=${encodeURIComponent(session ?? "")}` });
  return done === undefined ? undefined : { session };
}

/** The first open stage of the flow that asks the least of the person. */
export function pickStage(uia: UiaBody): string | undefined {
  const completed = new Set(uia.completed ?? []);
  const easy = ["m.login.dummy", "m.login.registration_token", "m.login.terms"];
  const cost = (stages: string[]): number =>
    stages.filter((stage) => !completed.has(stage)).reduce((sum, stage) => sum + (easy.includes(stage) ? 1 : 10), 0);
  const flows = [...(uia.flows ?? [])].sort((a, b) => cost(a.stages) - cost(b.stages));
  return flows[0]?.stages.find((stage) => !completed.has(stage));
}

function readPolicies(params: unknown): { name: string; url: string }[] {
  const policies = (params as { policies?: Record<string, Record<string, unknown>> } | undefined)?.policies ?? {};
  return Object.values(policies).flatMap((policy) => {
    const text = (policy.en ?? Object.values(policy).find((value) => typeof value === "object")) as
      | { name?: string; url?: string }
      | undefined;
    return text?.name && text.url && /^https?:/.test(text.url) ? [{ name: text.name, url: text.url }] : [];
  });
}

/** Sets a new password; other devices are logged out if `logoutOthers`. */
export async function changePassword(
  session: Session,
  oldPassword: string,
  newPassword: string,
  logoutOthers: "keep others" | "log out others",
): Promise<void> {
  const path = "/_matrix/client/v3/account/password";
  const body = { new_password: newPassword, logout_devices: logoutOthers === "log out others" };
  const token = session.accessToken;
  try {
    await ask("POST", path, { body, token });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401 || !error.body.session) throw error;
    const identifier = { type: "m.id.user", user: session.userId };
    const auth = { type: "m.login.password", identifier, password: oldPassword, session: error.body.session };
    await ask("POST", path, { body: { ...body, auth }, token });
  }
}

/** Ends the session at the server; a failure changes nothing for the person who leaves. */
export async function signOut(session: Session): Promise<void> {
  await ask("POST", "/_matrix/client/v3/logout", { body: {}, token: session.accessToken }).catch(() => undefined);
}

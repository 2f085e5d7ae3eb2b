// Requests that need no client: what is asked before someone has signed in, and about the account.

const TIMEOUT_MS_MAX = 30_000;

/** An answer of the server that is no success, or none at all (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly errcode: string,
    message: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(message);
  }

  /** Milliseconds that the server asks to wait, with M_LIMIT_EXCEEDED. */
  get retryAfterMs(): number | undefined {
    const value = this.body.retry_after_ms;
    return typeof value === "number" ? value : undefined;
  }
}

interface AskOptions {
  body?: object;
  token?: string;
}

/** One JSON request. Throws `ApiError`. */
export async function ask<T>(method: string, path: string, options: AskOptions = {}): Promise<T> {
  const headers: Record<string, string> = {};
  if (options.token) headers.authorization = `Bearer ${options.token}`;
  if (options.body) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(`${location.origin}${path}`, {
      method,
      headers,
      body: options.body && JSON.stringify(options.body),
      signal: AbortSignal.timeout(TIMEOUT_MS_MAX),
    });
  } catch {
    throw new ApiError(0, "NETWORK", "The server cannot be reached.");
  }
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return body as T;
  const errcode = typeof body.errcode === "string" ? body.errcode : "M_UNKNOWN";
  const message = typeof body.error === "string" ? body.error : `The server answered ${response.status}.`;
  throw new ApiError(response.status, errcode, message, body);
}

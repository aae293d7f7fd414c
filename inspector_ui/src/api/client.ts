// The only fetch. Gives API models or one kind of error; remembers tags, so that "nothing new" costs no body.
import type { Health, Problem } from "./types";

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Known = { tag: string; body: unknown };

const KEPT = 60;
const known = new Map<string, Known>();

/** GET an API model. Equal data comes back as the very same object, so nothing redraws. */
export async function get<Model>(path: string, signal?: AbortSignal): Promise<Model> {
  const before = known.get(path);
  const headers: Record<string, string> = before ? { "If-None-Match": before.tag } : {};
  const reply = await ask(path, { headers, ...(signal ? { signal } : {}) });
  if (reply.status === 304 && before) {
    return before.body as Model;
  }
  const body: unknown = await reply.json();
  const tag = reply.headers.get("etag");
  if (tag) {
    remember(path, { tag, body });
  }
  return body as Model;
}

let token: Promise<string> | null = null;

/** POST a change, its body as JSON text. Carries this session's token; asks for it once. */
export async function post<Model>(path: string, body: string, signal?: AbortSignal): Promise<Model> {
  token ??= get<Health>("api/health").then((health) => health.csrf ?? "");
  try {
    const headers = { "content-type": "application/json", "x-chainlab-csrf": await token };
    const reply = await ask(path, { method: "POST", body, headers, ...(signal ? { signal } : {}) });
    return (await reply.json()) as Model;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 0 || error.code === "no_csrf")) {
      token = null; // another server by now, or none: its token is asked for with the next change
    }
    throw error;
  }
}

/** The whole text of a payload. */
export async function getPayload(hash: string): Promise<string> {
  return (await ask(payloadPath(hash), {})).text();
}

export function payloadPath(hash: string): string {
  return `api/payloads/${encodeURIComponent(hash)}`;
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let reply: Response;
  try {
    reply = await fetch(path, { ...init, credentials: "same-origin", redirect: "error" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new ApiError(0, "offline", "The inspector does not answer. Is `chainlab inspect` still running?");
  }
  if (reply.ok || reply.status === 304) {
    return reply;
  }
  throw await failure(reply);
}

async function failure(reply: Response): Promise<ApiError> {
  try {
    const { error } = (await reply.json()) as Problem;
    return new ApiError(reply.status, error.code, error.message);
  } catch {
    return new ApiError(reply.status, "error", `The inspector answered with status ${reply.status}.`);
  }
}

function remember(path: string, entry: Known): void {
  known.delete(path); // to the end: the map's order is the order of use
  known.set(path, entry);
  const oldest = known.keys().next();
  if (known.size > KEPT && !oldest.done) {
    known.delete(oldest.value);
  }
}

/** Asking the server. Every answer is typed by `spec/openapi.json`, every failure is an {@link ApiError}. */
import type { Answer, DeletedAnswer, DeleteRequest, ErrorBody, Query, ReadPath, Ticket } from "./types";

/** Why an answer is not there, in words that can be shown. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** Where the server's paths begin; index.html says so, and with it the path prefix. */
export const base = (): string => document.baseURI.replace(/[^/]*$/, "");

/** Gets a path. `{name}` in it is filled from `names`. */
export function get<P extends ReadPath>(
  path: P,
  options: { names?: Record<string, string>; query?: Query<P>; signal?: AbortSignal | undefined } = {},
): Promise<Answer<P>> {
  return ask<Answer<P>>(
    "GET",
    address(path, options.names ?? {}, options.query ?? {}),
    undefined,
    options.signal,
  );
}

/** Gets what the server named itself, such as the paths in a greeting. */
export function getNamed<A>(path: string, signal?: AbortSignal): Promise<A> {
  return ask<A>("GET", new URL(path, base()).href, undefined, signal);
}

/** Deletes executions, or says what would be deleted. */
export function deleteExecutions(request: DeleteRequest): Promise<DeletedAnswer> {
  return ask<DeletedAnswer>("POST", address("/api/executions/delete"), request);
}

/** Says the token, once: the server answers with a cookie that no script can read. */
export function signIn(token: string): Promise<unknown> {
  return ask("POST", address("/session"), { token });
}

/** Whether the server has a token; index.html says so. */
export const wantsToken = (): boolean => document.querySelector('meta[name="graflow-token"]') !== null;

/** What opens the live stream of a server with a token, for half a minute. */
export async function getTicket(): Promise<string | null> {
  const { ticket } = await ask<Ticket>("POST", address("/api/session/ticket"));
  return ticket;
}

/** The full address of a path. */
export function address(path: string, names: Record<string, string> = {}, query: object = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ""));
  const url = new URL(base() + filled.slice(1));
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

async function ask<A>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<A> {
  const request: RequestInit = { method, headers: { accept: "application/json" } };
  if (signal) request.signal = signal;
  if (body !== undefined) {
    request.headers = { accept: "application/json", "content-type": "application/json" };
    request.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(url, request);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "the server does not answer", "is `graflow lineage serve` running?");
  }
  if (response.ok) return (await response.json()) as A;
  const said = await response.json().then(
    (body: Partial<ErrorBody>) => body,
    () => ({}) as Partial<ErrorBody>,
  );
  const message = said.error ?? `the server answered ${response.status}`;
  throw new ApiError(response.status, said.code ?? "unknown", message, said.hint ?? "");
}

/** What is asked for once and again when what it depends on changes. */
import { ApiError } from "./client";

export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  readonly loading: boolean;
}

/** Asks, and asks again whenever a reactive value changes that `ask` reads before it waits. The last answer stays until the next. */
export function loaded<T>(ask: (signal: AbortSignal) => Promise<T> | undefined): Loaded<T> {
  let current = $state.raw<Loaded<T>>({ data: undefined, error: undefined, loading: true });
  let last: T | undefined;
  $effect(() => {
    const control = new AbortController();
    const answer = ask(control.signal);
    if (!answer) return;
    current = { data: last, error: undefined, loading: true };
    answer.then(
      (data) => {
        if (control.signal.aborted) return;
        last = data;
        current = { data, error: undefined, loading: false };
      },
      (error: unknown) => {
        if (control.signal.aborted) return;
        current = { data: last, error: asApiError(error), loading: false };
      },
    );
    return () => control.abort();
  });
  return {
    get data() {
      return current.data;
    },
    get error() {
      return current.error;
    },
    get loading() {
      return current.loading;
    },
  };
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(
    0,
    "page",
    error instanceof Error ? error.message : String(error),
    "load the page again",
  );
}

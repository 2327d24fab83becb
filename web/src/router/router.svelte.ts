/** Where the browser is. All state that matters is in the address, so that a link shows the same again. */
import { base } from "../api/client";
import { parse, path, type Route } from "./route";

const prefix = () => new URL(base()).pathname.replace(/\/$/, "");

function read(): { route: Route; query: URLSearchParams } {
  const within = location.pathname.slice(prefix().length) || "/";
  return { route: parse(within), query: new URLSearchParams(location.search) };
}

class Router {
  private current = $state.raw(read());

  constructor() {
    addEventListener("popstate", () => (this.current = read()));
    addEventListener("click", (event) => this.followed(event));
  }

  get route(): Route {
    return this.current.route;
  }

  /** What stands after the `?`. */
  get query(): URLSearchParams {
    return this.current.query;
  }

  /** One word of it. */
  word(name: string): string | undefined {
    return this.current.query.get(name) ?? undefined;
  }

  /** Goes to an address that `href` made. */
  go(to: string, replace = false): void {
    const other = new URL(to, location.href).pathname !== location.pathname;
    if (replace) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
    this.current = read();
    if (other) scrollTo(0, 0);
  }

  /** Changes words of the query and keeps the others; an empty one goes away. */
  set(words: Record<string, string | null | undefined>, replace = false): void {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(words)) {
      if (value === null || value === undefined || value === "") url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    if (url.href !== location.href) this.go(url.href, replace);
  }

  /** A plain click on a link between pages needs no new page from the server. */
  private followed(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(`${prefix()}/`)) return;
    if (parse(url.pathname.slice(prefix().length)).page === "missing") return;
    event.preventDefault();
    this.go(url.href);
  }
}

export const router = new Router();

/** The address of a page, with the prefix. */
export function href(route: Route, words: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(words)) if (value) query.set(name, value);
  return prefix() + path(route) + (query.size > 0 ? `?${query}` : "");
}

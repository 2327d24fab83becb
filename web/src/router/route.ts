/** Addresses of pages, and what they mean. Every address of the pages is made here, and read here. */

/** One page with what it is about. */
export type Route =
  | { page: "overview" }
  | { page: "executions" }
  | { page: "execution"; id: string }
  | { page: "workflows" }
  | { page: "workflow"; name: string }
  | { page: "profile"; name: string }
  | { page: "task"; id: string }
  | { page: "help" }
  | { page: "missing"; path: string };

const encode = encodeURIComponent;

/** The path of a page, without the prefix. */
export function path(route: Route): string {
  switch (route.page) {
    case "overview":
      return "/";
    case "execution":
      return `/executions/${encode(route.id)}`;
    case "workflow":
      return `/workflows/${encode(route.name)}`;
    case "profile":
      return `/workflows/${encode(route.name)}/profile`;
    case "task":
      return `/tasks/${encode(route.id)}`;
    case "missing":
      return route.path;
    default:
      return `/${route.page}`;
  }
}

/** The page of a path. */
export function parse(path: string): Route {
  const segments = path.split("/").filter((segment) => segment !== "");
  const [first, second, third] = segments.map(decode);
  if (first === undefined) return { page: "overview" };
  const depth = segments.length;
  if (depth === 1 && (first === "executions" || first === "workflows" || first === "help"))
    return { page: first };
  if (depth === 2 && second !== undefined) {
    if (first === "executions") return { page: "execution", id: second };
    if (first === "workflows") return { page: "workflow", name: second };
    if (first === "tasks") return { page: "task", id: second };
  }
  if (depth === 3 && first === "workflows" && second !== undefined && third === "profile") {
    return { page: "profile", name: second };
  }
  return { page: "missing", path };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

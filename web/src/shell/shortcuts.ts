/** Keys that work anywhere. Keys of a page stand with the page; `help` lists all of them from here. */

export type Shortcut = "search" | "help" | "overview" | "executions" | "workflows";

export interface Key {
  keys: string[];
  does: string;
}

export const KEYS: { where: string; keys: Key[] }[] = [
  {
    where: "Anywhere",
    keys: [
      { keys: ["Ctrl K", "/"], does: "find a run, a workflow or a task" },
      { keys: ["?"], does: "this page" },
      { keys: ["g o"], does: "go to the overview" },
      { keys: ["g e"], does: "go to executions" },
      { keys: ["g w"], does: "go to workflows" },
    ],
  },
  {
    where: "An execution",
    keys: [
      { keys: ["1", "…", "8"], does: "graph, timeline, table, data, events, logs, LLM, compare" },
      { keys: ["e"], does: "next failure" },
      { keys: ["[", "]"], does: "pass before, pass after" },
      { keys: ["c"], does: "critical path" },
      { keys: ["v"], does: "values" },
      { keys: ["l"], does: "logs" },
      { keys: ["d"], does: "what differs from another run" },
      { keys: ["f"], does: "fit the graph" },
      { keys: ["+", "−"], does: "zoom the graph" },
      { keys: ["."], does: "follow a running execution" },
      { keys: ["Esc"], does: "close the inspector" },
    ],
  },
];

/** Whether a key is typed into a field and means a letter there. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return !!target?.closest?.("input, textarea, select, [contenteditable]");
}

/** Calls back for the keys that work anywhere, until the returned function is called. */
export function onShortcut(does: (shortcut: Shortcut) => void): () => void {
  let afterG = 0;
  const pages: Record<string, Shortcut> = { o: "overview", e: "executions", w: "workflows" };
  const listener = (event: KeyboardEvent) => {
    const command = event.metaKey || event.ctrlKey;
    if (command && event.key.toLowerCase() === "k") {
      event.preventDefault();
      does("search");
      return;
    }
    if (command || event.altKey || isTyping(event)) return;
    const page = pages[event.key];
    if (page && performance.now() - afterG < 1_000) {
      event.preventDefault();
      event.stopImmediatePropagation();
      does(page);
    } else if (event.key === "/") {
      event.preventDefault();
      does("search");
    } else if (event.key === "?") does("help");
    afterG = event.key === "g" ? performance.now() : 0;
  };
  addEventListener("keydown", listener, { capture: true });
  return () => removeEventListener("keydown", listener, { capture: true });
}

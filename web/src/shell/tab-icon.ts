/** The browser tab's icon says how the shown run stands. */
const COLOURS: Record<string, string> = {
  completed: "#12754a",
  failed: "#bf2338",
  running: "#1f5ad0",
  waiting: "#7440c4",
  lost: "#c07200",
};

/** Sets it; gives back what sets the usual one again. */
export function setTabIcon(status: string | undefined): () => void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const usual = "./icon.svg";
  const colour = status && COLOURS[status];
  if (link && colour) {
    const shape =
      status === "failed"
        ? '<path d="m11 11 10 10m0-10-10 10"/>'
        : status === "completed"
          ? '<path d="m9 16.5 5 5 9-11"/>'
          : status === "waiting"
            ? '<path d="M12 10v12m8-12v12"/>'
            : status === "lost"
              ? '<path d="M16 8v10m0 5v1"/>'
              : '<path d="M16 8a8 8 0 1 1-8 8"/>';
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${colour}"/><g fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round">${shape}</g></svg>`;
    link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }
  return () => {
    if (link) link.href = usual;
  };
}

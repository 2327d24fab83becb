/** `graflow lineage serve --reload` says in index.html which build it serves; when that changes, the page begins anew. */
export function reloadWhenBuilt(): void {
  const build = () => document.querySelector<HTMLMetaElement>('meta[name="graflow-build"]')?.content;
  const mine = build();
  if (mine === undefined) return;
  setInterval(async () => {
    try {
      const text = await (await fetch(document.baseURI, { headers: { accept: "text/html" } })).text();
      const now = /name="graflow-build" content="(\d+)"/.exec(text)?.[1];
      if (now !== undefined && now !== mine) location.reload();
    } catch {
      // The server is being built as well; it comes back.
    }
  }, 1_000);
}

/** Puts a text into the clipboard; says whether that worked. */
export async function intoClipboard(text: string): Promise<boolean> {
  try {
    // Only there on loopback and behind TLS.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.position = "fixed";
    field.style.opacity = "0";
    // A modal dialog would take the focus back from outside of it.
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    const focused = document.activeElement;
    field.select();
    const worked = document.execCommand("copy");
    field.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return worked;
  }
}

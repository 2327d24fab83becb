/** The theme's colours as a canvas needs them: resolved once, and again when the theme changes. */
import { settings } from "../settings.svelte";

const dark = matchMedia("(prefers-color-scheme: dark)");
let round = $state(0);
dark.addEventListener("change", () => (round += 1));

interface Resolved {
  theme: string;
  colours: Record<string, string>;
}
const kept = new WeakMap<readonly string[], Resolved>();

/** Resolves `var(--name)`; reads reactive state, so that what draws with it draws again in the other theme. */
export function colours<N extends string>(names: readonly N[]): Record<N, string> {
  const theme = `${settings.theme} ${round}`;
  const known = kept.get(names);
  if (known?.theme === theme) return known.colours as Record<N, string>;
  const probe = document.createElement("span");
  document.body.append(probe);
  const resolved = {} as Record<N, string>;
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    resolved[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  kept.set(names, { theme, colours: resolved });
  return resolved;
}

/** The picture of a run's graph: asked for as soon as its page opens, and again when what is drawn of it has changed. */
import { ApiError, get } from "../../../api/client";
import type { Query } from "../../../api/types";
import { apply, type Picture } from "./picture";

/** Milliseconds between two questions; a picture that takes long is asked for more seldom. */
const LEAST_REST = 400;
const REST = 5;
/** Milliseconds until a question that failed is asked again. */
const RETRY = 3_000;

interface Wish {
  collapsed: string;
  expanded: string;
  /** Changes when the picture may have changed. */
  stage: string;
}

export class Pictures {
  picture: Picture | undefined = $state.raw();
  error: ApiError | undefined = $state.raw();
  /** Done when something can be drawn, or cannot. */
  readonly first: Promise<void>;

  private firstDone: () => void = () => {};
  private wanted: Wish | undefined;
  private asked: Wish | undefined;
  private control: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private restUntil = 0;
  /** How the picture is folded. */
  private folding = "";

  constructor(private readonly executionId: string) {
    this.first = new Promise((done) => (this.firstDone = done));
  }

  /** Says what should be shown. */
  want(wish: Wish): void {
    this.wanted = wish;
    if (this.asked && foldingOf(this.asked) !== foldingOf(wish)) {
      this.control?.abort();
      this.control = undefined;
      this.restUntil = 0;
    }
    this.schedule();
  }

  close(): void {
    this.wanted = undefined;
    clearTimeout(this.timer);
    this.control?.abort();
  }

  private schedule(): void {
    const isSame = this.asked && this.wanted && same(this.asked, this.wanted);
    if (!this.wanted || this.control || isSame) return;
    clearTimeout(this.timer);
    const rest = this.restUntil - performance.now();
    if (rest > 0) this.timer = setTimeout(() => void this.ask(), rest);
    else void this.ask();
  }

  private async ask(): Promise<void> {
    const wish = this.wanted;
    if (!wish) return;
    const { collapsed, expanded } = wish;
    const control = new AbortController();
    const start = performance.now();
    this.control = control;
    this.asked = wish;
    const before = this.folding === foldingOf(wish) ? this.picture : undefined;
    const query = {
      ...(collapsed ? { collapsed } : {}),
      ...(expanded ? { expanded } : {}),
      ...(before ? { after: before.version } : {}),
    } as Query<"/api/executions/{id}/layout">;
    try {
      const names = { id: this.executionId };
      const layout = await get("/api/executions/{id}/layout", { names, query, signal: control.signal });
      if (this.control !== control) return;
      this.picture = apply(before, layout);
      this.folding = foldingOf(wish);
      this.error = undefined;
      this.restUntil = performance.now() + Math.max(LEAST_REST, REST * (performance.now() - start));
    } catch (error) {
      if (this.control !== control) return;
      this.error =
        error instanceof ApiError ? error : new ApiError(0, "page", String(error), "load the page again");
      this.asked = undefined;
      this.restUntil = performance.now() + RETRY;
    }
    this.control = undefined;
    requestAnimationFrame(() => setTimeout(this.firstDone));
    this.schedule();
  }
}

const foldingOf = ({ collapsed, expanded }: Wish) => `${collapsed}|${expanded}`;
const same = (a: Wish, b: Wish) => a.stage === b.stage && foldingOf(a) === foldingOf(b);

// What models are writing, by step, as far as it was told. Forgets the oldest.
import type { Written } from "./types";

const KEPT = 64;

export type Told = Pick<Written, "n" | "text">;

export class Texts {
  readonly #texts = new Map<string, Told>();

  get(run: string, path: string): Told | undefined {
    return this.#texts.get(keyOf(run, path));
  }

  /** Take in a frame; whether it brought anything. One that comes twice, or whose beginning is missing, brings nothing. */
  add({ run, path, n, at, text }: Written): boolean {
    const key = keyOf(run, path);
    const known = this.#texts.get(key);
    if (known && known.n > n) {
      return false;
    }
    const before = known?.n === n ? known.text : "";
    if (at > before.length || at + text.length <= before.length) {
      return false;
    }
    this.#texts.delete(key); // to the end: the map's order is the order of use
    this.#texts.set(key, { n, text: before.slice(0, at) + text });
    const oldest = this.#texts.keys().next();
    if (this.#texts.size > KEPT && !oldest.done) {
      this.#texts.delete(oldest.value);
    }
    return true;
  }

  /** All of it, as frames: for a tab that was opened later. */
  all(): Written[] {
    return [...this.#texts].map(([key, { n, text }]) => {
      const [run = "", path = ""] = key.split("\n", 2);
      return { run, path, n, at: 0, text };
    });
  }
}

function keyOf(run: string, path: string): string {
  return `${run}\n${path}`; // ids hold no line break
}

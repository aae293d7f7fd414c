// Whether a text is worth to be drawn as Markdown. Pure; apart from markdown.ts, which is loaded when it is drawn.
const MOST = 200_000; // characters: above it a browser would stand still while it reads
const MARKS = /^ {0,3}(#{1,6} |[-*+] |\d{1,9}[.)] |>|```|~~~|\|.*\|)|\*\*|`[^`\n]+`|\[[^\]\n]+\]\(/m;

/** Whether it is worth to offer the drawing: something in the text means something else than itself. */
export function looksMarked(text: string): boolean {
  return text.length <= MOST && MARKS.test(text);
}

// A template to type in: a plain text area with the same text in colours behind it, line numbers, marked lines, and
// names to complete from the recorded values. Above a size nobody edits by hand it is a text area and no more.
import { memo, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { type Completion, completionAt, type Option, type Variable } from "../lib/complete";
import { plural } from "../lib/format";
import { type TemplatePart, templateLines } from "../lib/template";

const COLOURED = 30_000; // characters; above it colours would make typing slow

type Props = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  variables: readonly Variable[];
  wrong: ReadonlySet<number>;
  describedBy?: string | undefined;
  focused?: boolean;
};

export function TemplateEditor({ label, value, onChange, variables, wrong, describedBy, focused = false }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const coloured = value.length <= COLOURED;
  const lines = useMemo(() => (coloured ? templateLines(value) : []), [value, coloured]);
  const list = useCompletion(area, value, variables);
  useLayoutEffect(() => {
    if (focused) {
      area.current?.focus({ preventScroll: true });
      area.current?.setSelectionRange(area.current.value.length, area.current.value.length);
    }
  }, [focused]);
  return (
    <div className={`editor ${coloured ? "" : "is-plain"}`}>
      {coloured && (
        <div className="editor-lines mono" aria-hidden="true">
          {lines.map((parts, i) => (
            <Line key={i} parts={parts} wrong={wrong.has(i + 1)} />
          ))}
        </div>
      )}
      <textarea
        ref={area}
        className="mono"
        aria-label={label}
        aria-describedby={describedBy}
        aria-invalid={wrong.size > 0 || undefined}
        aria-autocomplete="list"
        aria-controls={list.found ? list.id : undefined}
        aria-activedescendant={list.found ? `${list.id}-${list.at}` : undefined}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
          list.look(event.target.value, event.target.selectionStart);
        }}
        onKeyDown={list.onKey}
        onBlur={list.close}
        onPointerDown={list.close}
      />
      {list.found && <OptionList {...list} found={list.found} area={area} />}
      <span className="visually-hidden" aria-live="polite">
        {list.found ? `${plural(list.found.options.length, "name")} to complete with` : ""}
      </span>
    </div>
  );
}

/** Drawn anew only when its own text changes: joined parts are the text. */
const Line = memo(
  function Line({ parts, wrong }: { parts: readonly TemplatePart[]; wrong: boolean }) {
    return (
      <div className={`editor-line ${wrong ? "is-wrong" : ""}`}>
        {parts.map((part, i) =>
          part.kind === "text" ? part.text : <span key={i} className={`jinja-${part.kind}`}>{part.text}</span>,
        )}
      </div>
    );
  },
  (a, b) =>
    a.wrong === b.wrong &&
    a.parts.length === b.parts.length &&
    a.parts.every((part, i) => part.kind === b.parts[i]?.kind && part.text === b.parts[i]?.text),
);

type CompletionList = {
  id: string;
  found: Completion | null;
  at: number;
  look: (text: string, caret: number) => void;
  close: () => void;
  take: (option: Option) => void;
  onKey: (event: React.KeyboardEvent) => void;
};

function useCompletion(
  area: React.RefObject<HTMLTextAreaElement | null>,
  value: string,
  variables: readonly Variable[],
): CompletionList {
  const id = useId();
  const [found, setFound] = useState<Completion | null>(null);
  const [at, setAt] = useState(0);
  const look = (text: string, caret: number): void => {
    setFound(completionAt(text, caret, variables));
    setAt(0);
  };
  const close = (): void => setFound(null);
  const take = (option: Option): void => {
    const { current } = area;
    if (current && found) {
      current.setSelectionRange(found.from, current.selectionEnd);
      // The one way to change a text area that its own undo knows of; React hears of it as of typing.
      document.execCommand("insertText", false, option.text);
      setFound(null);
    }
  };
  const onKey = (event: React.KeyboardEvent): void => {
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      look(value, area.current?.selectionStart ?? 0);
      return;
    }
    if (!found || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const option = found.options[at];
    if (step !== undefined) {
      setAt((at + step + found.options.length) % found.options.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && option) {
      take(option);
    } else if (event.key === "Escape") {
      close();
    } else {
      if (event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End") {
        close();
      }
      return;
    }
    event.preventDefault();
  };
  return { id, found, at, look, close, take, onKey };
}

type ListProps = CompletionList & { found: Completion; area: React.RefObject<HTMLTextAreaElement | null> };

function OptionList({ id, found, at, take, area }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (box.current && area.current) {
      place(box.current, area.current, found.from);
    }
  }, [found, area]);
  useLayoutEffect(() => {
    box.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <div className="completion mono" role="listbox" id={id} aria-label="Names" ref={box}>
      {found.options.map((option, i) => (
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the text area has the focus and hears the keys
        <div
          key={option.text}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === at}
          tabIndex={-1}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => take(option)}
        >
          <span>{option.text}</span>
          <span className="muted">{option.type}</span>
        </div>
      ))}
    </div>
  );
}

/** Puts the list below the character at an offset, measured on the coloured copy of the text. */
function place(box: HTMLElement, area: HTMLTextAreaElement, offset: number): void {
  const before = area.value.slice(0, offset).split("\n");
  const line = area.parentElement?.querySelector(".editor-lines")?.children[before.length - 1];
  const editor = area.parentElement?.getBoundingClientRect();
  if (!line || !editor) {
    return; // no colours, no place to measure: it stands at the top
  }
  const spot = rectAt(line, before.at(-1)?.length ?? 0);
  box.style.left = `${Math.max(0, Math.min(spot.left - editor.left, editor.width - box.offsetWidth - 4))}px`;
  box.style.top = `${spot.bottom - editor.top + 2}px`;
}

function rectAt(line: Element, column: number): DOMRect {
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let left = column;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.textContent?.length ?? 0;
    if (left <= length) {
      const range = document.createRange();
      range.setStart(node, left);
      range.collapse(true);
      return range.getBoundingClientRect();
    }
    left -= length;
  }
  return line.getBoundingClientRect();
}

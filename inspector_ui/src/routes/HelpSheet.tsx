// The keys, on one sheet. Opened by `?`, closed by Escape: the browser's own dialog keeps the focus inside.
import { useRef } from "react";
import { useLetters } from "./useLetters";

const KEYS: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    "A run",
    [
      ["1 2 3", "graph, timeline, list of steps"],
      ["j k", "next and previous step"],
      ["e E", "next and previous failed step"],
      ["← ↑ → ↓", "move in the graph; Enter opens"],
      ["+ - 0", "zoom the timeline around the step; whole run"],
      ["R", "replay the step: edit and run again"],
      ["d", "compare a fork with its parent"],
    ],
  ],
  ["The runs", [["c", "compare the two marked runs"], ["g", "try an edit on the marked runs"]]],
  [
    "Replay",
    [
      ["Ctrl Enter", "run (⌘ on a Mac)"],
      ["Ctrl Space", "names to complete with; ↑ ↓ Enter"],
      ["Ctrl .", "take the binding that is offered"],
      ["Esc", "close; the draft is kept"],
    ],
  ],
  [
    "Compare",
    [
      ["j k", "next and previous step that differs"],
      ["o", "only what differs"],
      ["x", "swap the runs"],
      ["K", "keep the fork: accept it, and see its patch"],
      ["R", "replay the step again"],
    ],
  ],
  [
    "Everywhere",
    [
      ["Ctrl K", "go to a run, a step, a chain, a screen (⌘K on a Mac)"],
      ["?", "this sheet"],
    ],
  ],
];

export function HelpSheet() {
  const sheet = useRef<HTMLDialogElement>(null);
  const open = (): void => sheet.current?.showModal();
  useLetters((key) => {
    if (key === "?") {
      open();
    }
    return key === "?";
  });
  return (
    <>
      <button type="button" className="quiet" onClick={open} aria-label="Keys" title="Keys (?)">
        ?
      </button>
      <dialog ref={sheet} className="help" aria-labelledby="help-title">
        <div className="help-head">
          <h2 id="help-title">Keys</h2>
          <button type="button" onClick={() => sheet.current?.close()}>
            Close <kbd>Esc</kbd>
          </button>
        </div>
        <div className="help-body">
          {KEYS.map(([place, keys]) => (
            <section key={place}>
              <h3>{place}</h3>
              <dl>
                {keys.map(([key, does]) => (
                  <div key={key}>
                    <dt>
                      <kbd>{key}</kbd>
                    </dt>
                    <dd>{does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      </dialog>
    </>
  );
}

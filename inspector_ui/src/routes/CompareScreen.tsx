// Two runs side by side: their heads, their steps aligned, and the step that the URL names, else the first that differs.
import { useEffect, useState } from "react";
import { useComparison, useReplays } from "../api/queries";
import type { Comparison } from "../api/types";
import { CompareHead } from "../compare/CompareHead";
import { CompareList } from "../compare/CompareList";
import { Part, StepDifference } from "../compare/StepDifference";
import { ValueDiffView } from "../compare/ValueDiffView";
import { KeepPane } from "../keep/KeepPane";
import { countsOf, diverges, MARKS, nextDiffering, openedIn, pathOf } from "../lib/compared";
import { shortId } from "../lib/format";
import { type CompareRoute, formatRoute, runRoute } from "../lib/route";
import { isActive } from "../lib/steps";
import { Empty, Loading, StaleBanner, Trouble } from "../trace/States";
import { useLetters } from "./useLetters";
import { useGo } from "./useRoute";

export function CompareScreen({ route }: { route: CompareRoute }) {
  const query = useComparison(route.a, route.b, route.step);
  useEffect(() => {
    document.title = `Compare ${shortId(route.a)} and ${shortId(route.b)} · chainlab`;
  }, [route.a, route.b]);
  if (query.isPending) {
    return <Loading rows={12} />;
  }
  if (!query.data) {
    return <Trouble error={query.error} retry={() => query.refetch()} />;
  }
  return (
    <>
      <StaleBanner error={query.error} />
      <Compared comparison={query.data} route={route} />
    </>
  );
}

function Compared({ comparison, route }: { comparison: Comparison; route: CompareRoute }) {
  const go = useGo();
  const { opened } = comparison;
  const selected = route.step || openedIn(comparison);
  const step = comparison.steps.find((one) => pathOf(one) === openedIn(comparison));
  const shown = route.only ? comparison.steps.filter(diverges) : comparison.steps;
  const swap = (): void => go({ ...route, a: route.b, b: route.a, step: "", pane: "" });
  const keep = useKeeping(comparison, route);
  useLetters((key) => {
    const next = key === "j" || key === "k" ? nextDiffering(comparison.steps, selected, key === "k") : null;
    if (next !== null) {
      go({ ...route, step: next }, true);
    } else if (key === "x") {
      swap();
    } else if (key === "K" && keep.begin) {
      keep.begin();
    } else if (key === "o") {
      go({ ...route, only: route.only ? "" : "differing" }, true);
    } else if ((key === "r" || key === "R") && opened?.path_b) {
      go(runRoute(comparison.b.id, { step: opened.path_b, mode: "replay" }));
    } else {
      return false;
    }
    return true;
  });
  return (
    <div className={`compare-screen ${route.step ? "has-step" : ""}`}>
      <CompareHead comparison={comparison} onSwap={swap} onKeep={keep.begin} />
      {route.pane === "keep" && keep.begin && (
        <KeepPane fork={comparison.b} accept={keep.accept} onClose={() => go({ ...route, pane: "" }, true)} />
      )}
      <RunValues comparison={comparison} />
      <div className="run-body">
        <section className="run-left" aria-label="Steps">
          <div className="switch compare-filter">
            <Counts comparison={comparison} />
            <button type="button" aria-pressed={route.only !== ""} onClick={() => go({ ...route, only: route.only ? "" : "differing" }, true)}>
              Only what differs <kbd>o</kbd>
            </button>
          </div>
          {shown.length === 0 ? (
            <Empty title="No step differs" />
          ) : (
            <CompareList steps={shown} selected={selected} hrefOf={(path) => formatRoute({ ...route, step: path })} />
          )}
        </section>
        <section className="run-right" aria-label="Difference">
          <a className="back" href={formatRoute({ ...route, step: "" })}>
            ← All steps
          </a>
          {opened && step ? (
            <StepDifference key={pathOf(step)} comparison={comparison} step={step} diff={opened} />
          ) : (
            <Empty title="No step differs">
              <p>Both runs did the same. Choose a step to see it.</p>
            </Empty>
          )}
        </section>
      </div>
    </div>
  );
}

/** Keeping b, where it is a fork that has ended. An address opens the pane; only a person's press accepts. */
function useKeeping(comparison: Comparison, route: CompareRoute): { begin: (() => void) | null; accept: boolean } {
  const go = useGo();
  const [accept, setAccept] = useState(false);
  const may = useReplays() === true && comparison.b.parent_run_id !== null && !isActive(comparison.b.status);
  const begin = (): void => {
    setAccept(true);
    go({ ...route, pane: "keep" }, true);
  };
  return { begin: may ? begin : null, accept };
}

function Counts({ comparison }: { comparison: Comparison }) {
  return (
    <span className="muted compare-counts">
      {countsOf(comparison.steps)
        .map(([mark, count]) => `${count} ${MARKS[mark]}`)
        .join(" · ")}
    </span>
  );
}

/** What the runs themselves were given and gave, where that differs. */
function RunValues({ comparison }: { comparison: Comparison }) {
  const { input_diffs: inputs, output } = comparison;
  return inputs.length === 0 && !output ? null : (
    <details className="run-values compare-values">
      <summary>
        {[inputs.length > 0 ? "The runs' inputs" : "", output ? (inputs.length > 0 ? "output" : "The runs' output") : ""]
          .filter(Boolean)
          .join(" and ")}{" "}
        differ{inputs.length > 0 ? "" : "s"}
      </summary>
      {inputs.map((input) => (
        <Part key={input.name} title="Input" detail={input.name}>
          <ValueDiffView diff={input.value} label={`Input ${input.name} of the runs`} />
        </Part>
      ))}
      {output && (
        <Part title="Output">
          <ValueDiffView diff={output} label="Output of the runs" />
        </Part>
      )}
    </details>
  );
}

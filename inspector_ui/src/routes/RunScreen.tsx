// One run: what it came to, its steps as a graph or a list, and the step that the URL names beside them.
import { useEffect } from "react";
import { useRun } from "../api/queries";
import type { RunView } from "../api/types";
import { formatRoute, type RunRoute } from "../lib/route";
import { instanceOf, isActive, nextFailed, openAt } from "../lib/steps";
import { RunGraph } from "../trace/RunGraph";
import { RunHead } from "../trace/RunHead";
import { Empty, Loading, StaleBanner, Trouble } from "../trace/States";
import { StepList } from "../trace/StepList";
import { StepPane } from "../trace/StepPane";
import { useGo } from "./useRoute";

export function RunScreen({ route }: { route: RunRoute }) {
  const query = useRun(route.id);
  const chain = query.data?.run.chain;
  useEffect(() => {
    document.title = `${chain ?? "Run"} ${route.id.slice(0, 12)} · chainlab`;
  }, [chain, route.id]);
  if (query.isPending) {
    return <Loading rows={12} />;
  }
  if (!query.data) {
    return <Trouble error={query.error} retry={() => query.refetch()} />;
  }
  return (
    <>
      <StaleBanner error={query.error} />
      <Run view={query.data} route={route} />
    </>
  );
}

function Run({ view, route }: { view: RunView; route: RunRoute }) {
  const go = useGo();
  const selected = route.step || openAt(view);
  useKeys(view, route, selected);
  const select = (step: string): void => go({ ...route, step, tab: "" }, false);
  const moving = isActive(view.run.status);
  return (
    // On a narrow screen a step covers the list only when the URL names it: opening a run shows the run.
    <div className={`run-screen ${route.step ? "has-step" : ""}`}>
      <RunHead view={view} hrefOf={(step) => formatRoute({ ...route, step, tab: "" })} />
      <div className="run-body">
        <section className="run-left" aria-label="Steps of the run">
          <ViewSwitch route={route} view={view} />
          {view.steps.length === 0 && view.graph === null ? (
            <Empty title="No steps yet" />
          ) : route.view === "steps" || view.graph === null ? (
            <StepList view={view} selected={selected} hrefOf={(step) => formatRoute({ ...route, step, tab: "" })} />
          ) : (
            <RunGraph
              graph={view.graph}
              selected={selected}
              onSelect={(declared) => select(instanceOf(view.steps, declared))}
            />
          )}
        </section>
        <section className="run-right" aria-label="Step">
          <a className="back" href={formatRoute({ ...route, step: "", tab: "" })}>
            ← All steps
          </a>
          {selected ? (
            <StepPane
              key={selected}
              run={view}
              path={selected}
              tab={route.tab}
              moving={moving}
              onTab={(tab) => go({ ...route, step: selected, tab }, true)}
              hrefOf={(step) => formatRoute({ ...route, step, tab: "" })}
            />
          ) : (
            <Empty title="No step has begun" />
          )}
        </section>
      </div>
    </div>
  );
}

function ViewSwitch({ route, view }: { route: RunRoute; view: RunView }) {
  const current = view.graph === null ? "steps" : route.view;
  return (
    <nav className="switch" aria-label="View">
      {(["graph", "steps"] as const).map((name) => (
        <a
          key={name}
          href={formatRoute({ ...route, view: name })}
          aria-current={current === name ? "page" : undefined}
          className={name === "graph" && view.graph === null ? "is-off" : ""}
        >
          {name === "graph" ? "Graph" : "Steps"}
        </a>
      ))}
      {view.graph_problem && (
        <span className="muted graph-problem" title={view.graph_problem}>
          No graph: {view.graph_problem}
        </span>
      )}
    </nav>
  );
}

/** j and k walk the steps, e and E the failed ones; off while something is typed. */
function useKeys(view: RunView, route: RunRoute, selected: string): void {
  const go = useGo();
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, select, textarea")) {
        return;
      }
      const step = stepFor(event.key, view, selected);
      if (step) {
        event.preventDefault();
        go({ ...route, step, tab: route.tab }, true);
      }
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [view, route, selected, go]);
}

function stepFor(key: string, view: RunView, selected: string): string | null {
  const here = view.steps.findIndex((step) => step.path === selected);
  switch (key) {
    case "j":
      return view.steps[here + 1]?.path ?? null;
    case "k":
      return view.steps[here - 1]?.path ?? null;
    case "e":
      return nextFailed(view.steps, selected);
    case "E":
      return nextFailed(view.steps, selected, true);
    default:
      return null;
  }
}

// One run: what it came to, its steps as a graph or a list, and the step that the URL names beside them.
import { useEffect } from "react";
import { useReplays, useRun, useStep } from "../api/queries";
import type { RunView } from "../api/types";
import { compareRoute, formatRoute, type RunRoute, runRoute } from "../lib/route";
import { instanceOf, isActive, nextFailed, openAt } from "../lib/steps";
import { ReplayPane } from "../replay/ReplayPane";
import { RunFamily } from "../replay/RunFamily";
import { RunGraph } from "../trace/RunGraph";
import { RunHead } from "../trace/RunHead";
import { Empty, Loading, StaleBanner, Trouble } from "../trace/States";
import { StepList } from "../trace/StepList";
import { StepPane } from "../trace/StepPane";
import { Timeline } from "../trace/Timeline";
import { useLetters } from "./useLetters";
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
      {route.mode === "replay" ? <Replay view={query.data} route={route} /> : <Run view={query.data} route={route} />}
    </>
  );
}

function Replay({ view, route }: { view: RunView; route: RunRoute }) {
  const go = useGo();
  const path = route.step || openAt(view);
  const query = useStep(view.run.id, path, false);
  if (query.isPending) {
    return <Loading rows={12} />;
  }
  if (!query.data) {
    return <Trouble error={query.error} retry={() => query.refetch()} />;
  }
  return (
    <ReplayPane
      key={path}
      run={view}
      step={query.data}
      on={route.on.split(",").filter(Boolean)}
      onClose={() => {
        go({ ...route, step: path, mode: "", on: "" }, true);
        requestAnimationFrame(() => document.querySelector<HTMLElement>(".step-tools .primary")?.focus()); // what opened it
      }}
      onBegun={(id) => go(runRoute(id, { view: route.view, step: path, against: view.run.id }))}
    />
  );
}

/** A run that was begun by a replay gives way to the comparison with what it was made from, as soon as it ends. */
function useThenCompare(view: RunView, route: RunRoute): void {
  const go = useGo();
  const { against } = route;
  const ended = !isActive(view.run.status);
  useEffect(() => {
    if (against && ended) {
      go(compareRoute(against, view.run.id), true);
    }
  }, [against, ended, view.run.id, go]);
}

function Run({ view, route }: { view: RunView; route: RunRoute }) {
  const go = useGo();
  const selected = route.step || openAt(view);
  const moving = isActive(view.run.status);
  const canReplay = useReplays() === true && !moving;
  const edit = canReplay && isEditable(view, selected) ? (): void => go({ ...route, step: selected, mode: "replay" }) : null;
  useKeys(view, route, selected, edit);
  useThenCompare(view, route);
  const select = (step: string): void => go({ ...route, step, tab: "" }, false);
  const hrefOf = (step: string): string => formatRoute({ ...route, step, tab: "" });
  const shown = shownView(view, route);
  return (
    // On a narrow screen a step covers the list only when the URL names it: opening a run shows the run.
    <div className={`run-screen ${route.step ? "has-step" : ""}`}>
      <RunHead view={view} hrefOf={(step) => formatRoute({ ...route, step, tab: "" })}>
        <RunFamily view={view} route={route} canReplay={canReplay} />
      </RunHead>
      <div className={`run-body shows-${shown}`}>
        <section className="run-left" aria-label="Steps of the run">
          <ViewSwitch route={route} view={view} />
          {view.steps.length === 0 && view.graph === null ? (
            <Empty title="No steps yet" />
          ) : shown === "timeline" ? (
            <Timeline view={view} selected={selected} hrefOf={hrefOf} />
          ) : shown === "steps" || view.graph === null ? (
            <StepList view={view} selected={selected} hrefOf={hrefOf} />
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
              onReplay={edit}
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

/** Prompts and Python steps are edited; what holds other steps is not. */
function isEditable(view: RunView, path: string): boolean {
  const kind = view.steps.find((step) => step.path === path)?.kind ?? view.graph?.nodes.find((node) => node.path === path)?.kind;
  return kind === "prompt" || kind === "code";
}

const VIEWS: readonly (readonly [RunRoute["view"], string])[] = [
  ["graph", "Graph"],
  ["timeline", "Timeline"],
  ["steps", "Steps"],
];

/** A run whose chain cannot be drawn shows its steps instead. */
function shownView(view: RunView, route: RunRoute): RunRoute["view"] {
  return route.view === "graph" && view.graph === null ? "steps" : route.view;
}

function ViewSwitch({ route, view }: { route: RunRoute; view: RunView }) {
  const current = shownView(view, route);
  return (
    <nav className="switch" aria-label="View">
      {VIEWS.map(([name, words], i) => (
        <a
          key={name}
          href={formatRoute({ ...route, view: name })}
          aria-current={current === name ? "page" : undefined}
          className={name === "graph" && view.graph === null ? "is-off" : ""}
          title={`${words} (${i + 1})`}
        >
          {words}
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

/** 1 2 3 choose the view, j and k walk the steps, e and E the failed ones, R edits, d compares a fork with its parent. */
function useKeys(view: RunView, route: RunRoute, selected: string, edit: (() => void) | null): void {
  const go = useGo();
  useLetters((key) => {
    if (key === "r" || key === "R") {
      edit?.();
      return edit !== null;
    }
    if (key === "d" && view.run.parent_run_id) {
      go(compareRoute(view.run.parent_run_id, view.run.id));
      return true;
    }
    const chosen = VIEWS[Number(key) - 1]?.[0];
    if (chosen && (chosen !== "graph" || view.graph !== null)) {
      go({ ...route, view: chosen }, true);
      return true;
    }
    const step = stepFor(key, view, selected);
    if (step) {
      go({ ...route, step, tab: route.tab }, true);
    }
    return step !== null;
  });
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

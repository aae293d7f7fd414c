// The frame around every screen: its head, and the screen that the URL names.
import { useState } from "react";
import { shortId } from "../lib/format";
import { formatRoute, type Route, runRoute, runsRoute } from "../lib/route";
import { BatchesScreen } from "./BatchesScreen";
import { BatchScreen } from "./BatchScreen";
import { CompareScreen } from "./CompareScreen";
import { HelpSheet } from "./HelpSheet";
import { LiveBadge } from "./LiveBadge";
import { Palette } from "./Palette";
import { RunScreen } from "./RunScreen";
import { RunsScreen } from "./RunsScreen";
import { applyTheme, nextTheme, storedTheme, type Theme } from "./theme";
import { useRoute } from "./useRoute";

export function App() {
  const route = useRoute();
  const [theme, setTheme] = useState(storedTheme);
  const turn = (): void => {
    const next = nextTheme(theme);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <>
      <a className="skip-link" href="#main" onClick={toMain}>
        Skip to content
      </a>
      <header className="top">
        <a className="brand" href={formatRoute(runsRoute())}>
          <Mark />
          chainlab
        </a>
        <Crumbs route={route} />
        <LiveBadge />
        <HelpSheet />
        <ThemeButton theme={theme} onTurn={turn} />
        <Palette route={route} onTheme={turn} />
      </header>
      <main id="main" tabIndex={-1}>
        <Screen route={route} />
      </main>
    </>
  );
}

function Screen({ route }: { route: Route }) {
  switch (route.name) {
    case "run":
      return <RunScreen key={route.id} route={route} />;
    case "compare":
      return <CompareScreen key={`${route.a} ${route.b}`} route={route} />;
    case "batches":
      return <BatchesScreen />;
    case "batch":
      return <BatchScreen key={route.id} route={route} />;
    case "runs":
      return <RunsScreen route={route} />;
  }
}

function Crumbs({ route }: { route: Route }) {
  const id = "id" in route ? shortId(route.id) : "";
  const here = { runs: "Runs", run: id, compare: "Compare", batches: "Batches", batch: id }[route.name];
  return (
    <nav aria-label="Place" className="crumbs">
      {route.name !== "runs" && <a href={formatRoute(runsRoute())}>Runs</a>}
      {(route.name === "runs" || route.name === "batch") && <a href={formatRoute({ name: "batches" })}>Batches</a>}
      {route.name === "compare" && (
        <a className="mono" href={formatRoute(runRoute(route.b))}>
          {shortId(route.b)}
        </a>
      )}
      <span aria-current="page" className={id ? "mono" : ""}>
        {here}
      </span>
    </nav>
  );
}

function toMain(event: React.MouseEvent): void {
  event.preventDefault(); // the hash is the route's
  document.getElementById("main")?.focus();
}

function Mark() {
  return (
    <svg aria-hidden="true" viewBox="0 0 20 20" width="20" height="20" className="brand-mark">
      <circle cx="10" cy="4.5" r="2.6" />
      <circle cx="10" cy="15.5" r="2.6" />
      <path d="M10 7.2v5.6" />
    </svg>
  );
}

const THEME_NAME: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };

function ThemeButton({ theme, onTurn }: { theme: Theme; onTurn: () => void }) {
  return (
    <button type="button" className="quiet theme-button" onClick={onTurn} title="Colours: system, light or dark">
      <svg aria-hidden="true" viewBox="0 0 16 16" width="14" height="14">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.5" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
      <span>{THEME_NAME[theme]}</span>
    </button>
  );
}

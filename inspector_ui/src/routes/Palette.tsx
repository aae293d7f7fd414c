// Everything that can be gone to or done here, by typing: opened by Ctrl+K (⌘K), closed by Escape.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useId, useRef, useState } from "react";
import { useChains, useRuns } from "../api/queries";
import type { RunView } from "../api/types";
import { shortId } from "../lib/format";
import { matching, type Offer } from "../lib/palette";
import { formatRoute, type Route, runRoute, runsRoute } from "../lib/route";

type Props = { route: Route; onTheme: () => void };

export function Palette({ route, onTheme }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  const show = useEffectEvent((event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      setOpen(true);
      dialog.current?.showModal();
    }
  });
  useEffect(() => {
    window.addEventListener("keydown", show);
    return () => window.removeEventListener("keydown", show);
  }, []);
  return (
    <dialog ref={dialog} className="palette" aria-label="Go to" onClose={() => setOpen(false)}>
      {open && <Search route={route} onTheme={onTheme} onDone={() => dialog.current?.close()} />}
    </dialog>
  );
}

function Search({ route, onTheme, onDone }: Props & { onDone: () => void }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const offers = useOffers(route, typed, onTheme);
  const chosen = Math.min(at, offers.length - 1);
  const take = (offer: Offer | undefined): void => {
    if (offer) {
      onDone();
      if (typeof offer.go === "string") {
        window.location.hash = offer.go;
      } else {
        offer.go();
      }
    }
  };
  const move = (event: React.KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      setAt((chosen + by + offers.length) % Math.max(1, offers.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(offers[chosen]);
    }
  };
  return (
    <>
      <input
        type="text"
        role="combobox"
        aria-label="Go to"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={offers.length > 0 ? `${id}-${chosen}` : undefined}
        placeholder="A run, a step, a chain, a screen…"
        value={typed}
        maxLength={200}
        ref={(input) => input?.focus()}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={move}
      />
      <div id={id} className="offers" role="listbox" aria-label="Offers">
        {offers.map((offer, i) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are the input's
          <div
            key={`${offer.label} ${offer.hint}`}
            id={`${id}-${i}`}
            className="offer"
            role="option"
            tabIndex={-1}
            aria-selected={i === chosen}
            onClick={() => take(offer)}
          >
            <span>{offer.label}</span> <span className="muted">{offer.hint}</span>
          </div>
        ))}
      </div>
      <p className="muted palette-foot" role="status">
        {offers.length === 0 ? "Nothing is called that." : "↑ ↓ choose · Enter opens · Esc closes"}
      </p>
    </>
  );
}

function useOffers(route: Route, typed: string, onTheme: () => void): readonly Offer[] {
  const id = route.name === "run" ? route.id : "";
  const chains = useChains().data ?? [];
  const found = useRuns({ status: "", chain: "", text: typed.trim(), tag: "", order: "newest" }).data?.pages[0]?.runs ?? [];
  const here = useQueryClient().getQueryData<RunView>(["run", id]); // what the screen behind shows
  const steps = (here?.steps ?? []).map((step) => ({
    label: step.path,
    hint: `step, ${step.status}`,
    go: formatRoute(runRoute(id, { step: step.path })),
  }));
  const screens: Offer[] = [
    { label: "Runs", hint: "screen", go: "#/runs" },
    { label: "Failed runs", hint: "screen", go: "#/runs?status=failed" },
    { label: "Running now", hint: "screen", go: "#/runs?status=running" },
    { label: "Batches", hint: "screen", go: "#/batches" },
    { label: "Turn the theme", hint: "light, dark, system", go: onTheme },
  ];
  const ofChains = chains.map((chain) => ({
    label: chain,
    hint: "chain: its runs",
    go: formatRoute(runsRoute({ chain })),
  }));
  const named = matching([...screens, ...steps, ...ofChains], typed);
  const runs = found.slice(0, 6).map((run) => ({
    label: `${run.chain} ${shortId(run.id)}`,
    hint: `run, ${run.status}`,
    go: formatRoute(runRoute(run.id)),
  }));
  return [...named.slice(0, typed.trim() ? 8 : 12), ...(typed.trim() ? runs : [])];
}

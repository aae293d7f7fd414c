// Tabs as the ARIA pattern has them: one tab stop, arrow keys move.
import { useEffect, useRef } from "react";

export type Tab = { id: string; label: string };
type Props = { tabs: readonly Tab[]; current: string; onChange: (id: string) => void; label: string; panel: string };

export function Tabs({ tabs, current, onChange, label, panel }: Props) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Where there is no room for all, the one that is shown must be among those in sight.
    const [strip, tab] = [list.current, list.current?.querySelector<HTMLElement>(`[data-tab="${current}"]`)];
    if (strip && tab) {
      const most = tab.offsetLeft;
      const least = tab.offsetLeft + tab.offsetWidth - strip.clientWidth;
      strip.scrollLeft = Math.min(Math.max(strip.scrollLeft, least), most);
    }
  }, [current]);
  const move = (event: React.KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.findIndex((tab) => tab.id === current);
    const next = step === undefined ? undefined : tabs[(at + step + tabs.length) % tabs.length];
    if (next) {
      event.preventDefault();
      onChange(next.id);
      list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
    }
  };
  return (
    <div role="tablist" aria-label={label} className="tabs" ref={list} tabIndex={-1} onKeyDown={move}>
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          id={`${panel}-${tab.id}`}
          data-tab={tab.id}
          aria-selected={tab.id === current}
          aria-controls={panel}
          tabIndex={tab.id === current ? 0 : -1}
          onClick={() => onChange(tab.id)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}

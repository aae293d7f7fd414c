// What the shapes of the timeline mean, and its zoom.
type Props = { zoom: number; most: number; zoomTo: (zoom: number) => void };

const LEGEND: readonly (readonly [string, string])[] = [
  ["slice-wait", "waiting"],
  ["slice-first", "to the first token"],
  ["slice-work", "writing, running"],
  ["slice-failed", "failed try"],
  ["next-try", "next try"],
];

export function TimelineTools({ zoom, most, zoomTo }: Props) {
  return (
    <div className="timeline-tools">
      <ul className="legend" aria-label="Shapes">
        {LEGEND.map(([shape, words]) => (
          <li key={shape}>
            <span className="swatch" aria-hidden="true">
              {shape === "next-try" ? <span className="try-post" /> : <span className={`slice ${shape}`} />}
            </span>
            {words}
          </li>
        ))}
      </ul>
      <div className="zoom" role="group" aria-label="Zoom">
        <button type="button" className="quiet" aria-label="Zoom out" title="Zoom out (-)" disabled={zoom === 0} onClick={() => zoomTo(zoom - 1)}>
          −
        </button>
        <button type="button" className="quiet" title="The whole run (0)" disabled={zoom === 0} onClick={() => zoomTo(0)}>
          Whole run
        </button>
        <button type="button" className="quiet" aria-label="Zoom in" title="Zoom in around the step (+)" disabled={zoom >= most} onClick={() => zoomTo(zoom + 1)}>
          +
        </button>
      </div>
    </div>
  );
}

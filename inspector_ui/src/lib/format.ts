// Numbers as people read them. Pure; durations and times come in microseconds.

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined) {
    return "–";
  }
  if (us < 1000) {
    return `${us} µs`;
  }
  if (us < 10_000) {
    return `${(us / 1000).toFixed(1)} ms`;
  }
  if (us < SECOND) {
    return `${Math.round(us / 1000)} ms`;
  }
  if (us < 10 * SECOND) {
    return `${(us / SECOND).toFixed(1)} s`;
  }
  const seconds = Math.round(us / SECOND);
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} m ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return "–";
  }
  if (value < 10_000) {
    return String(value);
  }
  return value < 1_000_000 ? `${Math.round(value / 1000)}k` : `${(value / 1_000_000).toFixed(1)}M`;
}

export function bytes(size: number): string {
  if (size < 1024) {
    return `${size} B`;
  }
  return size < 1024 * 1024 ? `${Math.round(size / 1024)} kB` : `${(size / 1024 / 1024).toFixed(1)} MB`;
}

/** A cost in units of the prices, whichever they are. */
export function cost(nano: number | null | undefined): string {
  if (nano === null || nano === undefined) {
    return "–";
  }
  const value = nano / 1e9;
  const digits = value >= 1 ? 2 : value >= 0.01 ? 3 : Math.max(5, 1 - Math.floor(Math.log10(value))); // two figures at least
  return value === 0 ? "0" : value.toFixed(Math.min(9, digits));
}

/** What something is going to cost, for a line of words. */
export function costText(nano: number | null): string {
  return nano === null ? "cost unknown" : nano === 0 ? "free" : `costs about ${cost(nano)}`;
}

export function ago(us: number, nowUs: number): string {
  const passed = nowUs - us;
  if (passed < 5 * SECOND) {
    return "now";
  }
  const [unit, name]: [number, string] =
    passed < MINUTE ? [SECOND, "s"] : passed < HOUR ? [MINUTE, "min"] : passed < DAY ? [HOUR, "h"] : [DAY, "d"];
  return `${Math.floor(passed / unit)} ${name} ago`;
}

export function clock(us: number): string {
  return new Date(us / 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** The beginning of an id that is still unique in practice, and that the command line accepts. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

/** The headline of an error; the lines below it say what was expected and what to do. */
export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

export function plural(n: number, word: string, words = `${word}s`): string {
  return `${n} ${n === 1 ? word : words}`;
}

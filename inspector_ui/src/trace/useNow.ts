// The time, in microseconds, moving on every second: so that "took" and "ago" do.
import { useEffect, useState } from "react";

const TICK_MS = 1000;

export function useNow(): number {
  const [now, setNow] = useState(() => Date.now() * 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() * 1000), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

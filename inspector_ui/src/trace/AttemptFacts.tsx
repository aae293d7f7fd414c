// Everything that is recorded of one try, beside what was said. What is unknown is left out: it is not zero.
import type { AttemptView } from "../api/types";
import { asked, finished, load, servedAs } from "../lib/attempt";
import { cost, count, duration } from "../lib/format";
import { Fact } from "./RunHead";

const HASH_SHOWN = 12;

export function AttemptFacts({ attempt }: { attempt: AttemptView }) {
  const { finish_reason: finish, adapter_hash: hash, gauges } = attempt;
  const [who, served] = [asked(attempt), servedAs(attempt)];
  return (
    <dl className="facts">
      <Fact name="Took" value={duration(attempt.duration_us)} />
      {attempt.ttft_us !== null && <Fact name="First token" value={duration(attempt.ttft_us)} />}
      {(attempt.tokens_in !== null || attempt.tokens_out !== null) && (
        <Fact name="Tokens in / out" value={`${count(attempt.tokens_in)} / ${count(attempt.tokens_out)}`} />
      )}
      {attempt.tokens_cached !== null && <Fact name="Cached of these" value={count(attempt.tokens_cached)} />}
      {attempt.cost_nano !== null && <Fact name="Cost" value={cost(attempt.cost_nano)} />}
      {finish && <Fact name="Finished by" value={finished(finish)} bad={finish !== "stop"} />}
      {attempt.http_status !== null && <Fact name="HTTP" value={String(attempt.http_status)} bad={attempt.http_status >= 400} />}
      {who && <Fact name="Asked" value={who} />}
      {served && <Fact name="Served by" value={served} />}
      {hash && <Fact name="Adapter's content" value={hash.slice(0, HASH_SHOWN)} title={hash} />}
      {gauges && <Fact name="Backend's load" value={load(gauges)} />}
    </dl>
  );
}

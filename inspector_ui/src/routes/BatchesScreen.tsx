// Every batch, newest first: what was tried, how far it is, what came of it.
import { useEffect } from "react";
import type { BatchRow } from "../api/types";
import { useBatches } from "../batch/queries";
import { standing } from "../lib/batch";
import { ago, clock, shortId } from "../lib/format";
import { batchRoute, formatRoute } from "../lib/route";
import { Empty, Loading, StaleBanner, Trouble } from "../trace/States";
import { useNow } from "../trace/useNow";

export function BatchesScreen() {
  const query = useBatches();
  useEffect(() => {
    document.title = "Batches · chainlab";
  }, []);
  if (query.isPending) {
    return <Loading rows={8} />;
  }
  if (!query.data) {
    return <Trouble error={query.error} retry={() => query.refetch()} />;
  }
  const batches = query.data.pages.flatMap((page) => page.batches);
  return (
    <div className="runs-screen">
      <h1>Batches</h1>
      <StaleBanner error={query.error} />
      {batches.length === 0 ? (
        <Empty title="No batches yet" command="chainlab backtest CHAIN --step STEP --template @new.j2">
          <p>A backtest tries one edit on many runs. Press R on a step and choose “Try it on other runs”, or type:</p>
        </Empty>
      ) : (
        <Table batches={batches} />
      )}
      {query.hasNextPage && (
        <p className="more">
          <button type="button" disabled={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            Load more
          </button>
        </p>
      )}
    </div>
  );
}

function Table({ batches }: { batches: readonly BatchRow[] }) {
  const now = useNow();
  return (
    <table className="runs">
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Chain</th>
          <th scope="col">Batch</th>
          <th scope="col">What came of it</th>
          <th scope="col" className="num">
            Begun
          </th>
        </tr>
      </thead>
      <tbody>
        {batches.map((batch) => (
          <tr key={batch.id}>
            <td className="cell-status">{batch.status}</td>
            <td className="cell-chain">
              <a href={formatRoute(batchRoute(batch.id))} className="row-link">
                {batch.chain}
              </a>
              <span className="tag">{batch.kind === "noise" ? "noise control" : "backtest"}</span>
            </td>
            <td className="mono cell-id">{shortId(batch.id)}</td>
            <td>{standing(batch)}</td>
            <td className="num cell-started">
              <time dateTime={new Date(batch.created_at / 1000).toISOString()} title={clock(batch.created_at)}>
                {ago(batch.created_at, now)}
              </time>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

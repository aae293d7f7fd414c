// Asking again for what may have changed. A first answer that is still under way may be older than the news of a change.
import type { Query, QueryClient } from "@tanstack/react-query";

/** Ask again for the queries that are concerned, and once more for those whose first answer was on its way. */
export async function askAgain(client: QueryClient, concerned: (query: Query) => boolean): Promise<void> {
  const first = client
    .getQueryCache()
    .findAll({ predicate: concerned })
    .filter((query) => query.state.data === undefined && query.state.fetchStatus === "fetching");
  await client.invalidateQueries({ predicate: concerned }); // joins a first answer, and begins any other anew
  if (first.length > 0) {
    await client.invalidateQueries({ predicate: (query) => first.includes(query) });
  }
}

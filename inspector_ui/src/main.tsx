// Starts the page.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { startLive } from "./api/live";
import { App } from "./routes/App";
import { applyTheme, storedTheme } from "./routes/theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/runs.css";
import "./styles/run.css";
import "./styles/timeline.css";
import "./styles/step.css";
import "./styles/editor.css";
import "./styles/replay.css";
import "./styles/compare.css";
import "./styles/live.css";
import "./styles/keep.css";
import "./styles/batch.css";
import "./styles/markdown.css";
import "./styles/palette.css";

applyTheme(storedTheme());

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // What the server refuses stays refused; only a lost connection is worth another try.
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: 500,
      staleTime: 1000,
      gcTime: 60_000,
    },
  },
});

startLive(client);

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
}

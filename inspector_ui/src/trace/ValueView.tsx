// A stored value: text as text, structure as a tree or as JSON; never as markup.
import { useMemo, useState } from "react";
import type { Text } from "../api/types";
import { bytes } from "../lib/format";
import { type JsonNode, parseJson, prettyJson } from "../lib/json";
import { CopyButton } from "./CopyButton";
import { JsonTree } from "./JsonTree";
import { useMarkdown } from "./MarkdownSwitch";
import { useWhole } from "./WholeText";

export function ValueView({ text, label }: { text: Text; label: string }) {
  const { shown, cut, rest } = useWhole(text);
  const node = useMemo(() => (cut ? null : parseJson(shown)), [shown, cut]);
  const [raw, setRaw] = useState(false);
  const markdown = useMarkdown(node === null ? shown : node.kind === "string" ? node.value : null, label);
  const nested = node !== null && (node.kind === "object" || node.kind === "array");
  return (
    <div className="value">
      <div className="value-tools">
        <span className="muted">{bytes(text.size)}</span>
        {nested && (
          <button type="button" className="quiet" aria-pressed={raw} onClick={() => setRaw(!raw)}>
            JSON
          </button>
        )}
        {markdown.button}
        <CopyButton text={copied(node, shown)} />
      </div>
      {nested && !raw ? (
        <JsonTree node={node} label={label} />
      ) : markdown.drawn ? (
        markdown.drawn
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls, so keys must reach it
        <pre className="prompt" tabIndex={0} role="region" aria-label={label}>
          {plain(node, shown)}
        </pre>
      )}
      {rest}
    </div>
  );
}

function plain(node: JsonNode | null, shown: string): React.ReactNode {
  if (node === null) {
    return shown;
  }
  if (node.kind === "string") {
    return node.value === "" ? <span className="nothing">empty text</span> : node.value;
  }
  return prettyJson(node);
}

function copied(node: JsonNode | null, shown: string): string {
  return node === null ? shown : node.kind === "string" ? node.value : prettyJson(node);
}

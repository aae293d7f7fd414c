// A value as a tree that opens and closes. Only what is open is in the page; long lists come in portions.
import { useState } from "react";
import { plural } from "../lib/format";
import type { JsonNode } from "../lib/json";

const OPEN_TO = 2;
const PORTION = 100;

export function JsonTree({ node, label }: { node: JsonNode; label: string }) {
  return (
    <div className="json" role="group" aria-label={label}>
      <Branches node={node} depth={0} />
    </div>
  );
}

function Branches({ node, depth }: { node: JsonNode; depth: number }) {
  const [shown, setShown] = useState(PORTION);
  const all = childrenOf(node);
  return (
    <ul>
      {all.slice(0, shown).map(([key, child], i) => (
        <li key={i}>
          <Branch name={key} node={child} depth={depth} />
        </li>
      ))}
      {all.length > shown && (
        <li>
          <button type="button" className="quiet" onClick={() => setShown(shown + PORTION)}>
            Show {Math.min(PORTION, all.length - shown)} more of {all.length - shown}
          </button>
        </li>
      )}
    </ul>
  );
}

function Branch({ name, node, depth }: { name: string; node: JsonNode; depth: number }) {
  const size = childrenOf(node).length;
  const [open, setOpen] = useState(depth < OPEN_TO && size <= PORTION);
  if (node.kind === "string" || node.kind === "literal" || size === 0) {
    return (
      <div className="leaf">
        <span className="key">{name}</span>
        <Leaf node={node} />
      </div>
    );
  }
  return (
    <>
      <button type="button" className="branch" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="key">{name}</span>
        <span className="muted">{node.kind === "array" ? plural(size, "item") : plural(size, "field")}</span>
      </button>
      {open && <Branches node={node} depth={depth + 1} />}
    </>
  );
}

function Leaf({ node }: { node: JsonNode }) {
  switch (node.kind) {
    case "string":
      return <span className="json-string">{node.value === "" ? <span className="nothing">empty</span> : node.value}</span>;
    case "literal":
      return <span className="json-literal">{node.text}</span>;
    case "array":
      return <span className="muted">[ ]</span>;
    case "object":
      return <span className="muted">{"{ }"}</span>;
  }
}

function childrenOf(node: JsonNode): readonly (readonly [string, JsonNode])[] {
  if (node.kind === "array") {
    return node.items.map((item, i) => [String(i), item] as const);
  }
  return node.kind === "object" ? node.entries : [];
}

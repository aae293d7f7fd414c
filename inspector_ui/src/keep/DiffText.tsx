// A unified diff as text, its lines told apart by their first character and by colour.
import { LongText } from "../trace/LongText";

const KINDS: Record<string, string> = { "+": "is-added", "-": "is-removed", "@": "is-place" };

export function DiffText({ text, label }: { text: string; label: string }) {
  return (
    <LongText className="patch-text" label={label}>
      {text.split("\n").map((line, i) => (
        <span key={i} className={KINDS[line[0] ?? ""] ?? ""}>
          {line}
          {"\n"}
        </span>
      ))}
    </LongText>
  );
}

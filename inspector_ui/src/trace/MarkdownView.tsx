// Markdown, drawn as elements. Nothing in it can be loaded or followed: addresses are text.
import { Fragment, useMemo } from "react";
import { type Block, blocksOf, type Inline } from "../lib/markdown";

export default function MarkdownView({ text, label }: { text: string; label: string }) {
  const blocks = useMemo(() => blocksOf(text), [text]);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long text scrolls, so keys must reach it
    <div className="markdown" tabIndex={0} role="region" aria-label={label}>
      <Blocks blocks={blocks} />
    </div>
  );
}

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return blocks.map((block, i) => <Drawn key={i} block={block} />);
}

function Drawn({ block }: { block: Block }) {
  switch (block.kind) {
    case "rule":
      return <hr />;
    case "code":
      return <pre>{block.text}</pre>;
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.blocks} />
        </blockquote>
      );
    case "heading": // not one of this page's own headings
      return (
        <p className={`markdown-heading is-${block.level}`}>
          <Line parts={block.parts} />
        </p>
      );
    case "list": {
      const items = block.items.map((item, i) => (
        <li key={i}>
          <Blocks blocks={item} />
        </li>
      ));
      return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
    case "table":
      return (
        <table>
          <thead>
            <tr>
              {block.head.map((cell, i) => (
                <th key={i} scope="col">
                  <Line parts={cell} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, n) => (
                  <td key={n}>
                    <Line parts={cell} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
    case "paragraph":
      return (
        <p>
          <Line parts={block.parts} />
        </p>
      );
  }
}

function Line({ parts }: { parts: readonly Inline[] }) {
  return parts.map((part, i) => <Fragment key={i}>{drawn(part)}</Fragment>);
}

function drawn(part: Inline): React.ReactNode {
  switch (part.kind) {
    case "text":
      return part.text;
    case "code":
      return <code>{part.text}</code>;
    case "break":
      return <br />;
    case "strong":
      return <strong><Line parts={part.parts} /></strong>;
    case "em":
      return <em><Line parts={part.parts} /></em>;
    case "del":
      return <del><Line parts={part.parts} /></del>;
    case "link":
      return (
        <>
          <Line parts={part.parts} /> <span className="address">&lt;{part.href}&gt;</span>
        </>
      );
    case "image":
      return (
        <span className="address">
          [picture: {part.text} &lt;{part.href}&gt;]
        </span>
      );
  }
}

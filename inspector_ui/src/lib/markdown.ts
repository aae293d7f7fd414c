// Markdown as a small tree that can be drawn as elements: no markup is ever made of it. HTML in it stays text, a picture
// is its description, a link is its words and its address to read. Pure.
import { lexer, type Token, type Tokens } from "marked";

export type Inline =
  | { kind: "text" | "code"; text: string }
  | { kind: "strong" | "em" | "del"; parts: Inline[] }
  | { kind: "link"; parts: Inline[]; href: string }
  | { kind: "image"; text: string; href: string }
  | { kind: "break" };

export type Block =
  | { kind: "paragraph"; parts: Inline[] }
  | { kind: "heading"; level: number; parts: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "list"; start: number | null; items: Block[][] }
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] }
  | { kind: "rule" };

export function blocksOf(text: string): Block[] {
  return lexer(text).flatMap(block);
}

function block(token: Token): Block[] {
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "hr":
      return [{ kind: "rule" }];
    case "code":
      return [{ kind: "code", text: token["text"] as string }];
    case "heading":
      return [{ kind: "heading", level: (token as Tokens.Heading).depth, parts: inlines(token) }];
    case "blockquote":
      return [{ kind: "quote", blocks: (token as Tokens.Blockquote).tokens.flatMap(block) }];
    case "list": {
      const list = token as Tokens.List;
      const start = list.ordered ? Number(list.start) : null;
      return [{ kind: "list", start, items: list.items.map(item) }];
    }
    case "table": {
      const table = token as Tokens.Table;
      return [{ kind: "table", head: table.header.map(inlines), rows: table.rows.map((row) => row.map(inlines)) }];
    }
    case "paragraph":
    case "text":
      return [{ kind: "paragraph", parts: inlines(token) }];
    default: // HTML, and what is not known
      return [{ kind: "paragraph", parts: [{ kind: "text", text: token.raw }] }];
  }
}

function item(of: Tokens.ListItem): Block[] {
  const box: Block[] = of.task ? [{ kind: "paragraph", parts: [{ kind: "text", text: of.checked ? "[x]" : "[ ]" }] }] : [];
  return [...box, ...of.tokens.filter((token) => token.type !== "checkbox").flatMap(block)];
}

function inlines(of: { tokens?: Token[]; text?: string; raw?: string }): Inline[] {
  return of.tokens ? of.tokens.map(inline) : [{ kind: "text", text: of.text ?? of.raw ?? "" }];
}

function inline(token: Token): Inline {
  switch (token.type) {
    case "strong":
    case "em":
    case "del":
      return { kind: token.type, parts: inlines(token) };
    case "codespan":
      return { kind: "code", text: token["text"] as string };
    case "br":
      return { kind: "break" };
    case "link":
      return { kind: "link", parts: inlines(token), href: (token as Tokens.Link).href };
    case "image":
      return { kind: "image", text: (token as Tokens.Image).text, href: (token as Tokens.Image).href };
    case "escape":
      return { kind: "text", text: token["text"] as string };
    default: // text, HTML, and what is not known
      return { kind: "text", text: token.raw };
  }
}

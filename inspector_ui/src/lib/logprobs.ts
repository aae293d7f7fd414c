// How sure a model was of what it wrote: the tokens of a reply with their probabilities. Pure.
import { type JsonNode, parseJson } from "./json";

/** `probability` is null when it cannot be told. */
export type Choice = { text: string; probability: number | null };
export type Token = Choice & { others: readonly Choice[] };

/** The tokens that an attempt's stored answer tells of; null: it tells of none. */
export function tokensOf(answer: string): Token[] | null {
  const found = field(parseJson(answer), "logprobs");
  if (found?.kind !== "array" || found.items.length === 0) {
    return null;
  }
  const tokens = found.items.map((item): Token | null => {
    const choice = choiceOf(item);
    const others = field(item, "top_logprobs");
    const listed = others?.kind === "array" ? others.items.map(choiceOf).filter((other) => other !== null) : [];
    return choice && { text: choice.text, probability: choice.probability, others: listed.filter((other) => other.text !== choice.text) };
  });
  return tokens.includes(null) ? null : tokens.filter((token) => token !== null);
}

/** From 0, sure, to 4, a guess. */
export function doubt(probability: number | null): number {
  return probability === null ? 0 : [0.9, 0.7, 0.45, 0.2].filter((bound) => probability < bound).length;
}

export function percent(probability: number | null): string {
  if (probability === null) {
    return "unknown";
  }
  const value = probability * 100;
  return value >= 99.95 ? "100 %" : value < 0.1 ? "under 0.1 %" : `${value.toFixed(value < 9.95 ? 1 : 0)} %`;
}

/** A token with what cannot be seen in it. */
export function visible(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll(" ", "␣") || "∅";
}

function choiceOf(node: JsonNode): Choice | null {
  const [token, logprob] = [field(node, "token"), field(node, "logprob")];
  if (token?.kind !== "string" || logprob?.kind !== "literal") {
    return null;
  }
  const probability = Math.exp(Number(logprob.text));
  return { text: token.value, probability: Number.isFinite(probability) ? Math.min(1, probability) : null };
}

function field(node: JsonNode | null, name: string): JsonNode | undefined {
  return node?.kind === "object" ? node.entries.find(([key]) => key === name)?.[1] : undefined;
}

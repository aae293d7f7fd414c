import { expect, test } from "vitest";
import { doubt, percent, tokensOf, visible } from "./logprobs";

test("tokens come with their probability and what else might have been", () => {
  const answer = { text: "Yes", logprobs: [{ token: "Yes", logprob: 0, top_logprobs: [{ token: "Yes", logprob: 0 }, { token: "No", logprob: -Math.LN10 }] }] };
  const tokens = tokensOf(JSON.stringify(answer));
  expect(tokens).toHaveLength(1);
  expect(tokens?.[0]).toMatchObject({ text: "Yes", probability: 1 });
  expect(tokens?.[0]?.others.map((other) => [other.text, percent(other.probability)])).toEqual([["No", "10 %"]]);
});

test.each([
  "not json", "{}", '{"logprobs": null}', '{"logprobs": []}', '{"logprobs": [{"token": 1, "logprob": -1}]}', '{"logprobs": [{"token": "a"}]}',
])("%s tells of no tokens", (answer) => {
  expect(tokensOf(answer)).toBeNull();
});

test("a value that is no number is unknown, one that cannot be is nearly nothing", () => {
  const tokens = tokensOf('{"logprobs": [{"token": "a", "logprob": NaN}, {"token": "b", "logprob": -9999.0}]}');
  expect(tokens?.map((token) => percent(token.probability))).toEqual(["unknown", "under 0.1 %"]);
});

test("doubt rises as probability falls", () => {
  expect([1, 0.8, 0.5, 0.3, 0.01, null].map(doubt)).toEqual([0, 1, 2, 3, 4, 0]);
  expect([1, 0.9996, 0.873, 0.0512].map(percent)).toEqual(["100 %", "100 %", "87 %", "5.1 %"]);
});

test("blanks of a token can be seen", () => {
  expect([visible(" a\n"), visible('"'), visible("")]).toEqual(["␣a\\n", '"', "∅"]);
});

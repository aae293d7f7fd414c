import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { askAgain } from "./again";

/** A query whose answers are given by hand, one for each time it is asked. */
function asked() {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: false } } });
  const answers: ((value: string) => void)[] = [];
  const queryFn = () => new Promise<string>((done) => answers.push(done));
  const stop = new QueryObserver(client, { queryKey: ["run", "a"], queryFn }).subscribe(() => {});
  return { client, answers, stop };
}

const turn = (): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, 0);
  });

test("a first answer that was on its way when something changed is asked for once more", async () => {
  const { client, answers, stop } = asked();
  const done = askAgain(client, () => true);
  answers[0]?.("before the change");
  await turn();
  expect(answers.length).toBe(2);
  answers[1]?.("after it");
  await done;
  expect(client.getQueryData(["run", "a"])).toBe("after it");
  stop();
});

test("an answer that is there is asked for again, once", async () => {
  const { client, answers, stop } = asked();
  answers[0]?.("before the change");
  await turn();
  const done = askAgain(client, () => true);
  answers[1]?.("after it");
  await done;
  expect([answers.length, client.getQueryData(["run", "a"])]).toEqual([2, "after it"]);
  stop();
});

test("what is not concerned is left alone", async () => {
  const { client, answers, stop } = asked();
  await askAgain(client, () => false);
  answers[0]?.("as it was");
  await turn();
  expect(answers.length).toBe(1);
  stop();
});

"""What a comparison reads of a run: hashes of everything, values of nothing."""

from __future__ import annotations

from pathlib import Path

from chainlab.compare.read import read_facts
from chainlab.store.store import Store
from chainlab.trace import RunHashes
from chainlab.values.codec import Value
from tests.compare.runs import tell
from tests.store import facts


def test_the_first_request_and_the_last_model_of_a_step_are_told(tmp_path: Path) -> None:
    with Store.open(tmp_path / "t.db", project="demo") as store:
        tell(
            store,
            facts.run_started("a", {"text": facts.LONG, "n": 1}),
            facts.step_started("a", "draft"),
            facts.attempt_started("a", "draft", 1, request=facts.request("one")),
            facts.attempt_finished("a", "draft", 1, status="failed"),
            facts.attempt_started("a", "draft", 2, request=facts.request("two"), model="big", adapter="terse"),
            facts.attempt_finished("a", "draft", 2),
            facts.step_finished("a", "draft", facts.LONG),
            facts.step_skipped("a", "mail", "draft"),
            facts.run_finished("a"),
        )
        found = read_facts(store.reader, "a")
        draft, mail = found.steps
        assert draft.hashes.request == facts.request("one").body.hash.hex()
        assert (draft.hashes.backend, draft.hashes.model, draft.hashes.adapter) == ("local", "big", "terse")
        assert [(given.name, given.hash) for given in draft.hashes.inputs] == [("text", Value(facts.LONG).hash.hex())]
        assert [(given.name, given.hash) for given in found.inputs] == [
            ("n", Value(1).hash.hex()),
            ("text", Value(facts.LONG).hash.hex()),
        ]
        assert (mail.hashes.inputs, mail.hashes.request) == ((), None)
        assert store.reader.hashes("nobody") == RunHashes({}, None)

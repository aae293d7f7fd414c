"""What would be right, by the code of a refusal, where the refusal itself does not say it better."""

from __future__ import annotations

from collections.abc import Mapping

_LATER = "a chain's body only wires steps: values exist when it runs"

EXPECTED: Mapping[str, str] = {
    "bad-option": "options that fit together",
    "bad-parameter": "parameters that each have a name and a type of their own",
    "chain-output": "a chain that returns what its steps give",
    "dead-prompt": "an output that another step uses, or that the chain returns",
    "duplicate-name": "one name for one step",
    "missing-annotation": "annotations that can be read where the function is defined",
    "ref-bool": f"a decision that the run makes; {_LATER}",
    "ref-contains": f"a test that the run makes; {_LATER}",
    "ref-hash": f"a list, a route or a step; {_LATER}",
    "ref-identity": f"a comparison that the run makes; {_LATER}",
    "ref-index": "a constant key or index",
    "ref-iter": f"each(...), or a constant index; {_LATER}",
    "ref-leak": "a value of this chain, while the body that it was made in is open",
    "ref-len": f"a count that a step makes; {_LATER}",
    "ref-operator": f"a value passed on as it is; {_LATER}",
    "ref-pickle": "a value passed on as it is",
    "ref-slice": f"a constant index, or a step; {_LATER}",
    "ref-str": f"a variable of a template; {_LATER}",
    "template-filter": "a filter or test that Jinja has",
    "template-path": "a part that the type has",
    "template-syntax": "a template that Jinja can read",
    "template-tag": "text, {{ values }}, {% if %}, {% for %} and {% set %}",
    "unknown-field": "a part that the type has",
    "unused-input": "inputs that a step uses, or that the chain returns",
    "use-make": "make(...), which builds the model when its values exist",
    "wrong-place": "steps called in the body of a @chain, and declared outside of one",
}

"""Questions over JSON Schema, asked of the schemas that pydantic really emits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, computed_field
from typing_extensions import TypedDict

from chainlab.spec.schema import (
    NoField,
    Schema,
    alternatives,
    assignable,
    child,
    describe,
    fields,
    item,
    labels,
    list_of,
    nullable,
    object_of,
    optional,
    union,
    without_null,
)


class Colour(Enum):
    red = "red"
    blue = "blue"


class Point(BaseModel):
    x: int
    y: float = 0.0


class Point3(Point):
    z: int


class Named(BaseModel):
    title: str
    colour: Colour = Colour.red
    point: Point
    maybe: Point | None = None
    tags: list[str] = []


class Tree(BaseModel):
    label: str
    kids: list[Tree] = []


class OtherTree(BaseModel):
    label: str
    kids: list[OtherTree] = []


class IntTree(BaseModel):
    label: int
    kids: list[IntTree] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    name: str
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int


class Shut(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: int


class Aliased(BaseModel):
    inner: int = Field(serialization_alias="outer")


class Computed(BaseModel):
    x: int

    @computed_field  # type: ignore[prop-decorator]  # mypy cannot see through pydantic's decorator
    @property
    def double(self) -> int:
        return 2 * self.x


class Pair(NamedTuple):
    left: int
    right: str = ""


class Fields(TypedDict):
    x: int


@dataclass
class Data:
    x: int
    y: float


def schema(of: Any) -> dict[str, Any]:
    return TypeAdapter(of).json_schema(mode="serialization", by_alias=True)


STRING, INTEGER = schema(str), schema(int)


@pytest.mark.parametrize(
    ("of", "key", "name"),
    [
        (Named, "title", "str"),
        (Named, "colour", "Colour"),
        (Named, "point", "Point"),
        (Named, "maybe", "Point | None"),
        (Named, "tags", "list[str]"),
        (Tree, "kids", "list[Tree]"),
        (Cat | Dog, "name", "str"),
        (Cat | Dog, "kind", "Literal['cat'] | Literal['dog']"),
        (Pet, "name", "str"),
        (Open, "anything", "Any"),
        (Any, "anything", "Any"),
        (dict, "anything", "Any"),
        (Aliased, "outer", "int"),
        (Computed, "double", "int"),
        (Fields, "x", "int"),
        (Data, "y", "float"),
        (dict[str, Point], "any key", "Point"),
        (dict[Literal["a", "b"], int], "a", "int"),
        (list[Point], 0, "Point"),
        (list[Point], -1, "Point"),
        (tuple[int, str], 1, "str"),
        (tuple[int, str], -2, "int"),
        (tuple[int, ...], 7, "int"),
        (Pair, 1, "str"),
        (JsonValue, 0, "Any"),
    ],
)
def test_a_field_that_exists_has_its_type(of: Any, key: str | int, name: str) -> None:
    found = child(schema(of), key)
    assert not isinstance(found, NoField)
    assert describe(found) == name


@pytest.mark.parametrize(
    ("of", "key", "owner", "known", "reason"),
    [
        (Named, "titel", "Named", ("title", "colour", "point", "maybe", "tags"), ""),
        (Cat | Dog, "lives", "Cat | Dog", ("kind", "name"), "Dog has no such field"),
        (Point | None, "x", "Point | None", (), "given"),
        (Aliased, "inner", "Aliased", ("outer",), ""),
        (dict[Literal["a", "b"], int], "c", "dict[Literal['a', 'b'], int]", ("a", "b"), ""),
        (dict[str, int], 3, "dict[str, int]", (), "['3']"),
        (tuple[int, str], 2, "tuple[int, str]", (), "2 items"),
        (tuple[int, str], -3, "tuple[int, str]", (), "2 items"),
        (tuple[()], 0, "tuple[()]", (), "0 items"),
        (list[str], "text", "list[str]", (), "each"),
        (str, "upper", "str", (), "no fields"),
        (str, 0, "str", (), "no fields"),
        (Literal["a", "b"], "a", "Literal['a', 'b']", (), "no fields"),
        (int, "real", "int", (), "no fields"),
        (None, "x", "None", (), "no fields"),
    ],
)
def test_a_field_that_does_not_exist_says_what_does(
    of: Any, key: str | int, owner: str, known: tuple[str, ...], reason: str
) -> None:
    missing = child(schema(of), key)
    assert isinstance(missing, NoField)
    assert (missing.field, missing.type, missing.known) == (key, owner, known)
    assert reason in missing.reason


def test_a_descent_carries_the_definitions_it_needs_and_drops_the_rest() -> None:
    kids = child(schema(Tree), "kids")
    assert not isinstance(kids, NoField)
    again = item(kids)
    assert again is not None
    assert describe(again) == "Tree"
    assert "$defs" not in child(schema(Named), "title")  # type: ignore[operator]  # a Schema here
    assert list(child(schema(Named), "point")["$defs"]) == ["Point"]  # type: ignore[index]  # a Schema here


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (list[Point], "Point"),
        (tuple[int, str], "int | str"),
        (tuple[int, ...], "int"),
        (set[str], "str"),
        (list[int] | list[str], "int | str"),
        (list, "Any"),
        (Any, "Any"),
        (list[Point | None], "Point | None"),
    ],
)
def test_the_items_of_a_list_type(of: Any, name: str) -> None:
    found = item(schema(of))
    assert found is not None
    assert describe(found) == name


@pytest.mark.parametrize("of", [str, int, None, Point, dict[str, int], list[int] | None, list[int] | str, Literal["a"]])
def test_what_is_no_list_has_no_items(of: Any) -> None:
    assert item(schema(of)) is None


FITS: list[tuple[Any, Any]] = [
    (str, str),
    (int, float),
    (int, int | str),
    (str, str | None),
    (None, str | None),
    (int | str, int | str | None),
    (Literal["a"], Literal["a", "b"]),
    (Literal["a"], str),
    (Literal[1], float),
    (Literal["a", None], str | None),
    (Colour, str),
    (Colour, Colour),
    (bool, bool),
    (bool, Literal[True, False]),
    (Any, int),
    (int, Any),
    (Any, Named),
    (Named, Any),
    (list[int], list[float]),
    (list[int], list),
    (list[int], list[int | str]),
    (tuple[int, int], list[int]),
    (tuple[int, int], tuple[float, float]),
    (tuple[int, str], list[int | str]),
    (tuple[int, ...], list[int]),
    (set[int], list[int]),
    (dict[str, int], dict[str, float]),
    (Point, Point),
    (Point3, Point),
    (Point, dict[str, float]),
    (Point, Data),
    (Point, Fields),
    (Shut, Point),
    (dict[str, Any], Named),
    (dict[str, int], Fields),
    (Open, Point3),
    (Open, Shut),
    (Named, Named),
    (Tree, Tree),
    (Tree, OtherTree),
    (Cat, Pet),
    (Pet, Cat | Dog),
    (Cat | Dog, Pet),
    (Computed, Computed),
    (Point, Computed),
    (list[Tree], list[OtherTree]),
    (datetime, datetime),
    (datetime, str),
    (str, datetime),
    (JsonValue, Named),
    (Named, JsonValue),
]


@pytest.mark.parametrize(("got", "expected"), FITS)
def test_a_type_that_fits_is_let_pass(got: Any, expected: Any) -> None:
    assert assignable(schema(got), schema(expected)) is None


MISSES: list[tuple[Any, Any, str, str, str]] = [
    (str, int, "", "int", "str"),
    (int, str, "", "str", "int"),
    (float, int, "", "int", "float"),
    (bool, int, "", "int", "bool"),
    (int, bool, "", "bool", "int"),
    (bool, Literal[True], "", "Literal[True]", "bool"),
    (str | None, str, "", "str", "str | None"),
    (int | str, int, "", "int", "int | str"),
    (int | str | None, int | str, "", "int | str", "int | str | None"),
    (str, Literal["a", "b"], "", "Literal['a', 'b']", "str"),
    (Literal["a", "c"], Literal["a", "b"], "", "Literal['a', 'b']", "Literal['a', 'c']"),
    (Literal[1], Literal[True], "", "Literal[True]", "Literal[1]"),
    (Literal["a", 1], str, "", "str", "Literal['a', 1]"),
    (str, list[str], "", "list[str]", "str"),
    (list[str], str, "", "str", "list[str]"),
    (list[str], list[int], "[]", "int", "str"),
    (list[list[str]], list[list[int]], "[][]", "int", "str"),
    (tuple[int, str], tuple[int, int], "[1]", "int", "str"),
    (tuple[int, str], list[int], "[1]", "int", "str"),
    (tuple[int, int], tuple[int, int, int], "", "tuple[int, int, int]", "tuple[int, int]"),
    (tuple[int, int, int], tuple[int, int], "", "tuple[int, int]", "tuple[int, int, int]"),
    (list[int], tuple[int, int], "", "tuple[int, int]", "list[int]"),
    (dict[str, str], dict[str, int], "[key]", "int", "str"),
    (dict[str, str], Fields, ".x", "int", "str"),
    (Named, dict[str, str], ".point", "str", "Point"),
    (Point, Point3, ".z", "int", "Point has no such field"),
    (Point, Named, ".title", "str", "Point has no such field"),
    (Point3, Shut, ".z", "Shut has no such field", "int"),
    (Tree, IntTree, ".label", "int", "str"),
    (list[Tree], list[IntTree], "[].label", "int", "str"),
    (Point | None, Point, "", "Point", "Point | None"),
    (list[Point | None], list[Point], "[]", "Point", "Point | None"),
    (Pet, Cat, ".kind", "Literal['cat']", "Literal['dog']"),
    (Point, str, "", "str", "Point"),
    (str, Point, "", "Point", "str"),
    (None, str, "", "str", "None"),
]


@pytest.mark.parametrize(("got", "expected", "where", "wanted", "found"), MISSES)
def test_a_type_that_does_not_fit_says_where_and_why(
    got: Any, expected: Any, where: str, wanted: str, found: str
) -> None:
    miss = assignable(schema(got), schema(expected))
    assert miss is not None
    assert (miss.where, miss.expected, miss.got) == (where, wanted, found)


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (str, "str"),
        (float, "float"),
        (None, "None"),
        (Any, "Any"),
        (object, "Any"),
        (list, "list[Any]"),
        (dict, "dict[str, Any]"),
        (Named, "Named"),
        (list[Named], "list[Named]"),
        (Literal["a", "b"], "Literal['a', 'b']"),
        (Literal["a", None], "Literal['a'] | None"),
        (Named | None, "Named | None"),
        (None | str, "str | None"),
        (dict[str, int], "dict[str, int]"),
        (tuple[int, str], "tuple[int, str]"),
        (tuple[()], "tuple[()]"),
        (set[int], "set[int]"),
        (list[Colour], "list[Colour]"),
        (Pet, "Cat | Dog"),
        (datetime, "datetime"),
        (bytes, "bytes"),
        (list[int | None] | None, "list[int | None] | None"),
        (dict[str, list[Tree | None]], "dict[str, list[Tree | None]]"),
    ],
)
def test_a_type_is_described_as_python_writes_it(of: Any, name: str) -> None:
    assert describe(schema(of)) == name


def test_a_long_literal_is_cut() -> None:
    assert describe({"enum": list(range(100))}).endswith("10, 11, ...]")


@pytest.mark.parametrize(
    ("of", "values"),
    [
        (Literal["a", "b"], ("a", "b")),
        (Literal["a"], ("a",)),
        (Literal["a"] | None, ("a", None)),
        (bool, (True, False)),
        (None, (None,)),
        (Colour, ("red", "blue")),
        (Literal[1, True], (1, True)),
        (str, None),
        (Literal["a"] | str, None),
        (Any, None),
    ],
)
def test_the_labels_of_a_closed_type(of: Any, values: tuple[Any, ...] | None) -> None:
    assert labels(schema(of)) == values


def test_none_is_taken_away_and_put_back() -> None:
    maybe = schema(Named | None)
    assert nullable(maybe)
    plain = without_null(maybe)
    assert not nullable(plain)
    assert describe(plain) == "Named"
    assert assignable(optional(plain), maybe) is None
    assert optional(maybe) == maybe
    assert without_null(plain) == plain
    assert describe(without_null(schema(Literal["a", None]))) == "Literal['a']"
    assert nullable(schema(Any))
    assert without_null({}) == {}


def test_a_union_has_no_repeats_and_an_unknown_member_makes_it_unknown() -> None:
    assert union(STRING, STRING) == STRING
    assert describe(union(STRING, INTEGER, schema(int | None))) == "str | int | None"
    assert describe(union(STRING, {})) == "Any"
    assert union() == {}
    assert union(schema(Named), schema(Named)) == schema(Named)


def test_definitions_of_one_name_from_two_places_are_kept_apart() -> None:
    def other() -> dict[str, Any]:
        class Point(BaseModel):
            wholly: str

        class Box(BaseModel):
            point: Point

        return schema(list[Box])

    class Box(BaseModel):
        point: Point

    both = union(schema(list[Box]), other())
    found = item(both)
    assert found is not None
    points = child(found, "point")
    assert not isinstance(points, NoField)
    assert [fields(one) for one in alternatives(points)] == [("x", "y"), ("wholly",)]


def test_a_discriminated_union_survives_renaming() -> None:
    clash = {"$defs": {"Cat": {"type": "object", "properties": {}, "title": "Cat"}}, "$ref": "#/$defs/Cat"}
    both = object_of({"a": clash, "b": schema(Pet)}, "Both")
    pet = child(both, "b")
    assert not isinstance(pet, NoField)
    assert pet["discriminator"]["mapping"]["cat"] == "#/$defs/Cat__2"
    assert assignable(pet, schema(Pet)) is None


def test_an_object_of_fields_has_exactly_these() -> None:
    made = object_of({"point": schema(Point), "n": INTEGER}, "Made")
    assert describe(made) == "Made"
    assert describe(object_of({"n": INTEGER})) == "{'n': int}"
    assert isinstance(child(made, "m"), NoField)
    assert assignable(made, made) is None
    assert assignable(object_of({"x": INTEGER}), schema(Point)) is None
    assert assignable(object_of({"x": STRING}), schema(Point)) is not None


def test_a_list_of_a_recursive_type_is_self_contained() -> None:
    trees = list_of(schema(Tree))
    assert describe(trees) == "list[Tree]"
    assert assignable(trees, schema(list[Tree])) is None


def test_what_is_not_understood_is_let_pass() -> None:
    odd: list[Schema] = [
        {"$ref": "#/definitions/Old", "definitions": {}},
        {"$ref": "#/$defs/Gone"},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {"allOf": [{"type": "object"}, {"required": ["a"]}]},
        {"not": {"type": "string"}},
        {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"if": {}, "then": {}},
    ]
    for strange in odd:
        assert child(strange, "a") == {}
        assert item(strange) == {}
        assert assignable(strange, STRING) is None
        assert assignable(STRING, strange) is None
        assert labels(strange) is None
        assert describe(strange)


def test_open_api_writes_none_in_other_ways() -> None:
    assert describe({"type": ["string", "null"]}) == "str | None"
    assert nullable({"type": "integer", "nullable": True})
    assert assignable({"type": ["string", "null"]}, STRING) is not None


TYPES = st.recursive(
    st.sampled_from([str, int, float, bool, None, Any, Literal["a", "b"], Literal[1, 2], Colour, Point, Tree, Pet]),
    lambda inner: st.one_of(
        inner.map(lambda t: list[t]),  # type: ignore[valid-type]  # a type made at run time
        inner.map(lambda t: dict[str, t]),  # type: ignore[valid-type]  # a type made at run time
        st.tuples(inner, inner).map(lambda ts: tuple[ts[0], ts[1]]),  # type: ignore[valid-type]  # the same
        st.tuples(inner, inner).map(lambda ts: ts[0] | ts[1] if ts[0] is not ts[1] and Any not in ts else ts[0]),
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(TYPES, TYPES)
def test_every_type_fits_itself_and_any_union_that_holds_it(one: Any, other: Any) -> None:
    first, second = schema(one), schema(other)
    assert assignable(first, first) is None
    assert assignable(first, union(first, second)) is None
    assert assignable(first, optional(first)) is None
    assert assignable(list_of(first), list_of(union(second, first))) is None
    assert assignable(object_of({"a": first, "b": second}), object_of({"a": first, "b": second})) is None
    assert describe(first)

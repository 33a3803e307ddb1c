"""What counts as a reference, and the values of references as text."""

import pytest

from lakelocal.bundle.references import only_reference, references_in, replace_references, steps_of
from lakelocal.lakeflow.field_values import as_text, interpolated

# A text, and the paths that it refers to, in the grammar shared by the CLI and databricks-bundles.
GRAMMAR: list[tuple[str, list[str]]] = [
    ("${hello_world.world_world}", ["hello_world.world_world"]),
    ("${helloworld.world-world}", ["helloworld.world-world"]),
    ("${hello-world.world-world}", ["hello-world.world-world"]),
    ("${hello_world.world__world}", ["hello_world.world__world"]),
    ("${hello_world.world--world}", ["hello_world.world--world"]),
    ("${hello_world.world-_world}", ["hello_world.world-_world"]),
    ("${hello_world.world_-world}", ["hello_world.world_-world"]),
    ("${café.bar}", ["café.bar"]),
    ("${hello.café}", ["hello.café"]),
    ("${变量.世界}", ["变量.世界"]),
    ("${变量.九世界}", ["变量.九世界"]),
    ("${العربية.key}", ["العربية.key"]),
    ("${变量.世界} ${café.bar}", ["变量.世界", "café.bar"]),
    ("${var.变量}", ["var.变量"]),
    ("${resources.jobs.工作.name}", ["resources.jobs.工作.name"]),
    ("${foo.bar.baz[0]}", ["foo.bar.baz[0]"]),
    ("${foo.bar.baz[0][1].qux}", ["foo.bar.baz[0][1].qux"]),
    ("${变量.世界[0]}", ["变量.世界[0]"]),
    ("${var.my_var}", ["var.my_var"]),
    ("${var.my_var[0].foo}", ["var.my_var[0].foo"]),
    ("${hello_world-.world_world}", []),
    ("${hello_world-_.world_world}", []),
    ("${helloworld.world-world-}", []),
    ("${helloworld-.world-world}", []),
    ("${helloworld.-world-world}", []),
    ("${-hello-world.-world-world-}", []),
    ("${_-_._-_.id}", []),
    ("${0helloworld.world-world}", []),
    ("${helloworld.9world-world}", []),
    ("${0café.bar}", []),
    ("${变量.9世界}", []),
    ("${变量.-世界}", []),
    ("${café-}", []),
    ("${cafe\u0301.bar}", []),
    ("${foo.🌍}", []),
    ("${🌍.bar}", []),
    ("${foo.bar$}", []),
    ("${foo.bar\u200b}", []),
    ("${变量.９世界}", []),
    ("", []),
    ("${foo.bar} suffix", ["foo.bar"]),
    ("prefix ${foo.bar}", ["foo.bar"]),
    ("${foo.one}${foo.two}", ["foo.one", "foo.two"]),
    ("${var.my_var} ${var.my_var}", ["var.my_var", "var.my_var"]),
    ("${foo.bar", []),
    ("foo.bar}", []),
    ("foo.bar", []),
    ("{foo.bar}", []),
]
MORE: list[tuple[str, list[str]]] = [
    ("${²a.b}", []),  # a number that is not a digit
    ("${a.Ⅷb}", []),  # nor is this one a letter
    ("${a²}", ["a²"]),
    ("${foo[0]}", ["foo[0]"]),
    ("${foo[0].bar}", []),  # an entry of the first name ends the path
    ("${foo.bar[]}", []),
    ("${foo.bar[-1]}", []),
    ("${foo..bar}", []),
    ("${foo.}", []),
    ("$${foo.bar}", ["foo.bar"]),
    ("${HOME}", ["HOME"]),
    ("${foo.${bar.baz}}", ["bar.baz"]),
    ("${ foo.bar }", []),
    ("{{job.id}}", []),
    ("${" + "a" * 5000 + "!}", []),  # found at once
]


@pytest.mark.parametrize(("text", "paths"), [*GRAMMAR, *MORE])
def test_the_grammar_of_references(text: str, paths: list[str]) -> None:
    """A text is a single reference, contains some, or contains none."""
    assert list(references_in(text)) == paths
    assert only_reference(text) == (paths[0] if [f"${{{path}}}" for path in paths] == [text] else None)


def test_the_table_is_whole() -> None:
    """The CLI and databricks-bundles share 48 vectors."""
    assert len(GRAMMAR) == 48


def test_a_path_is_names_and_numbers() -> None:
    """Numbers are in brackets."""
    assert steps_of("var.a_b[0][12].c") == ("var", "a_b", 0, 12, "c")


def test_what_is_no_reference_stays() -> None:
    """So does a reference that has no value yet."""
    values = {"a.b": "1", "a.c": None}

    assert replace_references("${a.b} ${a.c} ${a-} ${a.b}", values.__getitem__) == "1 ${a.c} ${a-} 1"


@pytest.mark.parametrize(
    ("value", "as_field", "inside"),
    [
        (True, "true", "true"),
        (False, "false", "false"),
        (3, "3", "3"),
        (-0.5, "-0.5", "-0.5"),
        (1.0, "1", "1"),
        (0.0, "0", "0"),
        (1000.0, "1000", "1000"),
        (999999.0, "999999", "999999"),
        (1e6, "1000000", "1e+06"),
        (1234567.5, "1234567.5", "1.2345675e+06"),
        (-1e20, "-100000000000000000000", "-1e+20"),
        (0.0001, "0.0001", "0.0001"),
        (0.00001, "0.00001", "1e-05"),
        (1e100, "1" + "0" * 100, "1e+100"),
        (float("inf"), "+Inf", "+Inf"),
        ("a", "a", "a"),
        (None, "", "<nil>"),
    ],
)
def test_values_as_texts(value: object, as_field: str, inside: str) -> None:
    """As the CLI writes them: where a field takes text, and where a reference is inside a text."""
    assert (as_text(value), interpolated(value)) == (as_field, inside)

"""`%run`: the path and the arguments in its line. For what it then does, see tests/spark/test_kernel.py."""

import pytest

from lakelocal.errors import DialectError
from lakelocal.kernel.inline import parse_call

WIDGETS = {"reset": "true", "catalog": "main", "name with spaces": "x y"}


@pytest.mark.parametrize(
    ("line", "path", "arguments"),
    [
        ("./setup", "./setup", {}),
        ("  ../a/setup  ", "../a/setup", {}),
        ('"./my setup"', "./my setup", {}),
        ("'./my setup' $a=1", "./my setup", {"a": "1"}),
        ('./s $a="10" $b="1"', "./s", {"a": "10", "b": "1"}),
        ("./s $a = '10' $b= 1", "./s", {"a": "10", "b": "1"}),
        ('./s $a="two words" $b="" $c=\'it\\\'s\'', "./s", {"a": "two words", "b": "", "c": "it's"}),
        ('./s $json={"a":[1]} $query="a=b&c=$"', "./s", {"json": '{"a":[1]}', "query": "a=b&c=$"}),
        # the caller's widgets
        ("./s $reset=$reset", "./s", {"reset": "true"}),
        ("./s $reset_all=$reset $db=$catalog", "./s", {"reset_all": "true", "db": "main"}),
        ('./s $a="$reset" $b=${catalog} $c="${name with spaces}"', "./s", {"a": "true", "b": "main", "c": "x y"}),
        ('./s $table="$catalog.raw.${catalog}_t"', "./s", {"table": "main.raw.main_t"}),
        # text that looks like one
        (r'./s $price="\$5" $raw="\$reset" $a="b $c"', "./s", {"price": "$5", "raw": "$reset", "a": "b $c"}),
        ("./s $price=$5", "./s", {"price": "$5"}),
    ],
)  # fmt: skip
def test_a_value_is_text_or_a_widget_of_the_caller(line, path, arguments):
    """As `$name` and `${name}` are in SQL cells of Databricks."""
    assert parse_call(line, WIDGETS) == (path, arguments)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "found no path"),
        ("$a=1", "found no path"),
        ("./s who", "found `who`"),
        ("./my setup $a=1", "quotes around a path with spaces"),
        ("./s $a", r"found `\$a`"),
        ("./s $a=", r"found `\$a=`"),
        ('./s $a="open', r"found `\$a=\"open`"),
        ("./s $a=$nothing", r"has no widget `nothing`; its widgets: `catalog`, .* passes no Python variables"),
        ("./s $a=${nothing}", "has no widget `nothing`"),
    ],
)
def test_what_is_no_argument_is_refused(line, said):
    """The text `$nothing` would be taken for the value."""
    with pytest.raises(DialectError, match=said):
        parse_call(line, WIDGETS)

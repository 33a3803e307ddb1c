"""Properties of tables that Databricks has but open-source Delta refuses, since it knows no such `delta.` property.

They tune how files are written. They are stored below `lakelocal.`, where Delta accepts any name, so that a statement
that Databricks has written runs unchanged. Any other unknown name stays, and is refused by Delta, as on Databricks.

Source: Databricks documentation, "Table properties reference"; the properties of tables that Databricks exports.
"""

from lakelocal.sql.tokens import STRING, tokenize
from lakelocal.sql.writing import Edit, apply, literal

KEPT_BELOW = "lakelocal."
ONLY_DATABRICKS = frozenset(
    {
        "delta.parquet.compression.codec",
        "delta.targetfilesize",
        "delta.tunefilesizesforrewrites",
        "delta.writepartitioncolumnstoparquet",
    }
)


def keep_properties(sql: str) -> str:
    """*sql* with these properties renamed, in all lists of properties, to names below `lakelocal.`."""
    if "TBLPROPERTIES" not in sql.upper():
        return sql
    edits, in_list = [], False
    for token in tokenize(sql) or ():
        if token.word == "TBLPROPERTIES":
            in_list = True
        elif token.word == ")":
            in_list = False
        elif in_list and token.kind == STRING and token.text.lower() in ONLY_DATABRICKS:
            edits.append(Edit(token.start, token.end, literal(KEPT_BELOW + token.text)))
    return apply(sql, edits) if edits else sql

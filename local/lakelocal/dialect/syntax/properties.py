"""Properties of tables that Databricks has and open-source Delta refuses, since it knows no such `delta.` property.

They tune how files are written. A table keeps them below `lakelocal.`, where Delta takes any name, so that a statement
that Databricks wrote runs as it is. Any other unknown name stays, and Delta refuses it, as Databricks does.

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
    """*sql* with the names of these properties below `lakelocal.`, wherever a list of properties names them."""
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

"""How the text of the files is read: the options of every CSV reader, and how a text becomes a value of a type."""

# RFC 4180, UTF-8, with a header: comments contain line breaks and doubled quotes.
CSV_OPTIONS = {"header": "true", "multiLine": "true", "quote": '"', "escape": '"', "encoding": "UTF-8"}

# Auto Loader reads each file once and matches columns by name; what fits no column is kept as JSON.
AUTO_LOADER_OPTIONS = {
    "cloudFiles.format": "csv",
    "rescuedDataColumn": "_rescued_data",
    **{name: value for name, value in CSV_OPTIONS.items() if name != "encoding"},
}

# SQL for the columns of bronze that the files do not contain; `{folder}` is the folder of the table's files.
LINEAGE = {
    "_source_file": "concat('{folder}/', _metadata.file_name)",
    "_file_modified_at": "_metadata.file_modification_time",
    "_ingested_at": "current_timestamp()",
}

# SQL by the type of a column, or by its format if the type does not suffice; `{text}` is the column's text. The
# result is NULL unless the text is exactly such a value: no `12abc`, ` 5 `, `1e3` as a whole number or 30 February.
PARSE_RULES = {
    "STRING": "nullif({text}, '')",
    "zip": "CASE WHEN regexp_substr({text}, '[0-9]{{4,5}}') = {text} THEN lpad({text}, 5, '0') END",
    "INT": "CASE WHEN regexp_substr({text}, '-?[0-9]+([.]0+)?') = {text} "
    "THEN try_cast(split_part({text}, '.', 1) AS INT) END",
    "BIGINT": "CASE WHEN regexp_substr({text}, '-?[0-9]+') = {text} THEN try_cast({text} AS BIGINT) END",
    "DOUBLE": "CASE WHEN regexp_substr({text}, '-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?') = {text} "
    "THEN try_cast({text} AS DOUBLE) END",
    "BOOLEAN": "CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END",
    "DATE": "CASE WHEN regexp_substr({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') = {text} "
    "THEN try_to_date({text}, 'yyyy-MM-dd') END",
    "TIMESTAMP": "try_to_timestamp({text}, 'yyyy-MM-dd[ HH:mm:ss]')",
}
# A decimal has at most its digits, followed by zeros: a third decimal of an amount is not rounded.
_DECIMAL = (
    "CASE WHEN regexp_substr({{text}}, '-?[0-9]{{{{1,{whole}}}}}([.][0-9]{{{{1,{scale}}}}}0*)?') = {{text}} "
    "THEN try_cast({{text}} AS {type}) END"
)


def parse_rule(type_or_format: str) -> str:
    """The rule of `PARSE_RULES` for a column: SQL with `{text}`. A DECIMAL has a rule for its precision and scale.

    Raises:
        KeyError: there is no such rule.
    """
    kind = type_or_format.replace(" ", "")
    if kind.startswith("DECIMAL(") and kind.endswith(")"):
        precision, _, scale = kind.removeprefix("DECIMAL(").removesuffix(")").partition(",")
        digits = int(scale or 0)
        return _DECIMAL.format(whole=int(precision) - digits, scale=max(digits, 1), type=kind)
    return PARSE_RULES[kind]

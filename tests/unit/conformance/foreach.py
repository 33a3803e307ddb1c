"""Inputs of for-each tasks: text after its references are replaced -> the elements, or None if the task fails."""

from conformance import FOR_EACH, Rule

RULES = [
    Rule("foreach.numbers", "inputs is a text that holds a JSON array", FOR_EACH, ("[1, 2.5]", [1, 2.5])),
    Rule("foreach.objects", "of objects", FOR_EACH, ('[{"a": "b"}, {"a": null}]', [{"a": "b"}, {"a": None}])),
    Rule("foreach.texts", "or texts", FOR_EACH, ('["x", ""]', ["x", ""])),
    Rule("foreach.empty", "an empty array has no iterations", FOR_EACH, ("[]", [])),
    Rule("foreach.object", "an object is no array: the task fails", FOR_EACH, ('{"a": 1}', None)),
    Rule("foreach.text", "neither is a text", FOR_EACH, ("a,b", None)),
    Rule("foreach.nothing", "nor nothing", FOR_EACH, ("", None)),
]

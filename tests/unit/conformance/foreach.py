"""Inputs of for-each tasks: text after its references are replaced -> the elements, or None if the task fails."""

from conformance import FOR_EACH, Rule

RULES = [
    Rule("foreach.numbers", "inputs is text that contains a JSON array", FOR_EACH, ("[1, 2.5]", [1, 2.5])),
    Rule("foreach.objects", "of objects", FOR_EACH, ('[{"a": "b"}, {"a": null}]', [{"a": "b"}, {"a": None}])),
    Rule("foreach.texts", "or of strings", FOR_EACH, ('["x", ""]', ["x", ""])),
    Rule("foreach.empty", "an empty array has no iterations", FOR_EACH, ("[]", [])),
    Rule("foreach.object", "an object is not an array: the task fails", FOR_EACH, ('{"a": 1}', None)),
    Rule("foreach.text", "nor is a string", FOR_EACH, ("a,b", None)),
    Rule("foreach.nothing", "nor is an empty value", FOR_EACH, ("", None)),
]

"""Partial runs, in the job a -> b -> d, a -> c -> d, and e alone: `--only` -> the tasks that run."""

from conformance import PARTIAL, Rule

RULES = [
    Rule("selections.one", "only the named task", PARTIAL, ("b", "b")),
    Rule("selections.list", "a list of tasks", PARTIAL, ("b, e", "b e")),
    Rule("selections.upstream", "+t adds all tasks that it needs", PARTIAL, ("+b", "a b")),
    Rule("selections.downstream", "t+ adds all tasks that need it", PARTIAL, ("b+", "b d")),
    Rule("selections.all-upstream", "directly or not", PARTIAL, ("+d", "a b c d")),
    Rule("selections.mixed", "the entries may differ", PARTIAL, ("a+,e", "a b c d e")),
    Rule("selections.both", "+t+ adds both", PARTIAL, ("+b+", "a b d")),
]

"""SQL as text: read by its tokens, without running it.

| module    | what it knows                                                                       |
| --------- | ----------------------------------------------------------------------------------- |
| `tokens`  | the tokens of a text, each with its place, and the parameter markers among them     |
| `writing` | how values and names are written in SQL, and changes of a text at places            |
| `cells`   | the statements of an SQL cell, and what is filled in before each of them runs       |
| `widgets` | `CREATE WIDGET` and `REMOVE WIDGET`                                                 |
"""

"""SQL as text: read by its tokens, without running it.

| module    | what it contains                                                                    |
| --------- | ----------------------------------------------------------------------------------- |
| `tokens`  | the tokens of a text, each with its position, and the parameter markers among them  |
| `nesting` | brackets among the tokens                                                           |
| `scripts` | where a SQL script ends, and the statements in it                                   |
| `writing` | how values and names are written in SQL, and edits of a text by position            |
| `cells`   | the statements of a SQL cell, and what is filled in before each of them runs        |
| `widgets` | `CREATE WIDGET` and `REMOVE WIDGET`                                                 |
"""

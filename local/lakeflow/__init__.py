"""What a Databricks job means: pure rules, which import nothing above the reading of files.

| module               | the rules of                                                                     |
| -------------------- | -------------------------------------------------------------------------------- |
| `conditions`         | condition tasks: which texts they compare, and what comes of it                  |
| `notebook_interface` | a notebook's parameters and task values, read from its cells                     |
"""

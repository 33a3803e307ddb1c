"""The command line: arguments in, one call of the package that does the work, a readable answer out."""

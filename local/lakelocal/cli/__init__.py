"""The command line: parses arguments, makes one call of the package that does the work, prints a readable answer."""

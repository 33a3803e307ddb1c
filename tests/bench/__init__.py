"""What the lakehouse costs, measured: `make bench`."""

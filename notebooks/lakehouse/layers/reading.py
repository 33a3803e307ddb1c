"""How the landed files are read: one set of options for everything that reads them."""

# Olist's files: header, UTF-8, RFC 4180. Review comments hold line breaks and doubled quotes.
CSV_OPTIONS = {"header": "true", "multiLine": "true", "quote": '"', "escape": '"', "encoding": "UTF-8"}

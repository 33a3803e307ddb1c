"""Write the table of endpoints in local/WORKSPACE.md: `python -m tests.workspace.write_endpoints`."""

from tests.workspace.endpoints_document import FILE, document

if __name__ == "__main__":
    FILE.write_text(document(FILE.read_text(encoding="utf-8")), encoding="utf-8")

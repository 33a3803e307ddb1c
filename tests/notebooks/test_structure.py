"""Every notebook has the shape that its readers, papermill, nbval and Databricks rely on."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA_FLOW = sorted((ROOT / "notebooks").glob("*.ipynb"))
RUNBOOKS = sorted((ROOT / "runbooks").glob("*.ipynb"))
LONGEST_CELL = 30


def read(place: Path) -> dict:
    return json.loads(place.read_text(encoding="utf-8"))


def source(cell: dict) -> str:
    return "".join(cell["source"])


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def parameter_names(notebook: dict) -> set[str]:
    cells = [cell for cell in code_cells(notebook) if "parameters" in tags(cell)]
    return {node.target.id for node in ast.parse(source(cells[0])).body if isinstance(node, ast.AnnAssign)}


@pytest.fixture(params=DATA_FLOW + RUNBOOKS, ids=lambda place: place.stem)
def notebook(request) -> dict:
    return read(request.param)


@pytest.fixture(params=DATA_FLOW, ids=lambda place: place.stem)
def step(request) -> dict:
    return read(request.param)


def test_the_data_flow_is_complete_and_numbered():
    """The number is the order."""
    assert [place.stem for place in DATA_FLOW] == [
        "00_setup",
        "05_check_parameters",
        "10_generate_data",
        "20_bronze",
        "30_silver",
        "40_gold",
        "50_cdc_bronze",
        "60_cdc_stage",
        "70_cdc_apply",
        "71_cdc_example",
    ]


def test_a_step_begins_with_what_it_reads_and_writes(step):
    """The header answers what a person asks first."""
    head = source(step["cells"][0])

    assert head.startswith("# ")
    for word in ("Reads", "Writes", "Run by", "Safe to repeat"):
        assert word in head


def test_the_parameters_cell_is_the_first_code_and_holds_typed_literals_with_help(notebook):
    """papermill, the engine and a reader take the parameters from this cell."""
    cells = code_cells(notebook)

    assert [index for index, cell in enumerate(cells) if "parameters" in tags(cell)] == [0]
    for line, node in zip(source(cells[0]).splitlines(), ast.parse(source(cells[0])).body, strict=True):
        assert isinstance(node, ast.AnnAssign) and node.value is not None
        ast.literal_eval(node.value)
        comment = line.partition("#")[2]
        assert comment.strip(), f"no help: {line}"
        assert "=" not in comment, f"papermill reads one = per line: {line}"


def test_cells_are_short_and_explained(notebook):
    """One idea per cell; half of the cells are prose."""
    cells = notebook["cells"]
    prose = [cell for cell in cells if cell["cell_type"] == "markdown"]

    for cell in code_cells(notebook):
        assert len(source(cell).splitlines()) <= LONGEST_CELL, source(cell)[:80]
    assert len(prose) >= 0.35 * len(cells)


def test_a_name_is_assigned_in_one_cell_only(notebook):
    """A reader who looks for a name finds it in one place; cells can be repeated."""
    seen: dict[str, int] = {}
    for number, cell in enumerate(code_cells(notebook)[1:], 1):
        for node in ast.parse(source(cell)).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                for name in (
                    n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                ):
                    assert seen.setdefault(name, number) == number, f"{name} is assigned in two cells"


def test_only_outputs_that_a_test_reads_are_stored(notebook):
    """A stored output is a contract: its cell is tagged, was run, and nbval compares it."""
    for cell in code_cells(notebook):
        if "nbval-check-output" in tags(cell):
            assert cell["outputs"] and cell["execution_count"], "a check cell without an output passes silently"
        else:
            assert cell["outputs"] == [], source(cell)[:80]


def test_metadata_is_only_what_is_needed(notebook):
    """Tools add metadata that changes at every save."""
    assert notebook["metadata"].keys() <= {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["nbformat"] == 4 and notebook["nbformat_minor"] >= 5
    for cell in notebook["cells"]:
        assert cell["metadata"].keys() <= {"tags"} and cell["id"]


def test_each_step_names_the_next(step):
    """A person who opens one finds the next."""
    last = source(step["cells"][-1])

    assert step["cells"][-1]["cell_type"] == "markdown" and last.startswith("Next: ")


def test_the_parameters_of_each_task_are_taken_by_its_notebook():
    """A typing error in a job file shows here, not at six in the morning."""
    found = 0
    for place in sorted((ROOT / "config" / "jobs").glob("*.json")):
        for job in read(place)["resources"]["jobs"].values():
            for task in job["tasks"]:
                if "notebook_task" in task:
                    named = (place.parent / task["notebook_task"]["notebook_path"]).resolve()
                    given = set(task["notebook_task"].get("base_parameters", {}))
                    assert given <= parameter_names(read(named)), (place.name, task["task_key"])
                    found += 1
    assert found == 8


def test_every_runbook_has_its_sections_and_is_in_the_list():
    """A person in trouble looks in runbooks/README.md for the symptom."""
    listing = (ROOT / "runbooks" / "README.md").read_text(encoding="utf-8")

    for place in RUNBOOKS:
        headings = [
            line[3:] for cell in read(place)["cells"] if cell["cell_type"] == "markdown"
            for line in source(cell).splitlines() if line.startswith("## ")
        ]  # fmt: skip
        assert headings == ["Operation note", "Check the environment", "Settings", "Do", "Confirm", "Clean up"], (
            place.name
        )
        assert f"({place.name})" in listing


def test_a_copy_of_a_runbook_leaves_the_working_tree_clean():
    """D10 looks whether anything was changed; a record of operations is no change."""
    copies = []
    for place in RUNBOOKS:
        assert f"`YYYYMMDD_NN_{place.name}`" in source(read(place)["cells"][1])
        copies.append(f"runbooks/20260131_01_{place.name}")

    ignored = subprocess.run(["git", "check-ignore", *copies], cwd=ROOT, capture_output=True, text=True)
    kept = subprocess.run(["git", "check-ignore", *map(str, RUNBOOKS)], cwd=ROOT, capture_output=True, text=True)

    assert (ignored.stdout.splitlines(), kept.stdout) == (copies, "")


def test_local_and_the_lakehouse_do_not_know_each_other():
    """`local` runs anyone's bundle; the notebooks run without `local`."""
    imports = re.compile(r"^\s*(?:from|import)\s+(\w+)", re.MULTILINE)
    for place in (ROOT / "local").rglob("*.py"):
        assert "lakehouse" not in imports.findall(place.read_text(encoding="utf-8")), place
        assert not re.search(r"(?i)(?<![a-z])olist", place.read_text(encoding="utf-8")), place
    for place in (ROOT / "notebooks").rglob("*.py"):
        assert not {"local", "lakelocal"} & set(imports.findall(place.read_text(encoding="utf-8"))), place

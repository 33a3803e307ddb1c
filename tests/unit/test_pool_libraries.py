"""The imports made ahead of time leave a process that can be forked, and one that cannot be forked is detected."""

import os
import subprocess
import sys
import textwrap

import pytest

from lakelocal.attempt.libraries import SETTINGS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="attempts are forked on Linux alone")


def fresh(code: str) -> list[str]:
    """The lines that *code* prints in a separate process."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **SETTINGS},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_imports_leave_no_thread() -> None:
    """Neither of Python nor of a library, although OpenBLAS starts some when it is loaded."""
    lines = fresh("""
        import os
        from lakelocal.attempt.attempt import import_ahead
        from lakelocal.attempt.libraries import SPARK, load, why_no_fork
        import_ahead()
        load(SPARK)
        print(repr(why_no_fork()), os.listdir("/proc/self/task") == [str(os.getpid())])
    """)

    assert lines == ["'' True"]


def test_what_a_session_needs_is_imported_ahead() -> None:
    """Each name is that of a module, and with them a session with the dialect imports nothing else of the emulator."""
    lines = fresh("""
        import importlib, sys
        from lakelocal.attempt.libraries import SPARK, load
        load(SPARK)
        print([name for name in SPARK if name not in sys.modules])
        known = set(sys.modules)
        for name in ("lakelocal.dialect.interceptor", "lakelocal.pipelines.standalone", "lakelocal.compute.signing"):
            importlib.import_module(name)
        print(sorted(name for name in set(sys.modules) - known if name.startswith("lakelocal")))
    """)

    assert lines == ["[]", "[]"]


def test_the_grammar_of_iris_is_built_by_the_first_check_of_one() -> None:
    """nbformat imports `jsonschema`, which would build it at once; code that checks an IRI sees no difference."""
    lines = fresh("""
        import sys
        from lakelocal.attempt.attempt import import_ahead
        import_ahead()
        import jsonschema
        print("rfc3987_syntax" in sys.modules)
        checker = jsonschema.Draft7Validator.FORMAT_CHECKER
        print(checker.conforms("http://example.com/é", "iri"), checker.conforms("no iri", "iri"))
        import rfc3987_syntax
        print(rfc3987_syntax.is_valid_syntax_iri("http://example.com/é"))
    """)

    assert lines == ["False", "True False", "True"]


def test_a_fork_calculates_with_all_its_threads() -> None:
    """The threads of OpenBLAS that ended before the fork start again in the process that multiplies matrices."""
    lines = fresh("""
        import os
        import numpy
        from lakelocal.attempt.libraries import why_no_fork

        def threads():
            return len(os.listdir("/proc/self/task"))

        loaded = threads()
        assert why_no_fork() == "" and threads() == 1
        child = os.fork()
        if child == 0:
            square = numpy.ones((800, 800))
            square @ square
            print(threads() == loaded, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
    """)

    assert lines == ["True"]


def test_a_thread_of_python_is_named() -> None:
    """A user who reads why attempts start slowly can look for it."""
    lines = fresh("""
        import threading
        from lakelocal.attempt.libraries import why_no_fork
        threading.Thread(target=threading.Event().wait, name="watcher", daemon=True).start()
        print(why_no_fork())
    """)

    assert lines == ["it has the threads watcher"]


def test_a_thread_of_a_library_is_seen() -> None:
    """Python does not know about it; the kernel does."""
    lines = fresh("""
        import _thread, threading, time
        from lakelocal.attempt.libraries import why_no_fork
        started = threading.Event()
        _thread.start_new_thread(lambda: (started.set(), time.sleep(600)), ())
        started.wait()
        print(why_no_fork().split(":")[0])
    """)

    assert lines == ["libraries have started threads"]

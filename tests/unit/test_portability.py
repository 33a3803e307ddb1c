"""The check of the notebooks finds every construct that a place refuses, no others, and none here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.portability.__main__ import told
from tests.portability.code import Code, as_python, read_code
from tests.portability.python_code import find_in_python
from tests.portability.rules import RULES

ROOT = Path(__file__).resolve().parents[2]

# By rule: code that breaks it once per line, unless it is longer than a line.
REFUSED = {
    "cache": [
        "df.where('a > 1').cache()",
        "df.persist(level)",
        "df.unpersist()",
        "df.checkpoint(eager=True)",
        "df.localCheckpoint()",
        "spark.catalog.cacheTable('t')",
        "spark.sql('CACHE TABLE t')",
        "spark.sql('cache lazy table t AS SELECT 1')",
        "spark.sql('UNCACHE TABLE IF EXISTS t')",
        "spark.sql('CLEAR CACHE')",
    ],
    "rdd": [
        "df.rdd.map(f)",
        "spark.sparkContext.parallelize([1])",
        "sc.textFile('x')",
        "spark._jvm.java.lang.System",
        "from pyspark import SparkContext",
        "from pyspark.sql import SQLContext",
    ],
    "setting": [
        "spark.conf.set('spark.sql.adaptive.enabled', 'true')",
        "spark.conf.set(name, 'true')",
        "spark.conf.set(key='spark.x', value='1')",
        "spark.sql('SET spark.sql.adaptive.enabled = true')",
    ],
    "global-view": [
        "df.createGlobalTempView('v')",
        "df.createOrReplaceGlobalTempView('v')",
        "spark.catalog.dropGlobalTempView('v')",
        "spark.sql('CREATE OR REPLACE GLOBAL TEMP VIEW v AS SELECT 1')",
        "spark.sql('CREATE GLOBAL TEMPORARY VIEW v AS SELECT 1')",
        "query = 'SELECT * FROM global_temp.v'",
    ],
    "foreach": [
        "df.writeStream.foreachBatch(f).trigger(availableNow=True).start()",
        "df.foreach(f)",
        "df.foreachPartition(f)",
    ],
    "python-udf": [
        "from pyspark.sql.functions import udf",
        "from pyspark.sql.functions import col, pandas_udf",
        "g = F.udf(f)",
        "spark.udf.register('f', f)",
        "df.groupBy('a').applyInPandas(f, schema)",
        "df.mapInArrow(f, schema)",
        "spark.sql('CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON AS $$ return x $$')",
        "spark.sql(\"CREATE FUNCTION f AS 'a.B' USING JAR 'b.jar'\")",
    ],
    "hive-variable": [
        "spark.sql('SELECT * FROM ${hivevar:t}')",
        "spark.sql('SELECT ${x}')",
        "spark.sql('SET hivevar:t = orders')",
    ],
    "external-table": [
        "spark.sql(f\"CREATE TABLE {name} (a INT) USING delta LOCATION '{path}'\")",
        "spark.sql('CREATE EXTERNAL TABLE t (a INT)')",
        "spark.sql('CREATE EXTERNAL VOLUME v')",
        "spark.sql('CREATE TABLE ' + name + ' (a INT) LOCATION ' + path)",
    ],
    "storage-path": [
        "df = spark.read.csv('dbfs:/mnt/olist')",
        "path = f's3://{bucket}/olist'",
        "dbutils.fs.mount(source, point)",
        "spark.sql(\"SELECT * FROM read_files('abfss://c@a.dfs.core.windows.net/x')\")",
    ],
    "trigger": [
        "df.writeStream.trigger(processingTime='1 minute').toTable('t')",
        "df.writeStream.trigger(continuous='1 second').start()",
        "df.writeStream.toTable('t')",
        "df.select('a').writeStream.option('checkpointLocation', path).start()",
    ],
    "volume-path": [
        "open(path)",
        "Path('/Volumes/c/raw/olist')",
        "os.listdir(f'/Volumes/{catalog}/raw/olist')",
        "pd.read_csv('/Volumes/c/raw/olist/orders.csv')",
    ],
    "machine-file": ["dbutils.fs.cp(f'file:{local}', target)", "self._fs.ls('file:/tmp')"],
    "input-file-name": [
        "from pyspark.sql.functions import input_file_name",
        "df.select(F.input_file_name())",
        "df.selectExpr('*', 'input_file_name() AS file')",
        "spark.sql('SELECT input_file_name() FROM t')",
    ],
    "run-magic": ["%run ./helpers"],
    "install": ["%pip install faker", "%conda install faker", "%uv pip install faker"],
    "shell": ["!ls /tmp", "%sh ls /tmp", "files = !ls"],
    "sys-path": ["sys.path.append('..')", "from sys import path"],
    "sleep": ["time.sleep(20)", "sleep(20)"],
    "star-import": ["from lakehouse import *", "from pyspark.sql.functions import *"],
    "local-import": ["import local", "from lakelocal.sql import tokens", "import tests.conftest"],
}

# By rule: code that looks similar and is correct.
ALLOWED = {
    "cache": ["@functools.cache\ndef f(): ...", "cached = cache(f)", "x = 'df.cache()'  # .cache()", "cache = {}"],
    "rdd": ["rdd = 1", "sc = 'a'", "text = 'spark.sparkContext'", "from pyspark.sql import DataFrame"],
    "setting": [
        "spark.conf.set('spark.sql.session.timeZone', 'UTC')",
        "spark.conf.get('spark.sql.adaptive.enabled')",
        "spark.sql('SET spark.sql.ansi.enabled = true')",
        "spark.sql('UPDATE t SET a.b = 1')",
        "names.set('a', 'b')",
    ],
    "global-view": ["df.createOrReplaceTempView('v')", "spark.sql('CREATE OR REPLACE TEMP VIEW v AS SELECT 1')"],
    "foreach": ["for row in rows: print(row)", "'foreachBatch'"],
    "python-udf": ["from pyspark.sql import functions as F", "spark.sql('CREATE FUNCTION f(x INT) RETURN x + 1')"],
    "hive-variable": ["price = '$5'", "f'{x}'", "query = 'SELECT {column} FROM {{table}}'"],
    "external-table": [
        "spark.sql('CREATE TABLE t (location STRING)')",
        "spark.sql(\"CREATE TABLE t (a INT) COMMENT 'LOCATION of the thing'\")",
        "spark.sql('SELECT location FROM t -- LOCATION')",
    ],
    "storage-path": ["path = '/Volumes/c/raw/olist'", "text = 'copied from s3://bucket'", "'''dbfs:/ is gone'''"],
    "trigger": [
        "df.writeStream.trigger(availableNow=True).toTable('t')",
        "df.writeStream.trigger(once=True).start()",
        "thread.start()",
    ],
    "volume-path": ["place.open()", "Path('config/tables')", "spark.read.csv('/Volumes/c/raw/olist')"],
    "machine-file": ["dbutils.fs.cp(origin, '/Volumes/c/raw/olist/a.csv')", "f(text='file: not found')"],
    "input-file-name": ["df.select('_metadata.file_path')", "name = 'input_file_name'"],
    "run-magic": ["text = '''\n%run ./helpers\n'''", "a = 7 %run", "%sql SELECT 1"],
    "install": ["text = '''\n%pip install faker\n'''", "%matplotlib inline"],
    "shell": ["a = b != c", "text = '!ls'"],
    "sys-path": ["sys.stdout.flush()", "path = 'sys.path'"],
    "sleep": ["sleep = 8", "text = 'sleep(20)'"],
    "star-import": ["from lakehouse import parameters", "a = b * c"],
    "local-import": ["import locale", "from lakehouse import local_time", "from . import local"],
}


def rules_in(code: str) -> set[str]:
    return {rule for rule, _, _ in find_in_python(as_python(code))}


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, codes in REFUSED.items() for code in codes])
def test_a_refused_construct_is_found_by_its_rule_alone(rule, code):
    """One construct, one finding: otherwise the message would be misleading."""
    assert rules_in(code) == {rule}


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, codes in ALLOWED.items() for code in codes])
def test_what_looks_alike_is_no_find(rule, code):
    """Strings, comments, other names with the same word, and the correct form."""
    assert rules_in(code) == set()


def test_every_rule_is_tried_both_ways():
    """A rule without a case might find nothing, or everything."""
    assert set(REFUSED) == set(ALLOWED) == set(RULES)


def test_the_project_has_none():
    """All four places accept every cell and module."""
    codes = list(read_code(ROOT))

    assert {code.file for code in codes} >= {"notebooks/00_setup.ipynb", "notebooks/lakehouse/cdc/merging.py"}
    assert told(codes) == []


def test_a_finding_says_where_what_why_and_what_instead():
    """The line is that of the construct, even in a query of several lines."""
    code = Code("notebooks/20_bronze.ipynb", 7, 'query = """\n    SELECT a,\n        input_file_name()\n    FROM t"""')

    (line,) = told([code])

    assert line.startswith("notebooks/20_bronze.ipynb, cell 7, line 3: found `input_file_name()`; serverless compute")
    assert "Instead: select _metadata.file_path." in line
    assert '[input-file-name; Databricks documentation, "File metadata column"]' in line


def test_the_command_fails_where_a_notebook_has_one(tmp_path):
    """`make check` stops there; a module of the package is read too."""
    cell = {"cell_type": "code", "source": ["df = spark.table('t')\n", "df.cache()"]}
    for name, text in {
        "notebooks/20_x.ipynb": json.dumps({"cells": [{"cell_type": "markdown", "source": ["# X"]}, cell]}),
        "notebooks/lakehouse/slow.py": "import time\n\ntime.sleep(1)\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    command = [sys.executable, "-m", "tests.portability", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert "notebooks/20_x.ipynb, cell 2, line 2: found `.cache()`" in done.stdout
    assert "notebooks/lakehouse/slow.py:3: found `sleep()`" in done.stdout
    assert done.stdout.splitlines()[-1] == "2 constructs that a place refuses in 2 cells and modules, by 20 rules"

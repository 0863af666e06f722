"""Mutation testing: does a test fail when the library computes something else?

    python benchmarks/mutants.py score --mutants 200 --seed 1 --jobs 2   # or: make test-mutants

Mutants of a package of the library are drawn at random: a comparison, an operator, a number, a
condition, a call or a statement is another. For each, those tests of tests/unit run that execute
its line, the fastest first, until one fails. What survives is either equivalent, or lacks a test.
Before that, the same tests run on the unchanged module: those of which one fails are not counted.
Which test executes which line is recorded first, once per commit of code and tests (some minutes),
in a file under --records. Needs Linux.
"""

import argparse
import ast
import copy
import gc
import hashlib
import importlib
import importlib.abc
import importlib.util
import io
import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "scripts"
TESTS = ROOT / "tests/unit"
PYTEST = ("-p", "no:xdist", "-p", "no:cacheprovider", "-q", "--no-header", "-o", "addopts=")
HEAVY = ("numpy", "scipy.ndimage", "scipy.stats", "cv2", "skimage.filters", "skimage.measure")
HEAVY += ("sklearn.metrics", "zarr", "tifffile", "hypothesis", "pytest")
"""Packages of others that are imported once, before a process is forked for each mutant."""
SECONDS = 120
"""A mutant whose tests take longer has changed what ends a loop."""
MEMORY = 6 * 2**30

COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq}
COMPARED |= {ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn}
COMPARED |= {ast.NotIn: ast.In}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
COMPUTED |= {ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult}
COMPUTED |= {ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift}
NAMES = {"min": "max", "any": "all", "minimum": "maximum", "sum": "max", "floor": "ceil"}
NAMES |= {"argmin": "argmax", "nanmin": "nanmax", "sorted": "list", "mean": "median"}
NAMES |= {new: old for old, new in NAMES.items() if new not in {"list", "max", "median"}}


def variants(node):
    """What a node may be instead, each as a new node."""
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            other = copy.deepcopy(node)
            other.ops[i] = COMPARED[type(operator)]()
            yield other
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in COMPUTED:
        other = copy.deepcopy(node)
        other.op = COMPUTED[type(node.op)]()
        yield other
    elif isinstance(node, ast.BoolOp):
        other = copy.deepcopy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield other
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        other = copy.deepcopy(node)
        is_truth = isinstance(node.value, bool)
        other.value = not node.value if is_truth else node.value + 1
        yield other
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        other = copy.deepcopy(node)
        other.test = ast.UnaryOp(ast.Not(), other.test)
        yield other
    elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        name = node.id if isinstance(node, ast.Name) else node.attr
        if name in NAMES:
            other = copy.deepcopy(node)
            setattr(other, "id" if isinstance(node, ast.Name) else "attr", NAMES[name])
            yield other
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()
    elif isinstance(node, ast.Call) and node.keywords:
        for i in range(len(node.keywords)):
            if node.keywords[i].arg is not None:
                other = copy.deepcopy(node)
                del other.keywords[i]
                yield other
    elif isinstance(node, ast.Return) and not isinstance(node.value, ast.Constant | type(None)):
        yield ast.Return(ast.Constant(None))


def nodes_of(tree):
    """Nodes that compute something, each with its statement, and whether calls run it; in order.

    Not annotations, decorators and what errors say. What no call runs is run by the import.
    """

    def visit(node, statement, is_called):
        statement = node if isinstance(node, ast.stmt) else statement
        yield node, statement, is_called
        for field, value in ast.iter_fields(node):
            if field in {"annotation", "returns", "decorator_list", "type_params"}:
                continue
            if isinstance(node, ast.Raise) and field == "exc":
                continue
            is_body = isinstance(node, ast.FunctionDef | ast.Lambda) and field == "body"
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from visit(child, statement, is_called or is_body)

    return list(visit(tree, None, False))


def mutants_of(package):
    """All that may be changed: path, number of the node and of its variant, and lines.

    Lines are those that calls run: none of what is run at the import.
    """
    for path in sorted((SCRIPTS / "tilewise" / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for i, (node, statement, is_called) in enumerate(nodes_of(tree)):
            for j, _ in enumerate(variants(node)):
                lines = (node.lineno, statement.lineno) if is_called else ()
                yield str(path.relative_to(SCRIPTS)), i, j, lines


def mutate(path, i, j):
    """The tree of a changed module, and the change in words, with its line."""
    tree = ast.parse((SCRIPTS / path).read_text(encoding="utf-8"))
    node, *_ = nodes_of(tree)[i]
    new = list(variants(node))[j]
    ast.copy_location(new, node)
    words = f"{path}:{node.lineno}\t{_line(node)}  ->  {_line(new)}"

    class Change(ast.NodeTransformer):
        def visit(self, one):  # noqa: D102
            return new if one is node else self.generic_visit(one)

    return ast.fix_missing_locations(Change().visit(tree)), words


def _line(node):
    if isinstance(node, ast.If | ast.While):
        node = node.test
    return " ".join(ast.unparse(node).split())[:110]


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a tree in place of its file."""

    def __init__(self, path, tree):
        self.path, self.tree = path, tree
        self.name = ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")

    def find_spec(self, name, path=None, target=None):
        """As `importlib` asks for it."""
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, SCRIPTS / self.path, loader=self)

    def create_module(self, spec):
        """As always."""
        return

    def exec_module(self, module):
        """Run the tree."""
        exec(compile(self.tree, SCRIPTS / self.path, "exec"), module.__dict__)


class Recorder:
    """Which test executes which lines, and how long it takes."""

    def __init__(self):
        import coverage  # where it is recorded alone

        self.coverage = coverage.Coverage(
            data_file=None, include=[f"{SCRIPTS}/tilewise/*"], config_file=False
        )
        self.seconds, self.failed = {}, set()

    def pytest_runtest_logstart(self, nodeid, location):
        """Lines from here on are those of a test."""
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report):
        """A test that fails without any change tells nothing."""
        if not report.passed:
            self.failed.add(report.nodeid)
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration

    def result(self):
        """Tests by module and line, and seconds by test."""
        data, lines = self.coverage.get_data(), {}
        for file in data.measured_files():
            own = data.contexts_by_lineno(file)
            name = str(Path(file).relative_to(SCRIPTS))
            lines[name] = {
                line: [one for one in tests if one and one not in self.failed]
                for line, tests in own.items()
            }
        return lines, {one: own for one, own in self.seconds.items() if one not in self.failed}


def record(file):
    """Record one module of tests, in a process of its own."""
    _prepare()
    recorder = Recorder()
    import pytest

    recorder.coverage.start()
    with redirect_stdout(io.StringIO()):
        pytest.main([*PYTEST, str(file)], plugins=[recorder])
    recorder.coverage.stop()
    return recorder.result()


def records(folder, jobs):
    """Tests by module and line, and seconds by test; from a file if it is of the same code."""
    state = hashlib.sha256()
    for path in sorted([*(SCRIPTS / "tilewise").rglob("*.py"), *TESTS.rglob("*.py")]):
        state.update(path.read_bytes())
    file = folder / f"mutants-{state.hexdigest()[:16]}.json"
    if not file.exists():
        lines, seconds = defaultdict(lambda: defaultdict(set)), {}
        files = sorted(TESTS.rglob("test_*.py"), key=lambda path: -path.stat().st_size)
        with ProcessPoolExecutor(jobs, max_tasks_per_child=1) as pool:
            for number, (own, spent) in enumerate(pool.map(record, files), 1):
                seconds |= spent
                for name, known in own.items():
                    for line, tests in known.items():
                        lines[name][str(line)].update(tests)
                print(f"\r{number} of {len(files)} modules of tests recorded", end="", flush=True)
        print()
        found = {
            name: {line: sorted(own) for line, own in known.items()}
            for name, known in lines.items()
        }
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([found, seconds]))
    return json.loads(file.read_text())


class Chosen:
    """Runs the chosen tests only, in their order."""

    def __init__(self, tests):
        self.order = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items):
        """As pytest calls it."""
        items[:] = [item for item in items if item.nodeid in self.order]
        items.sort(key=lambda item: self.order[item.nodeid])


def _prepare():
    os.chdir(ROOT)
    for folder in (ROOT / "tests", ROOT / "benchmarks", SCRIPTS):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def begin(mutant, tests, is_changed):
    """Run tests on a mutant, or on the unchanged module, in a fork; its number."""
    path, i, j, _ = mutant
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        tree = ast.parse((SCRIPTS / path).read_text(encoding="utf-8"))
        sys.meta_path.insert(0, Changed(path, mutate(path, i, j)[0] if is_changed else tree))
        import pytest

        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        code = int(pytest.main([*PYTEST, "-x", *files], plugins=[Chosen(tests)]))
    finally:
        os._exit(code)


def outcomes(work, jobs, is_changed=True):
    """Of each mutant with its tests: killed, survived, slow or not executed; as they end."""
    waiting, running = list(reversed(work)), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, tests = waiting.pop()
            if tests:
                running[begin(mutant, tests, is_changed)] = mutant, time.monotonic() + SECONDS
            else:
                yield mutant, "not executed"
        for child, (mutant, deadline) in list(running.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                # 0: all passed, 5: none of them is there
                survived = os.waitstatus_to_exitcode(status) in (0, 5)
                yield mutant, "survived" if survived else "killed"
            elif time.monotonic() > deadline:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                yield mutant, "slow"
            else:
                continue
            del running[child]
        time.sleep(0.01)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("package", help="such as score")
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--records", type=Path, default=ROOT / ".venv")
    arguments = parser.parse_args()
    _prepare()
    jobs = arguments.jobs
    lines, seconds = records(arguments.records, jobs)
    mutants = sorted(mutants_of(arguments.package))
    drawn = random.Random(arguments.seed).sample(mutants, min(arguments.mutants, len(mutants)))
    own = [test for test in seconds if test.startswith(f"tests/unit/{arguments.package}/")]
    for name in HEAVY:
        importlib.import_module(name)
    gc.freeze()

    def tests_of(mutant):
        path, _, _, places = mutant
        found = [lines.get(path, {}).get(str(line)) for line in places]
        known = next((tests for tests in found if tests is not None), None)
        # of what is run at the import, each test of the package may know
        tests = own if known == [] or not places else known or []
        return sorted(tests, key=lambda test: seconds.get(test, 0))

    began, found = time.monotonic(), Counter()
    work = [(one, tests_of(one)) for one in drawn]
    # modules are compiled from trees here, too
    wrong = [one for one, result in outcomes(work, jobs, False) if result in ("killed", "slow")]
    found["not counted"] = len(wrong)
    work = [(one, tests) for one, tests in work if one not in wrong]
    for mutant, result in outcomes(work, jobs):
        found[result] += 1
        if result != "killed":
            print(f"{result}\t{mutate(*mutant[:3])[1]}", flush=True)
    spent = time.monotonic() - began
    print(
        f"{arguments.package}: {len(drawn)} of {len(mutants)} mutants, {spent:.0f} s: {dict(found)}"
    )


if __name__ == "__main__":
    main()

"""The folder of a group: private, locked, small, and right whenever somebody is killed in the middle."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs.runtime.metrics import compact, gather, group
from obs.runtime.metrics.family import Definition, Exemplar, Family, Values
from obs.runtime.metrics.files import EXEMPLARS, Files, Index
from obs.runtime.metrics.gather import Gatherer
from obs.runtime.metrics.group import INDEX, VALUES, Group, Process, new_name
from obs.runtime.metrics.plan import Plan, Source
from obs.runtime.metrics.reader import Contents, Reader
from obs.runtime.metrics.retained import RETAINED, Retained, RetainedReader

COUNTER = Family(Definition("c", "counter", "C.", ("k",)))
MARK = Exemplar("a" * 32, "b" * 16, 1.0, 5.0)


def lead(folder: Path, *, purpose: str = "shop") -> Group:
    process = group.itself()
    assert process is not None
    return Group(str(folder), purpose, process, led=False)


def write(of: Group, value: float, *, key: str = "a", mark: Exemplar | None = None) -> Files:
    """Return the open files of a process that has counted `value`."""
    index = Index()
    files = Files(of.folder, new_name(), index, 0)
    files.add(COUNTER, (key,), 0)
    files.cells[0], files.cells[1] = value, 1.0
    if mark is not None:
        files.mark(0, mark)
    return files


def total(of: Group) -> dict[str, float]:
    """Return what a scrape would add up."""
    reader = Reader()
    retained = RetainedReader(reader).read(of.folder)
    names = [name for name in of.names() if name not in retained.absorbed]
    sources = [Source(reader.read(of.folder, name), of.is_alive(name)) for name in names]
    sources.append(Source(retained.contents, alive=False))
    plan = Plan(sources)
    cells = plan.add_up(sources).cells
    return {row.values[0]: cells[row.at] for _, rows in plan.families() for row in rows}


def kept(of: Group) -> Contents:
    """Return what is kept of dead processes."""
    return RetainedReader(Reader()).read(of.folder).contents


def places(contents: Contents) -> list[tuple[Values, int]]:
    """Return every series with its first cell, in the order of these."""
    found = [item for block in contents.blocks for item in block.places.items()]
    return sorted(found, key=lambda item: item[1])


def test_a_process_is_alive_as_long_as_its_files_are_open(tmp_path: Path) -> None:
    of = lead(tmp_path)
    files = write(of, 1)
    assert of.is_alive(files.name)
    files.close()
    assert not of.is_alive(files.name)
    assert of.names() == [files.name]


def test_the_dead_become_one_file_and_the_living_are_left_alone(tmp_path: Path) -> None:
    of = lead(tmp_path)
    for value in (1, 2, 3):
        write(of, value, mark=MARK).close()
    living = write(of, 10)
    compact.compact(of, at_least=1)
    assert of.names() == [living.name]
    assert total(of) == {"a": 16}
    assert list(kept(of).exemplars.values()) == [MARK]
    living.close()
    compact.compact(of, at_least=1)
    assert total(of) == {"a": 16}


SECONDS = st.lists(st.floats(0.001, 1000.0), min_size=2, max_size=8)


@settings(deadline=None, max_examples=50)
@given(SECONDS, st.randoms(use_true_random=False))
def test_a_total_stays_the_same_to_its_last_bit_whoever_dies_and_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[float], random: Random
) -> None:
    of = lead(tmp_path_factory.mktemp("group"))
    living = [write(of, number) for number in seconds]
    before = total(of)
    assert before == {"a": math.fsum(seconds)}
    random.shuffle(living)
    for files in living:
        files.close()
        assert total(of) == before
        compact.compact(of, at_least=random.randint(1, 2))
        assert total(of) == before


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1.7e308])
def test_a_number_that_is_none_survives_its_process(tmp_path: Path, number: float) -> None:
    of = lead(tmp_path)
    for value in (number, number, 0.1):
        write(of, value, mark=MARK._replace(value=number)).close()
    expected = total(of)["a"]
    compact.compact(of, at_least=1)
    assert of.names() == []
    assert repr(total(of)["a"]) == repr(expected) == repr(number + number)
    (mark,) = kept(of).exemplars.values()
    assert repr(mark.value) == repr(number)


def test_what_was_kept_of_the_dead_and_is_gone_counts_no_more(tmp_path: Path) -> None:
    of = lead(tmp_path)
    write(of, 1).close()
    compact.compact(of, at_least=1)
    reader = RetainedReader(Reader())
    assert reader.read(of.folder).absorbed
    (of.folder / RETAINED).unlink()
    assert not reader.read(of.folder).absorbed


def test_fewer_dead_than_asked_for_stay(tmp_path: Path) -> None:
    of = lead(tmp_path)
    write(of, 1).close()
    compact.compact(of, at_least=2)
    assert len(of.names()) == 1


def test_nobody_is_counted_twice_when_adding_up_was_killed_before_it_could_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = lead(tmp_path)
    for value in (1, 2):
        write(of, value).close()

    def killed(folder: Path, name: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compact, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            compact.compact(of, at_least=1)
    assert len(of.names()) == 2
    assert total(of) == {"a": 3}
    compact.compact(of, at_least=1)
    assert of.names() == []
    assert total(of) == {"a": 3}


def test_nothing_is_replaced_while_somebody_reads(tmp_path: Path) -> None:
    of = lead(tmp_path)
    write(of, 1).close()
    with lead(tmp_path).locked():
        compact.compact(of, at_least=1)
        assert len(of.names()) == 1
    compact.compact(of, at_least=1)
    assert of.names() == []


def test_a_scrape_holds_the_lock_that_keeps_others_from_replacing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, alone = lead(tmp_path), []
    write(of, 1).close()
    read = RetainedReader.read

    def reading(self: RetainedReader, folder: Path) -> Retained:
        with lead(tmp_path).locked(exclusive=True) as free:
            alone.append(free)
        with lead(tmp_path).locked() as shared:
            alone.append(not shared)
        return read(self, folder)

    monkeypatch.setattr(RetainedReader, "read", reading)
    monkeypatch.setattr(gather, "compact", lambda *_, **__: None)
    Gatherer().gather(of)
    assert alone == [False, False]


@pytest.mark.parametrize("exclusive", ["True", "False"])
def test_a_lock_of_a_killed_process_is_free(tmp_path: Path, exclusive: str) -> None:
    script = """
    import sys, time
    from obs.runtime.metrics.group import Group, Process
    of = Group(sys.argv[1], "shop", Process(int(sys.argv[2]), int(sys.argv[3])), led=True)
    with of.locked(exclusive=sys.argv[4] == "True") as held:
        print(held, flush=True)
        time.sleep(30)
    """
    me = group.itself()
    assert me is not None
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), *map(str, me), exclusive],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"True\n"
    of = lead(tmp_path)
    with of.locked(exclusive=True) as held:
        assert not held
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with of.locked(exclusive=True) as held:
        assert held


def test_what_is_half_written_is_passed_over(tmp_path: Path) -> None:
    of = lead(tmp_path)
    files = write(of, 4, mark=MARK)
    with (of.folder / f"{files.name}{INDEX}").open("ab") as lines:
        lines.write(b'[0,2,["hal')
    with (of.folder / f"{files.name}{EXEMPLARS}").open("r+b") as marks:
        marks.seek(20)
        marks.write(b"\xff")
    reader = Reader()
    contents = reader.read(of.folder, files.name)
    assert [values for values, _ in places(contents)] == [("a",)]
    assert contents.exemplars == {}
    with (of.folder / f"{files.name}{INDEX}").open("ab") as lines:
        lines.write(b'f"]]\n')
    assert [values for values, _ in places(reader.read(of.folder, files.name))] == [("a",), ("half",)]
    files.close()


def test_a_series_beyond_the_end_of_the_numbers_is_passed_over_until_they_are_there(tmp_path: Path) -> None:
    of = lead(tmp_path)
    files = write(of, 4)
    with (of.folder / f"{files.name}{INDEX}").open("ab") as lines:
        lines.write(b'[0,512,["b"]]\n')
    reader = Reader()
    assert places(reader.read(of.folder, files.name)) == [(("a",), 0)]
    os.truncate(of.folder / f"{files.name}{VALUES}", 8192)
    assert places(reader.read(of.folder, files.name)) == [(("a",), 0), (("b",), 512)]
    files.close()


def test_two_scrapes_at_once_read_one_after_the_other(tmp_path: Path) -> None:
    of = lead(tmp_path)
    files = write(of, 4)
    inside, most = 0, 0

    class Slow(Reader):
        def read(self, folder: Path, name: str) -> Contents:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            inside -= 1
            return super().read(folder, name)

    gatherer = Gatherer()
    gatherer._reader = Slow()
    threads = [threading.Thread(target=gatherer.gather, args=(of,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files.close()
    assert most == 1


@given(st.lists(st.tuples(st.text(max_size=5), st.floats(0, 1e9)), max_size=60))
@settings(max_examples=30)
def test_what_is_written_is_read_however_much_it_grows(
    tmp_path_factory: pytest.TempPathFactory, series: list[tuple[str, float]]
) -> None:
    of = lead(tmp_path_factory.mktemp("group"))
    wide = Family(Definition("h", "histogram", "", ("k",), tuple(float(n) for n in range(40))))
    files, at = Files(of.folder, new_name(), Index(), 0), 0
    for key, value in series:
        files.add(wide, (key,), at)
        files.cells[at] = value
        at += wide.width
    contents = Reader().read(of.folder, files.name)
    read = [(values[0], contents.cells[place]) for values, place in places(contents)]
    files.close()
    assert read == [(key.encode("utf-8", "backslashreplace").decode(), value) for key, value in series]


def test_the_folder_is_for_this_user_only(tmp_path: Path) -> None:
    of = lead(tmp_path)
    assert of.folder.stat().st_mode & 0o777 == 0o700
    assert of.folder.parent.stat().st_mode & 0o777 == 0o700
    files = write(of, 1)
    assert (of.folder / f"{files.name}{VALUES}").stat().st_mode & 0o777 == 0o600
    files.close()


def test_a_link_that_somebody_else_has_put_there_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"obs-{os.geteuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        lead(tmp_path).folder.exists()


def test_groups_of_other_services_leaders_and_dead_leaders_are_apart(tmp_path: Path) -> None:
    folders = {lead(tmp_path, purpose=purpose).folder for purpose in ("shop", "payments")}
    assert len(folders) == 2
    gone = Group(str(tmp_path), "shop", Process(os.getpid(), 1), led=True).folder
    write(lead(tmp_path), 1).close()
    left = Group(str(tmp_path), "new", Process(2**22 + 1, 1), led=True)
    assert left.folder.exists()
    assert not gone.exists()
    assert all(folder.exists() for folder in folders)


def test_the_leader_removes_the_folder_when_nobody_is_left(tmp_path: Path) -> None:
    of = lead(tmp_path)
    files = write(of, 1)
    of.leave()
    assert of.folder.exists()
    folder = of.folder
    files.close()
    of.leave()
    assert not folder.exists()


def test_a_worker_leaves_the_folder_to_its_leader(tmp_path: Path) -> None:
    leader = Process(os.getppid(), group._process(os.getppid()).started)  # type: ignore[union-attr]
    of = Group(str(tmp_path), "shop", leader, led=True)
    write(of, 1).close()
    of.leave()
    assert of.folder.exists()


def test_a_process_that_nobody_forked_works_for_itself() -> None:
    script = "from obs.runtime.metrics import group; print(group.leader())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


def test_a_grandchild_works_for_the_first_of_its_line() -> None:
    script = """
    import os
    from obs.runtime.metrics import group
    first = os.getpid()
    if os.fork() == 0:
        if os.fork() == 0:
            print(group.leader().pid == first, flush=True)
        else:
            os.wait()
        os._exit(0)
    os.wait()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"

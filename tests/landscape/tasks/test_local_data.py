"""Files of data: found without importing, read within limits, refused when they are not what they should be."""

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks.local_data import VARIABLE, fingerprint, folder, idx, in_folder, in_package, read, table

HERE = Path("file")


def package(tmp_path, monkeypatch, code):
    (tmp_path / "collector").mkdir()
    (tmp_path / "collector" / "__init__.py").write_text(code)
    (tmp_path / "collector" / "data.csv").write_text("1,2\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_package_is_searched_without_being_imported(tmp_path, monkeypatch):
    package(tmp_path, monkeypatch, "raise RuntimeError('imported')")
    assert in_package("collector", "data.csv") == tmp_path / "collector" / "data.csv"
    assert in_package("collector", "absent.csv") is None
    assert "collector" not in sys.modules


def test_an_absent_package_has_no_files():
    assert in_package("no_such_package_anywhere", "data.csv") is None


def test_the_users_folder_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert folder() == tmp_path
    assert in_folder("a") is None
    (tmp_path / "a.gz").write_bytes(b"")
    assert in_folder("a") == tmp_path / "a.gz"
    (tmp_path / "a").write_bytes(b"")
    assert in_folder("a") == tmp_path / "a"
    monkeypatch.delenv(VARIABLE)
    assert folder() == Path.home() / ".cache" / "grokscape"


def test_read_unpacks_up_to_a_limit(tmp_path):
    plain, packed, bomb = tmp_path / "plain", tmp_path / "packed.gz", tmp_path / "bomb.gz"
    plain.write_bytes(b"x" * 100)
    packed.write_bytes(gzip.compress(b"x" * 100))
    bomb.write_bytes(gzip.compress(bytes(10_000_000)))
    assert read(plain, 100) == read(packed, 100) == b"x" * 100
    for file in (plain, packed):
        with pytest.raises(InvalidInput, match="more than 99 bytes"):
            read(file, 99)
    with pytest.raises(InvalidInput, match=r"bomb\.gz holds more than 1000 bytes.*replace"):
        read(bomb, 1000)


@pytest.mark.parametrize(
    ("content", "why"), [(b"no gzip", "no gzip file"), (gzip.compress(b"x" * 99)[:-9], "short")], ids=["none", "short"]
)
def test_read_refuses_what_is_no_archive(tmp_path, content, why):
    (tmp_path / "bad.gz").write_bytes(content)
    with pytest.raises(InvalidInput, match=why):
        read(tmp_path / "bad.gz", 1000)


def test_idx_gives_the_array_of_its_bytes():
    content = b"\0\0\x08\x02" + (2).to_bytes(4, "big") + (3).to_bytes(4, "big") + bytes(range(6))
    assert np.array_equal(idx(content, HERE), np.arange(6).reshape(2, 3))
    for broken in (content[:-1], content + b"x", content[:7], b"", b"\0\0\x0d" + content[3:], content[:4]):
        with pytest.raises(InvalidInput, match="no complete IDX"):
            idx(broken, HERE)
    negative = b"\0\0\x08\x02" + 2 * (-1).to_bytes(4, "big", signed=True) + b"x"
    with pytest.raises(InvalidInput, match="no complete IDX"):
        idx(negative, HERE)


def test_table_takes_whole_numbers_of_a_byte():
    found = table(b"1.000e+00,2\n255,0\n", 2, HERE)
    assert found.dtype == np.uint8
    assert found.tolist() == [[1, 2], [255, 0]]
    for broken in (b"1,2\n3\n", b"1,x\n", b"1,2,3\n", b"1,256\n", b"1,-1\n", b"1,0.5\n", b"1,nan\n", b"1,\xff\n"):
        with pytest.raises(InvalidInput, match="no table"):
            table(broken, 2, HERE)


def test_fingerprints_tell_types_shapes_and_contents_apart_and_not_byte_orders():
    array = np.arange(6, dtype="<i4")
    same = fingerprint([array.astype(">i4")])
    assert same == fingerprint([array])
    others = [array.reshape(2, 3), array.astype("<i8"), array + 1, array[::-1]]
    assert len({same, *(fingerprint([other]) for other in others), fingerprint([array[:3], array[3:]])}) == 6

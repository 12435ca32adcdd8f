"""Catches outputs that replace what is no regular file, or that land in a store."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.files import write_output
from grokscape.landscape.records.store import Store
from grokscape.landscape.records.writable import refuse_unwritable, refuse_unwritable_store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and FIFOs")


def test_nothing_but_a_regular_file_is_replaced(tmp_path: Path) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    for path in (fifo, link):
        with pytest.raises(InvalidInput, match="it is a FIFO, expected a regular file or none"):
            refuse_unwritable(path)
        with pytest.raises(InvalidInput, match="it is a FIFO"):
            write_output(path, b"x")
    assert stat.S_ISFIFO(fifo.lstat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "link"]


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder / "page.html")
    for content in (b"new", b"old"):
        refuse_unwritable(link)
        write_output(link, content)
        assert (folder / "page.html").read_bytes() == content
    assert link.is_symlink()
    assert [path.name for path in folder.iterdir()] == ["page.html"]


def test_a_link_that_leads_to_itself_or_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "up").symlink_to(tmp_path)
    for name in ("loop", "up"):
        with pytest.raises(InvalidInput, match=f"{name} cannot be written"):
            refuse_unwritable(tmp_path / name)


def test_nothing_is_written_into_a_store(tmp_path: Path) -> None:
    store, link = Store(tmp_path / "store"), tmp_path / "link"
    before = (store.path / "store.json").read_bytes()
    link.symlink_to(store.path / "store.json")
    for path in (store.path / "store.json", store.path / "runs" / "page.html", store.path / "page.html", link):
        with pytest.raises(InvalidInput, match="lies in the store"):
            refuse_unwritable(path)
    assert (store.path / "store.json").read_bytes() == before
    planned = tmp_path / "planned"
    planned.mkdir()
    with pytest.raises(InvalidInput, match="lies in the store"):
        refuse_unwritable(planned / "page.html", planned)
    refuse_unwritable(tmp_path / "page.html", store.path)


@pytest.mark.parametrize("folder", ["verdicts", "verdicts/quick"])
def test_whether_a_store_can_be_written_is_not_tried_where_a_link_leads(tmp_path: Path, folder: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    before = outside.stat().st_mtime_ns
    store = Store(tmp_path / "store")
    place = store.path / folder
    if place.exists():
        place.rmdir()
    place.symlink_to(outside)
    refuse_unwritable_store(store, "quick")
    assert outside.stat().st_mtime_ns == before
    assert place.is_dir()
    assert not place.is_symlink()
    assert "symbolic link" in " ".join(store.complaints)

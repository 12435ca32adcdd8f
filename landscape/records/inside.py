"""Looking at, reading and removing what lies in a folder that a stranger may have packed.

A store can come from anybody. Links in it may lead out of it, a reader would wait at a FIFO for ever, a device may
never end, and a file may be larger than any memory. So nothing here follows a link or opens what is no regular file,
and sizes are read before contents. The folder that somebody names (the store's root) may itself be a link: that is
their choice.

A hard link to a file elsewhere cannot be told from a copy of it. It is read like any other file; no file of a store is
ever changed in place, only replaced, so what the link shares stays as it is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import time
from pathlib import Path

from grokscape.landscape.printable import printable

FILE, FOLDER, LINK = "a file", "a folder", "a symbolic link"
_KINDS = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: FOLDER,
    stat.S_IFLNK: LINK,
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
#: Flags of a read that neither follows a link nor waits for somebody to write.
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
#: What the system answers about one bad file, in contrast to a process that has run out of something.
_OF_THE_FILE = {errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EIO, errno.ENAMETOOLONG}
#: How old files of trainings or writes that may be under way must be before they count as left behind, in seconds.
LEFT_BEHIND = 3600.0


class Damaged(Exception):
    """A stored file is not what was written; says which and why."""


def shown(text: object) -> str:
    """Return a text or path in one printable line: names of files may hold line breaks, escape codes, broken bytes."""
    return printable(str(text)).replace("\n", r"\n").replace("\t", r"\t")


def kind(path: Path) -> str:
    """Say what a path is, without following it: `FILE`, `FOLDER`, `LINK`, something else, or "" for nothing."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        if error.errno not in _OF_THE_FILE:
            raise
        return f"out of reach ({error.strerror})"
    return _KINDS.get(stat.S_IFMT(mode), "something else")


def read(path: Path, root: Path, most: int) -> bytes:
    """Return the content of a regular file in a store.

    Parameters
    ----------
    path : Path
        Below `root`.
    root : Path
        The store. Every folder between it and the file must be a real one.
    most : int
        Bytes; a larger file is refused before it is read.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    Damaged
        If there is something else than a file, it is too large, or the system does not let it be read.
    """
    for above in reversed(path.relative_to(root).parents[:-1]):
        require(root / above, FOLDER)
    require(path, FILE)
    try:
        with open(os.open(path, _READ), "rb") as file:  # noqa: PTH123 (a descriptor)
            found = os.fstat(file.fileno())  # a look at what was opened: nobody can have exchanged that
            if not stat.S_ISREG(found.st_mode):
                raise Damaged(f"{shown(path)} is no regular file")
            content = b"" if found.st_size > most else file.read(most + 1)
    except OSError as error:
        if error.errno not in _OF_THE_FILE:
            raise
        raise Damaged(f"{shown(path)} cannot be read ({error.strerror})") from None
    if max(found.st_size, len(content)) > most:
        raise Damaged(f"{shown(path)} is larger than {most} bytes, more than Grokscape writes")
    return content


def require(path: Path, expected: str) -> None:
    """Refuse a path that is something else than expected.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    Damaged
        If there is something else.
    """
    found = kind(path)
    if not found:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if found != expected:
        raise Damaged(f"{shown(path)} is {found}, expected {expected}")


def entries(folder: Path) -> list[Path]:
    """Return what lies in a real folder, sorted; nothing for one that is none."""
    return sorted(folder.iterdir()) if kind(folder) == FOLDER else []


def remove(path: Path) -> None:
    """Remove a file, a link (not what it leads to), or a folder with all that is in it."""
    with contextlib.suppress(FileNotFoundError):  # somebody else was faster
        if kind(path) == FOLDER:
            shutil.rmtree(path)  # removes links in it, and follows none
        else:
            path.unlink()


def is_passing(path: Path) -> bool:
    """Say whether it is there for a moment only: a record being written, or a probe of whether one can be."""
    return path.name.startswith((".writing-", ".probe-"))


def is_left_behind(path: Path) -> bool:
    """Say whether a file of something that may be under way is too old for that."""
    try:
        return time.time() - path.lstat().st_mtime > LEFT_BEHIND
    except OSError:
        return False


def leftovers(folder: Path, name: str = "") -> list[Path]:
    """Return what killed writes left in a folder more than an hour ago: of one file, or of any whose name ends so.

    Parameters
    ----------
    folder : Path
    name : str
        Of the file that was to be written; "" for that of any JSON file.
    """
    temporary = re.compile(rf"\.{re.escape(name) if name else r'.+[.]json'}-[a-z0-9_]{{8}}")
    found = (path for path in entries(folder) if temporary.fullmatch(path.name))
    return [path for path in found if kind(path) == FILE and is_left_behind(path)]

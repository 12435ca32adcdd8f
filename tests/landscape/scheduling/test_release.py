"""What a training leaves behind is freed."""

from __future__ import annotations

import contextlib
import gc
import weakref

from grokscape.landscape.scheduling.release import nothing_left


class Cycle:
    def __init__(self):
        self.own = self


def test_cycles_made_meanwhile_are_freed_whether_or_not_all_went_well():
    gc.disable()
    try:
        with nothing_left():
            made = weakref.ref(Cycle())
            assert made() is not None
        assert made() is None
        with contextlib.suppress(ZeroDivisionError), nothing_left():
            made = weakref.ref(Cycle())
            raise ZeroDivisionError
        assert made() is None
        assert gc.get_freeze_count() == 0
    finally:
        gc.enable()

"""Set before torch starts: one thread, as in the workers."""

from __future__ import annotations

import os

from landscape.training.worker import ENVIRONMENT

os.environ.update(ENVIRONMENT)

import torch

torch.set_num_threads(1)

pytest_plugins = ["pytester"]

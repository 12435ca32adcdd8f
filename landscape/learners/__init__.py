"""Learners that are no networks; they leave the same records."""

from landscape.learners.two_circuits import TwoCircuits as TwoCircuits

"""Closed forms that learners and claims are compared with."""

from grokscape.landscape.theory import marchenko_pastur as marchenko_pastur
from grokscape.landscape.theory import parallelograms as parallelograms

"""Finite data with known structure, one family a file."""

from landscape.tasks.binary_operation import OPERATIONS as OPERATIONS
from landscape.tasks.binary_operation import BinaryOperation as BinaryOperation
from landscape.tasks.permutations import Permutations as Permutations
from landscape.tasks.sparse_parity import SparseParity as SparseParity
from landscape.tasks.task import Split as Split
from landscape.tasks.task import Task as Task

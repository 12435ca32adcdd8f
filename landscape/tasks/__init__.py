"""Finite data with known structure, one family a file."""

from landscape.tasks.binary_operation import OPERATIONS as OPERATIONS
from landscape.tasks.binary_operation import BinaryOperation as BinaryOperation
from landscape.tasks.collected_task import CollectedTask as CollectedTask
from landscape.tasks.concealed import CONCEALED as CONCEALED
from landscape.tasks.concealed import Concealed as Concealed
from landscape.tasks.film_reviews import FilmReviews as FilmReviews
from landscape.tasks.hidden_parity import HiddenParity as HiddenParity
from landscape.tasks.images import Digits as Digits
from landscape.tasks.images import ImageTask as ImageTask
from landscape.tasks.images import Mnist as Mnist
from landscape.tasks.images import MnistSample as MnistSample
from landscape.tasks.messy_images import MessyImages as MessyImages
from landscape.tasks.messy_sums import MessySums as MessySums
from landscape.tasks.molecules import Molecules as Molecules
from landscape.tasks.permutations import Permutations as Permutations
from landscape.tasks.review_words import ReviewWords as ReviewWords
from landscape.tasks.sparse_parity import SparseParity as SparseParity
from landscape.tasks.task import Split as Split
from landscape.tasks.task import Task as Task
from landscape.tasks.teacher_student import TeacherStudent as TeacherStudent
from landscape.tasks.token_task import TokenTask as TokenTask

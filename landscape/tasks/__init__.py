"""Finite data with known structure, one family a file."""

from grokscape.landscape.tasks.binary_operation import OPERATIONS as OPERATIONS
from grokscape.landscape.tasks.binary_operation import BinaryOperation as BinaryOperation
from grokscape.landscape.tasks.collected_task import CollectedTask as CollectedTask
from grokscape.landscape.tasks.concealed_operation import CONCEALED as CONCEALED
from grokscape.landscape.tasks.concealed_operation import ConcealedOperation as ConcealedOperation
from grokscape.landscape.tasks.film_reviews import FilmReviews as FilmReviews
from grokscape.landscape.tasks.images import Digits as Digits
from grokscape.landscape.tasks.images import ImageTask as ImageTask
from grokscape.landscape.tasks.images import Mnist as Mnist
from grokscape.landscape.tasks.images import MnistSample as MnistSample
from grokscape.landscape.tasks.messy_images import MessyImages as MessyImages
from grokscape.landscape.tasks.messy_sums import MessySums as MessySums
from grokscape.landscape.tasks.molecules import Molecules as Molecules
from grokscape.landscape.tasks.permutations import Permutations as Permutations
from grokscape.landscape.tasks.populations import ParityPopulation as ParityPopulation
from grokscape.landscape.tasks.populations import SignOfInput as SignOfInput
from grokscape.landscape.tasks.review_words import ReviewWords as ReviewWords
from grokscape.landscape.tasks.sampled_parity import SampledParity as SampledParity
from grokscape.landscape.tasks.sparse_parity import SparseParity as SparseParity
from grokscape.landscape.tasks.task import Split as Split
from grokscape.landscape.tasks.task import Task as Task
from grokscape.landscape.tasks.teacher_student import TeacherStudent as TeacherStudent
from grokscape.landscape.tasks.token_task import TokenTask as TokenTask

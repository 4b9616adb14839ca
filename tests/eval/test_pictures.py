import numpy as np
import pytest

from eval.answers import Answers
from eval.data import Labelled
from eval.metrics import score
from eval.pictures.draw import draw
from paratype import LABELS

MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(1)
    label = rng.choice(LABELS, 200)
    data = Labelled(("a",) * 200, tuple(label), (frozenset(),) * 200, tuple(map(str, range(200))), ("x",) * 200)

    def scores(share):
        said = np.where(rng.random(200) < share, label, rng.choice(LABELS, 200))
        return score(data, Answers(said, None, rng.random(200), rng.random(200) < 0.2))

    names = {"majority class": 0.0, "Paratype fast": 0.8, "one with a long name": 0.8, "other": 0.81}
    peers = {name: {"scores": scores(share), "per_second": 900.0} for name, share in names.items()}
    curve = [{"model": "fast", "rows": n, "accuracy": 0.5, "macro_f1": 0.4} for n in (10, 20, 40)]
    models = {name: scores(0.7) for name in ("accurate", "auto", "fast")}
    return {"real": {"held-out": models}, "curve": curve, "peers": {"peers": peers}}


def test_pictures_are_small_and_the_same_each_time(results, tmp_path):
    once, again = draw(results, tmp_path / "once"), draw(results, tmp_path / "again")
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    assert all(path.stat().st_size < MOST_BYTES for path in once)
    names = {str(path.relative_to(tmp_path / "once")) for path in once}
    assert {"docs/pictures/speed.png", "docs/pictures/learning-curve.png", "artifacts/fast/types.png"} <= names
    assert len(names) == 3 * 4 + 2


def test_other_results_give_another_picture(results, tmp_path):
    first, *_ = draw(results, tmp_path / "one")
    held_out = results["real"]["held-out"]
    second, *_ = draw({"real": {"held-out": {**held_out, "accurate": held_out["fast"]}}}, tmp_path / "two")
    assert first.read_bytes() != second.read_bytes()


def test_what_was_not_measured_is_not_drawn(tmp_path):
    assert draw({"curve": None, "peers": None}, tmp_path) == []


def test_a_label_that_was_never_said_is_drawn_without_intervals(results, tmp_path):
    bare = {**results["real"]["held-out"]["fast"]}
    bare["per_label"] = {**bare["per_label"], "none": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "rows": 0}}
    assert len(draw({"real": {"held-out": {"fast": bare}}}, tmp_path)) == 4

import numpy as np
import pytest

from eval.__main__ import _with_others
from eval.answers import Answers
from eval.data import Labelled
from eval.hardware import version_of
from eval.peers import measure
from eval.peers.all import PEERS
from eval.peers.measure import compare
from eval.peers.peer import Peer, most_probable
from eval.peers.table import peers_table
from paratype import LABELS
from training.corpus import Row

QUICK = [name for name, peer in PEERS.items() if not name.startswith(("spaCy", "SetFit", "model2vec"))]


@pytest.fixture(scope="module")
def corpus(rows):
    return [
        Row(str(n), text, label, () if label == "none" else (label,), "authored", "", "", "", "", f"{n:06x}", 3)
        for n, (text, label) in enumerate(zip(*rows, strict=True))
    ]


@pytest.fixture(scope="module")
def data(corpus):
    return Labelled(
        tuple(row.text for row in corpus),
        tuple(row.label for row in corpus),
        tuple(frozenset(row.labels) for row in corpus),
        tuple(row.id for row in corpus),
        ("x",) * len(corpus),
    )


@pytest.mark.parametrize("name", QUICK)
def test_a_saved_peer_answers_for_every_text(name, corpus, data, tmp_path):
    peer = PEERS[name]
    if missing := [package for package in peer.packages if not version_of(package)]:
        pytest.skip(f"needs {missing}")
    peer.fit(corpus, tmp_path, **peer.settings[-1])
    said = peer.load(tmp_path)(data.texts)
    assert said.label.shape == (len(data.texts),) and set(said.label.tolist()) <= set(LABELS)
    assert said.stated is None or said.stated.shape == (len(data.texts), 4)
    if said.confidence is not None:
        assert said.confidence.shape == (len(data.texts),)
        assert 0 < said.confidence.min() <= said.confidence.max() <= 1.001
    if name not in ("majority class", "keyword rules"):
        assert np.mean(said.label == np.array(data.label)) > 0.6


def test_the_most_probable_label_comes_with_its_probability():
    said = most_probable(np.array([[0.2, 0.8], [0.7, 0.3]]), ["a", "b"])
    assert said.label.tolist() == ["b", "a"] and said.confidence.tolist() == [0.8, 0.7] and said.stated is None


def test_peers_are_measured_in_processes_of_their_own(corpus, data):
    results = compare(corpus, data, data, names=["majority class"], log=lambda line: None)
    measured = results["peers"]["majority class"]
    assert measured["scores"]["accuracy"] == pytest.approx(0.2)
    assert measured["per_second"] > 0 and 0 < measured["start_seconds"] < 60
    assert measured["bytes"] == len("attack_report") and measured["tried"] == []
    assert results["training_rows"] == len(corpus) and results["left_out"] == {}
    assert "majority class" in peers_table(results)


def test_who_fails_is_left_out_and_named(data):
    results = compare([], data, data, names=["majority class"], log=lambda line: None)
    assert results["peers"] == {} and results["left_out"] == {"majority class": "IndexError: list index out of range"}


def test_who_lacks_a_package_is_left_out_with_the_line_that_installs_it(corpus, data, monkeypatch):
    absent = Peer("absent", None, None, packages=("no-such-package-a", "numpy"))
    monkeypatch.setitem(PEERS, "absent", absent)
    results = compare(corpus, data, data, names=["absent"], log=lambda line: None)
    assert results["left_out"] == {"absent": "pip install no-such-package-a"}


def test_the_development_part_chooses_the_setting(corpus, data, monkeypatch):
    """`work` is stood in for: its answers are right in so many rows as the setting says."""
    development, held_out = data.select(range(40)), data.select(range(40, 60))
    right = {}

    def work(task, name, folder, scratch, content, **setting):
        if task == "fit":
            right[folder] = setting["right"]
            return {"seconds": 2.0}
        if task == "start":
            return {"start": 0.5}
        part = development if len(content) == 40 else held_out
        label = np.array(part.label)
        rest = slice(right[folder], None)
        label[rest] = np.where(label[rest] == "none", "analysis", "none")
        return {"answers": Answers(label, None), "seconds": 0.1}

    monkeypatch.setattr(measure, "work", work)
    monkeypatch.setitem(PEERS, "tuned", Peer("tuned", None, None, settings=tuple({"right": n} for n in (5, 15, 10))))
    measured = compare(corpus, development, held_out, names=["tuned"], log=lambda line: None)["peers"]["tuned"]
    assert measured["setting"] == {"right": 15} and measured["training_seconds"] == 2.0
    assert [attempt["accuracy"] for attempt in measured["tried"]] == [5 / 40, 15 / 40, 10 / 40]
    assert measured["scores"]["accuracy"] == 15 / 20 and measured["per_second"] == 200
    table = peers_table(
        {
            "peers": {"tuned": measured | {"note": "A note."}},
            "left_out": {"other": "pip install other"},
            "hardware": {"processor": "a processor"},
            "training_rows": 60,
            "python": "3",
            "versions": {},
        }
    )
    assert "A note. Of right 5; right 15; right 10, the development part chose right 15." in table
    assert "pip install other" in table


def test_figures_of_those_not_measured_again_stay():
    stored = {"peers": {"b": 1, "c": 2}, "left_out": {"a": "no"}, "versions": {"x": "1"}, "training_rows": 5}
    new = {"peers": {"a": 3}, "left_out": {}, "versions": {"y": "2"}, "training_rows": 5}
    merged = _with_others(new, stored, ["a", "b", "c"])
    assert list(merged["peers"]) == ["a", "b", "c"] and merged["left_out"] == {}
    assert merged["versions"] == {"x": "1", "y": "2"} and _with_others(new, None, []) == new


def test_every_peer_says_how_it_is_set():
    assert all(peer.note.endswith(".") for peer in PEERS.values())

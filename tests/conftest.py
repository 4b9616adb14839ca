from collections import Counter

import pytest
from hypothesis import settings

from paratype import ParagraphClassifier
from paratype.features import NgramFeatures

# A busy machine is no fault of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ROWS = {
    "attack_report": [
        "Gunmen attacked a police post in the town and burned two vehicles.",
        "Rockets struck the airport overnight, the army said.",
        "Militants ambushed a convoy on the northern road.",
        "A drone hit a fuel depot near the border.",
    ],
    "threat_statement": [
        "We will strike your bases if you do not leave, the group warned.",
        "Any traitor will be punished without mercy, the leaflet said.",
        "The commander vowed to avenge the raid within days.",
        "If they cross the river we will open fire, the spokesman said.",
    ],
    "casualty_figure": [
        "At least ten people were killed and thirty wounded.",
        "The death toll rose to 45, hospital officials said.",
        "Four soldiers died and six are missing.",
        "Some 2,000 families were displaced by the fighting.",
    ],
    "analysis": [
        "The militia depends on foreign money, which explains its restraint.",
        "Talks between the government and the rebels have stalled over disarmament.",
        "The army lacks the helicopters to hold the province.",
        "The court opened the trial of the former guerrilla leader.",
    ],
    "none": [
        "The team won the match in the last minute.",
        "Coffee exports grew by four percent this year.",
        "The museum opens at nine and closes at six.",
        "Read more about our newsletter.",
    ],
}


def pytest_terminal_summary(terminalreporter):
    """Add up what tests measured and gave to ``record_property``: runs killed, files tried, rows lost and the like."""
    figures = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                figures.update({name: 0 for name, _ in report.user_properties})
                for name, value in report.user_properties:
                    figures[name] += value
    if figures:
        terminalreporter.section("measured by the tests")
        for name, value in sorted(figures.items()):
            terminalreporter.line(f"{name:<20} {value:>9,}")


@pytest.fixture(scope="session")
def rows() -> tuple[list[str], list[str]]:
    """Sixty texts and their labels: the twenty above, each three times with another ending."""
    endings = ("", " Officials confirmed it.", " No more was known.")
    pairs = [(text + ending, label) for label, texts in ROWS.items() for text in texts for ending in endings]
    return [text for text, _ in pairs], [label for _, label in pairs]


@pytest.fixture(scope="session")
def classifier(rows: tuple[list[str], list[str]]) -> ParagraphClassifier:
    """A small word model, trained in a moment."""
    return ParagraphClassifier(NgramFeatures(min_df=1, pair_bits=10), C=10).fit(*rows)


@pytest.fixture
def folder(classifier, tmp_path):
    """The small model, saved."""
    classifier.save(tmp_path / "small")
    return tmp_path / "small"

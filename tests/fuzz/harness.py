"""Fuzz one target with atheris: `python -m tests.fuzz.harness TARGET FOLDER [OPTIONS OF LIBFUZZER]`.

New inputs go to the folder, and one that breaks a promise too, as ``crash-…``. Keep it as a case: copy it to
``tests/fuzz/cases/TARGET`` under a name that says what it is.
"""

import sys

import atheris

with atheris.instrument_imports(include=["paratype"]):
    from tests.fuzz.targets import CASES, TARGETS


def main(target, folder, *options):
    check = TARGETS[target]
    for case in sorted((CASES / target).iterdir()):  # what is imported when first used is no attack
        check(case.read_bytes())
    limits = ["-max_len=4096", "-timeout=60", "-rss_limit_mb=2048", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *limits, *options, folder, str(CASES / target)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])

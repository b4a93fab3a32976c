from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.package }} import records
from {{ cookiecutter.package }}.records import Attempt, Begun, Ended, Kind, Outcome


def attempt(kind: Kind, from_id: str | None, to_id: str, outcome: Outcome = "succeeded") -> Attempt:
    time = "2026-11-24T00:00:00+00:00"
    begun = Begun(1, time, kind, "local", "Ann", "host:/lock", "a reason", from_id, to_id, (), None, None)
    return Attempt("name", begun, Ended(1, time, "Ann", outcome, "1", ""))


HISTORY = [attempt("promotion", None, "A"), attempt("promotion", "A", "B"), attempt("promotion", "B", "C")]


def test_rollback_goes_to_the_champion_before() -> None:
    assert records.rollback_target(HISTORY, "C") == "B"


def test_a_second_rollback_goes_further_back_and_a_third_finds_nothing() -> None:
    once = [*HISTORY, attempt("rollback", "C", "B")]
    assert records.rollback_target(once, "B") == "A"
    twice = [*once, attempt("rollback", "B", "A")]
    assert records.rollback_target(twice, "A") is None
    assert records.rejected(twice) == {"B", "C"}


def test_rollback_looks_only_at_what_succeeded() -> None:
    assert records.rollback_target([*HISTORY[:2], attempt("promotion", "B", "X", "failed")], "B") == "A"
    assert records.rollback_target([*HISTORY[:2], attempt("promotion", "B", "X", "reverted")], "B") == "A"


def test_a_rejected_bundle_that_is_promoted_on_purpose_is_rejected_no_more() -> None:
    back = [*HISTORY, attempt("rollback", "C", "B"), attempt("promotion", "B", "C"), attempt("promotion", "C", "D")]
    assert records.rejected(back) == set()
    assert records.rollback_target(back, "D") == "C"


@given(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=12))
def test_rollbacks_never_return_and_always_end(promoted: list[str]) -> None:
    history: list[Attempt] = []
    champion = None
    for bundle_id in promoted:
        if bundle_id != champion:
            history.append(attempt("promotion", champion, bundle_id))
            champion = bundle_id
    assert champion is not None
    seen = [champion]
    while (target := records.rollback_target(history, champion)) is not None:
        history.append(attempt("rollback", champion, target))
        champion = target
        seen.append(champion)
    assert len(seen) == len(set(seen))
    assert set(seen) == set(promoted)

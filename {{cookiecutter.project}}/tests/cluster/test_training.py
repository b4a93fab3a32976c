"""Who a training in the cluster is by."""

from {{ cookiecutter.package }}.cluster.training import author


def test_the_trainer_is_who_called() -> None:
    assert author("Doe, Ann <ann@example.org>") == [
        {"name": "GIT_AUTHOR_NAME", "value": "Doe, Ann"},
        {"name": "GIT_AUTHOR_EMAIL", "value": "ann@example.org"},
    ]
    (name, mail) = author("ann")
    assert name["value"] == "ann"
    assert mail["value"].startswith("ann@")

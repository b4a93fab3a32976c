"""What a plan does in plain words, and that nothing else than what was shown is applied."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from terraform import plans, steps
from terraform.place import Place
from terraform.plans import HIDDEN, Origin, Saved, Stale
from terraform.stack import Plan


def change(address: str, *actions: str, **rest: Any) -> dict[str, Any]:
    return {"address": address, "change": {"actions": list(actions), **rest}}


CHANGES = [
    change("module.a.new", "create", after={"x": "secret"}),
    change("module.a.more", "update", before={"size": 1, "tags": "secret"}, after={"size": 2, "tags": "other"}),
    change("module.a.old", "delete", before={"x": "secret"}),
    change("module.a.anew", "delete", "create", before={"x": 1}, after={"x": 2}, replace_paths=[["x"]]),
    change("module.a.also", "create", "delete", before={}, after={}),
    change("module.a.left", "forget", before={"x": "secret"}),
]


@pytest.mark.proof("A plan is said in plain words, what is destroyed first, and by address; no value is in it")
def test_summary() -> None:
    document = {
        "resource_changes": CHANGES,
        "output_changes": {"b": {"actions": ["create"]}, "a": {"actions": ["update"]}},
    }
    assert list(plans.summary(Plan.of(document))) == [
        "1 DESTROYED, 2 DESTROYED and made anew, 1 forgotten, 1 changed, 1 created",
        "  DESTROYED module.a.old",
        "  DESTROYED and made anew module.a.anew: x cannot be changed in place",
        "  DESTROYED and made anew module.a.also",
        "  forgotten module.a.left",
        "  changed module.a.more: size, tags",
        "  created module.a.new",
        "  outputs that change: a, b",
    ]


def test_summary_of_nothing() -> None:
    assert list(plans.summary(Plan.of({}))) == ["no object is changed"]


def test_protection_is_found_in_what_would_be_destroyed() -> None:
    kept = change("stays", "update", before={"deletion_protection": True}, after={})
    inside = change("cluster", "delete", before={"a": [{"deletion_protection": True}]})
    lock = change("module.cluster.azurerm_management_lock.this", "delete", before={})
    off = change("off", "delete", before={"deletion_protection": False})
    document = {"resource_changes": [kept, inside, lock, off]}
    assert plans.protected(Plan.of(document)) == ["cluster", "module.cluster.azurerm_management_lock.this"]


def test_what_is_sensitive_is_not_written_down() -> None:
    values = {"password": "secret", "list": [{"key": "secret"}, {"key": "fine"}, "longer"], "size": 1}
    marks = {"password": True, "list": [{"key": True}, {}]}
    shown = {"password": HIDDEN, "list": [{"key": HIDDEN}, {"key": "fine"}, "longer"], "size": 1}
    document = {
        "format_version": "1.2",
        "variables": {"password": {"value": "secret"}},
        "prior_state": {"values": {"password": "secret"}},
        "configuration": {},
        "resource_changes": [
            change("a", "update", before=values, before_sensitive=marks, after=values, after_sensitive=marks)
        ],
        "resource_drift": [change("b", "update", before="secret", before_sensitive=True, after=None)],
        "output_changes": {"o": {"actions": ["create"], "after": "secret", "after_sensitive": True}},
        "planned_values": {
            "outputs": {"o": {"sensitive": True, "value": "secret"}, "p": {"sensitive": False, "value": 1}},
            "root_module": {
                "resources": [{"address": "a", "values": values, "sensitive_values": marks}],
                "child_modules": [{"resources": [{"values": values, "sensitive_values": marks}]}],
            },
        },
    }
    written = plans.redacted(document)
    assert "secret" not in json.dumps(written)
    assert written["resource_changes"][0]["change"]["after"] == shown
    assert written["planned_values"]["outputs"]["p"]["value"] == 1
    assert written["planned_values"]["root_module"]["child_modules"][0]["resources"][0]["values"] == shown


@pytest.fixture
def saved(place: Place) -> Saved:
    place.made()
    place.saved.plan.write_bytes(b"a plan")
    place.saved.keep(Plan.of({}), place.origin())
    return place.saved


def test_a_saved_plan_is_its_owners_alone(saved: Saved) -> None:
    assert {stat.S_IMODE(file.stat().st_mode) for file in saved.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(saved.folder.stat().st_mode) == 0o700
    saved.remove()
    assert list(saved.folder.iterdir()) == []


@pytest.mark.proof(
    "Only the saved plan is applied, and only to the commit, the values and the state that it was made for"
)
def test_a_plan_of_something_else_is_stale(saved: Saved, place: Place) -> None:
    saved.check(place.origin())

    def stale(now: Origin) -> str:
        with pytest.raises(Stale) as found:
            saved.check(now)
        return str(found.value)

    now = place.origin()
    assert list(now.files) == [
        "terraform/cloud/main.tf",
        "terraform/cloud/variables.tf",
        "terraform/environments/dev.backend.hcl",
        "terraform/environments/dev.tfvars",
    ]
    assert stale(Origin("a" * 40, now.files)) == "the saved plan is of commit (none), and this is aaaaaaaaaaaa"
    place.variables.write_text("size = 2\n")
    assert stale(place.origin()) == "terraform/environments/dev.tfvars changed since the plan was saved"
    place.variables.write_text("size = 1\n")
    (place.module / ".terraform.lock.hcl").write_text("")
    (place.module / "tests").mkdir()
    (place.module / "tests" / "x.tf").write_text("")
    assert stale(place.origin()) == "terraform/cloud/.terraform.lock.hcl changed since the plan was saved"
    (place.module / ".terraform.lock.hcl").unlink()
    saved.plan.write_bytes(b"another plan")
    assert stale(place.origin()) == "the plan's file is not the one that was saved"
    saved.plan.unlink()
    assert stale(place.origin()) == "no plan is saved"


def test_documents_are_there_whole_or_not(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    plans.write(file, {"a": 1})
    assert json.loads(file.read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_context_that_leads_elsewhere_is_named_with_both_addresses() -> None:
    def to(server: str) -> dict[str, Any]:
        return {"input": {"cluster": "mine", "endpoint": server}}

    moved = change("terraform_data.this", "update", before=to("https://a"), after=to("https://b"))
    assert list(plans.elsewhere(Plan.of({"resource_changes": [moved]}))) == [
        "  the context leads to another cluster: it was mine at https://a, and is mine at https://b"
    ]
    same = change("terraform_data.this", "update", before=to("https://a"), after=to("https://a"))
    made = change("terraform_data.this", "create", before=None, after=to("https://a"))
    assert list(plans.elsewhere(Plan.of({"resource_changes": [same, made]}))) == []


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ({"region": "local"}, "dev (cloud): no object is changed"),
        (
            {"account_id": "111122223333", "region": "eu-central-1"},
            "dev (cloud, account 111122223333, eu-central-1): no object is changed",
        ),
        ({"project_id": "acme"}, "dev (cloud, project acme): no object is changed"),
        ({"subscription_id": "1-2"}, "dev (cloud, subscription 1-2): no object is changed"),
    ],
)
def test_a_plan_names_the_account(
    values: dict[str, str], first: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    steps.show(place, Plan.of({"variables": {name: {"value": value} for name, value in values.items()}}))
    assert capsys.readouterr().out == f"{first}\n"

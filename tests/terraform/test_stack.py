"""Each cloud's whole root on stand-ins of the providers: made, unchanged, changed in one place, destroyed."""

import re
from typing import Any

import pytest
from modules import CLOUDS

from .conftest import MakeRoot, actions
from .stacks import NEWEST, OLDEST, any_terraform, needs_standins, terraform

pytestmark = needs_standins
# Whatever keeps logs, and nothing else.
LOGS = {
    "aws": {"module.cluster.aws_cloudwatch_log_group.this", "module.network.aws_cloudwatch_log_group.this"},
    "azure": {"azurerm_log_analytics_workspace.this"},
    "gcp": {"module.network.google_logging_project_bucket_config.this"},
}
# On them nothing depends, so that a refusal keeps Terraform from looking at no other.
BUDGETS = {
    "aws": "aws_budgets_budget",
    "azure": "azurerm_consumption_budget_subscription",
    "gcp": "google_billing_budget",
}
ELSEWHERE = {"aws": "eu-west-1", "azure": "northeurope", "gcp": "europe-west1"}


def kinds(state: dict[str, Any]) -> int:
    """How many objects a state has."""

    def count(module: dict[str, Any]) -> int:
        here: int = sum(each["mode"] == "managed" for each in module.get("resources", []))
        return here + sum(map(count, module.get("child_modules", [])))

    return count(state.get("values", {}).get("root_module", {}))


@pytest.mark.proof(
    "Each cloud's whole root, on stand-ins with the published schemas of the providers: made, a second plan empty, one value changed and only that changes, destroyed"
)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_life(cloud: str, version: str, root: MakeRoot) -> None:
    stack = root(terraform(version), cloud, "dev")
    planned = stack.plan()
    assert set(actions(planned).values()) == {"create"}
    stack("apply", "tfplan")
    assert kinds(stack.state()) == len(actions(planned)) > 20
    assert actions(stack.plan()) == {}
    changed = actions(stack.plan(log_retention_days=180))
    assert changed == dict.fromkeys(LOGS[cloud], "update")
    stack("apply", "tfplan")
    assert set(actions(stack.plan("-destroy")).values()) == {"delete"}
    stack("apply", "tfplan")
    assert kinds(stack.state()) == 0


@pytest.mark.parametrize("kind", ["", "bootstrap"], ids=["stack", "bootstrap"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_no_state_knows_can_be_taken_in(cloud: str, kind: str, root: MakeRoot) -> None:
    """However little there is yet, nothing is in the way of an import, such as a `for_each` over what is not made."""
    stack = root(any_terraform(), cloud, "dev", kind)
    address = "terraform_data.keep" if kind else f"module.budget.{BUDGETS[cloud]}.this"
    said = stack("import", *(f"-var-file={file}" for file in stack.values), address, "id", check=False)
    # A stand-in has nothing to import.
    assert re.findall(r"Error: (.+)", said) == ([] if kind else ["Stand-in provider: import"])
    assert ("Import successful!" in said) == bool(kind)


@pytest.mark.proof(
    "Each cloud's bootstrap, on stand-ins: made, a second plan empty, it gives the lines of a backend's file and two identities, and refuses to be destroyed"
)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_bootstrap(cloud: str, root: MakeRoot) -> None:
    stack = root(any_terraform(), cloud, "dev", "bootstrap")
    assert set(actions(stack.plan()).values()) == {"create"}
    stack("apply", "tfplan")
    assert actions(stack.plan()) == {}
    outputs = stack.outputs()
    assert "acmemlstate" in outputs["backend"].values()
    assert outputs["plan_identity"] != outputs["apply_identity"]
    for another in ("-destroy", "-var=state_name=acmeothers", f"-var=region={ELSEWHERE[cloud]}"):
        with pytest.raises(AssertionError, match=r"lifecycle\.prevent_destroy"):
            stack.plan(another)

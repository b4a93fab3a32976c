"""An environment has each of its values once, and whoever made a mistake is told in which file."""

import pytest

from terraform import bootstrap, declared
from terraform.place import Place

from tests.terraform.refusals import refusal

NULL = ": budget: it or a part of it is null: give it a value, or leave it out"


def files(place: Place) -> dict[str, str]:
    return {path.name: path.read_text() for path in place.variables.parent.iterdir()}


@pytest.mark.usefixtures("needs_terraform")
def test_a_bootstrap_of_another_environment(cloud: Place) -> None:
    variables = cloud.module / "variables.tf"
    variables.write_text(variables.read_text() + 'variable "environment" {\n  type = string\n}\n')
    cloud.variables.write_text('size = 1\nenvironment = "prod"\n')
    before = files(cloud)
    for confirm in ("", "dev"):
        assert refusal(bootstrap.bootstrap, cloud, confirm).startswith(
            'terraform/environments/dev.tfvars: environment: is "prod", and this is dev: write "dev"'
        )
    assert files(cloud) == before


@pytest.mark.usefixtures("needs_terraform")
def test_a_link_that_was_lost(cloud: Place, capsys: pytest.CaptureFixture[str]) -> None:
    link = cloud.module / "bootstrap" / "stack_variables.tf"
    for lost in (
        lambda: link.write_text("../variables.tf"),  # as Git has it where it makes no links
        lambda: link.symlink_to("../nowhere.tf"),
        lambda: None,
    ):
        link.unlink()
        lost()
        bootstrap.bootstrap(cloud, "")
        assert capsys.readouterr().out.splitlines()[0] == "dev (cloud): 1 created"


@pytest.mark.proof(
    "A value of an environment is written once: its bootstrap has the stack's, and each mistake names its file"
)
@pytest.mark.usefixtures("needs_terraform")
def test_each_mistake_is_in_a_file(cloud: Place) -> None:
    stack, own = cloud.variables, cloud.variables.with_name("dev.bootstrap.tfvars")
    for shared, said in [
        ("size = 0\n", ": size: must be more than 0."),
        ("", ": size: missing: it has no default; terraform/cloud/variables.tf says what it is"),
        ("size = 1\nsice = 2\n", ": sice: there is no such name; did you mean size?"),
        ("size = {\n", ":2: "),
        ("size = []\n", ":1: size: number required"),
        ("size = null\n", NULL.replace("budget", "size")),
        ("size = 1\nbudget = { amount = 1, emails = null }\n", NULL),
        ("size = 1\nbudget = { amount = null, emails = [] }\n", NULL),
        ("size = 1\nbudget = { amount = 1 }\n", ':2: budget: attribute "emails" is required.'),
        ("size = one\n", ":1: a text stands in quotes, and a value here can name no other"),
        (
            'size = 1\n state_name = "x"\n',
            ": state_name: is the bootstrap's alone: it belongs in terraform/environments/dev.boo",
        ),
    ]:
        stack.write_text(shared)
        assert refusal(bootstrap.bootstrap, cloud, "").startswith(f"{cloud.name(stack)}{said}")
    stack.write_text("size = 1\n")
    for mine, said in [
        ("", "state_name: missing: it has no default; terraform/cloud/bootstrap/variables.tf says what it is"),
        ('state_name = "mine"\nstate_nane = "x"\n', "state_nane: there is no such name; did you mean state_name?"),
        ('state_name = "mine"\nsice = 2\n', "sice: there is no such name; use one of state_name"),
        ("state_name = mine", "1: a text stands in quotes, and a value here can name no other"),
        (
            '/*\nsize = 1 */\nstate_name = "mine" # size = 1\n\tsize\t= 2\n',
            "size: terraform/environments/dev.tfvars has it, also for the bootstrap: leave it out here",
        ),
    ]:
        own.write_text(mine)
        said = f":{said}" if said[0].isdecimal() else f": {said}"
        assert refusal(bootstrap.bootstrap, cloud, "") == f"{cloud.name(own)}{said}"


def test_what_a_file_of_values_names() -> None:
    text = 'a = { b = 1, c = ["=", "x = 1"] }\n# d = 1\n/* e = 2\n*/ f="\\" g = 1" // h = 1\n\ti\t= (1)\n'
    assert list(declared.assigned(text)) == ["a", "f", "i"]

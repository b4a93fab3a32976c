"""`python -m terraform plan|apply|drift|destroy|kubeconfig|bootstrap|overlay-values --environment NAME`"""

import argparse
import sys

from . import place, shield, verbs


def bootstrap(where: place.Place, confirm: str) -> None:
    """What only this verb needs takes time to import."""
    from .bootstrap import bootstrap

    bootstrap(where, confirm)


def overlay_values(where: place.Place) -> None:
    """As above."""
    from . import overlays

    overlays.write(where)


VERBS = {
    "plan": lambda where, options: verbs.plan(where),
    "apply": lambda where, options: verbs.apply(where),
    "drift": lambda where, options: verbs.drift(where),
    "destroy": lambda where, options: verbs.destroy(where, options.confirm),
    "kubeconfig": lambda where, options: verbs.kubeconfig(where),
    "bootstrap": lambda where, options: bootstrap(where, options.confirm),
    "overlay-values": lambda where, options: overlay_values(where),
}


def work(options: argparse.Namespace) -> int:
    """Do what was asked; a refusal is one message on standard error and exit code 1."""
    try:
        VERBS[options.verb](place.find(options.environment), options)
    except place.Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """Run the command line, shielded from interrupts that Terraform would hear twice."""
    parser = argparse.ArgumentParser(prog="python -m terraform", description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--environment", required=True, help="an environment of terraform/environments")
    parser.add_argument("--confirm", default="", help="destroy, bootstrap: the environment's name")
    options = parser.parse_args()
    return shield.run(lambda: work(options))


if __name__ == "__main__":
    sys.exit(main())

"""Prometheus scrapes the environment's servers, its shipped alerts call a webhook and are taken back, and every panel has data."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any

import pytest
from monitoring.shipped import RULES, VARIABLES, metrics_of, panels, queries, rules
from ruamel.yaml import YAML

from .burst import burst
from .conftest import EVIDENCE, LOCAL, World, objects, record, until
from .meter import Load, Measured, load
from .prometheus import evaluated, forwarded, numbers, rules_over, specification, targets
from .questions import sample_rows, smoke_key
from .receiver import assert_page, paged, pages, told, untold_ends
from .serving import servers, wait_until_calm

SHORTER = {"5m": "45s", "30m": "45s", "1h": "1m30s", "6h": "2m"}
"""For the windows of the burn rates, so that they see bursts at once and forget them soon: three scrapes at least."""
USUAL, SLOW = 5, 150
"""Requests a second all the time, and slow ones at once: more than 14.4 % of those within 90 s."""
PAGE_SECONDS, RESOLVE_SECONDS = 150, 200
LATENCY, AVAILABILITY = "LatencyBudgetBurnsFast", "AvailabilityBudgetBurnsFast"


@pytest.fixture(scope="module")
def _a_model_is_served(world: World) -> None:
    if "is waiting for a model" in world.make("deploy", "ENV=local"):
        world.make("pipeline-run", "ENV=local")
        world.make("promote", "ENV=local", "REASON=to be watched")
    wait_until_calm()


@pytest.fixture(scope="module")
def prometheus(world: World) -> Iterator[str]:
    with forwarded("prometheus-operated", 9090) as address:
        yield address


@pytest.fixture(scope="module")
def rows(world: World) -> list[dict[str, Any]]:
    return sample_rows(world, 100)


@pytest.fixture(scope="module", autouse=True)
def usual(_a_model_is_served: None, node_port: str, rows: list[dict[str, Any]]) -> Iterator[tuple[Load, ExitStack]]:
    """Somebody asks all the time, until the stack is closed; from the first test on, for the bursts' windows must have seen it."""
    with ExitStack() as stack:
        yield (
            stack.enter_context(load(node_port, smoke_key(), rows, EVIDENCE / "7-usual.log", f"--per-second={USUAL}")),
            stack,
        )


def soon_empty(found: Callable[[], list[str]], seconds: float) -> list[str]:
    """Look again until nothing is found any more; gives what was found last."""
    end = time.monotonic() + seconds
    while (last := found()) and time.monotonic() < end:
        time.sleep(1)
    return last


@pytest.mark.proof("Prometheus finds and scrapes every server of the environment, and nothing that is none")
def test_servers_are_scraped(prometheus: str) -> None:
    def ours() -> list[dict[str, Any]]:
        return [each for each in targets(prometheus) if each["labels"]["namespace"] == LOCAL]

    def amiss() -> list[str]:
        return sorted({each["labels"]["pod"] for each in ours() if each["health"] == "up"} ^ servers())

    assert soon_empty(amiss, 90) == []
    assert {(each["labels"]["job"], each["scrapeUrl"].partition(":8081")[2]) for each in ours()} == {
        ("serving", "/metrics")
    }
    labelled = objects("namespace", LOCAL, "-l=mlops-template.io/environment")
    environments = {each["metadata"]["name"] for each in labelled}
    assert {each["labels"]["namespace"] for each in targets(prometheus)} <= environments
    record("7-scraped", servers=len(ours()))


@pytest.mark.proof("Prometheus evaluates every rule that is shipped, without an error, over its own namespace only")
def test_rules_are_evaluated(prometheus: str) -> None:
    for name, resource in RULES.items():
        assert specification(name) == resource["spec"]
    shipped = sorted(rule.get("alert") or rule["record"] for rule in rules())
    assert soon_empty(lambda: sorted(set(shipped) ^ {rule["name"] for rule in evaluated(prometheus)}), 90) == []
    assert sorted(rule["name"] for rule in evaluated(prometheus)) == shipped
    # Drift is computed every two minutes.
    assert soon_empty(lambda: [rule["name"] for rule in evaluated(prometheus) if rule["health"] != "ok"], 150) == []
    everywhere = {rule["name"] for rule in evaluated(prometheus) if f'namespace="{LOCAL}"' not in rule["query"]}
    assert everywhere == {"namespace:error_budget:ratio"}  # reads no series


def wait_until_quiet(prometheus: str) -> None:
    """Until nothing of the tests before is heard any more."""
    firing = f'ALERTS{{alertstate="firing",severity="page",namespace="{LOCAL}"}}'
    # Alertmanager tells nobody anew of what fires again before it has told of its end.
    until(lambda: not numbers(prometheus, firing) and not untold_ends(), 360, "no page of before is open")


@pytest.mark.proof(
    "Slow requests, then failed ones, call a webhook by the shipped alerts with shorter windows and no other difference, and again when all is well"
)
def test_bursts(
    world: World,
    prometheus: str,
    called: None,
    second_under_way: Future[Any],
    node_port: str,
    rows: list[dict[str, Any]],
    usual: tuple[Load, ExitStack],
) -> None:
    key, count, (under_way, asking) = smoke_key(), len(servers()), usual
    limits = YAML(typ="safe").load((world.project / "config/serving.yaml").read_text())["limits"]
    too_many = count * (limits["concurrency"] + 64)
    with rules_over(prometheus, "slo", RULES["slo"]["spec"], SHORTER):
        until(
            lambda: USUAL * 60 < asked_lately(prometheus) < 2 * USUAL * 90, 180, "the windows see the usual load only"
        )
        wait_until_quiet(prometheus)
        since, counted = len(pages()), answered_503(prometheus)

        slow = time.monotonic()
        assert burst(node_port, key, rows[0], SLOW, pause=0.5) == [200] * SLOW
        until(told(LATENCY, "firing", since), PAGE_SECONDS, "the page for slow requests")
        slow_page = time.monotonic() - slow
        assert paged(since) == {LATENCY}

        failed, moment = time.monotonic(), time.time()
        refused = burst(node_port, key, rows[0], too_many, pause=2, whole=False)
        burst_seconds = time.time() - moment
        until(told(AVAILABILITY, "firing", since), PAGE_SECONDS, "the page for failed requests")
        failed_page = time.monotonic() - failed

        until(told(LATENCY, "resolved", since), RESOLVE_SECONDS, "the end of slow requests")
        until(told(AVAILABILITY, "resolved", since), RESOLVE_SECONDS, "the end of failed requests")
        resolved = time.monotonic() - failed
    asking.close()
    lost = under_way.measured.lost
    record(
        "7-bursts",
        connections=too_many,
        refused=refused.count(503),
        others_refused=len(lost),
        burst_seconds=round(burst_seconds, 1),
        seconds_until_slow_page=round(slow_page, 1),
        seconds_until_failed_page=round(failed_page, 1),
        seconds_until_resolved=round(resolved, 1),
        windows=SHORTER,
    )
    assert set(refused) == {0, 503}
    assert refused.count(503) >= 10
    until(lambda: answered_503(prometheus) - counted >= refused.count(503) + len(lost), 30, "all 503 are counted")
    assert answered_503(prometheus) - counted == refused.count(503) + len(lost)
    assert_only_the_burst_lost(under_way.measured, moment, burst_seconds)
    assert_page(LATENCY, pages(since))
    assert_page(AVAILABILITY, pages(since))
    assert paged(since) == {LATENCY, AVAILABILITY}


def asked_lately(prometheus: str) -> float:
    return sum(numbers(prometheus, f'increase(inference_requests_total{{namespace="{LOCAL}"}}[90s])'))


def answered_503(prometheus: str) -> float:
    return sum(numbers(prometheus, f'inference_requests_total{{namespace="{LOCAL}",status="503"}}'))


def assert_only_the_burst_lost(measured: Measured, moment: float, seconds: float) -> None:
    """Whoever else asked during the burst may have been turned away; nobody before, and nobody after."""
    lost = measured.lost
    assert [each for each in lost if each.status != 503 or not moment <= each.ended <= moment + seconds] == []


@pytest.mark.proof(
    "After traffic, every metric that rules and dashboards name is there, and every panel's query has data"
)
def test_panels_have_data(prometheus: str, node_port: str, rows: list[dict[str, Any]]) -> None:
    metrics = sorted({metric for query in queries() for metric in metrics_of(query.text)})
    asked = [(f"metric {metric}", f'{metric}{{namespace="{LOCAL}"}}') for metric in metrics]
    asked += [(each.where, each.text.replace(VARIABLES["$namespace"], LOCAL)) for each in panels()]
    assert len(metrics) > 25
    assert len(panels()) > 20
    with load(node_port, smoke_key(), rows, EVIDENCE / "7-panels.log", f"--per-second={USUAL}") as under_way:
        # Drift is computed every two minutes.
        empty = soon_empty(lambda: [where for where, query in asked if not numbers(prometheus, query)], 150)
    record("7-panels", metrics=len(metrics), queries=len(panels()), without_data=empty)
    assert empty == []
    assert under_way.measured.lost == []

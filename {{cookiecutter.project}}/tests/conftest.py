import pytest
from hypothesis import settings

pytest_plugins = ["evidence"]

# A loaded machine is slow, not wrong.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted; with several workers nothing that a test prints itself would be seen."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "counted":
                terminalreporter.write_line(str(value))

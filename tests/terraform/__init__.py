"""Tests that need Terraform: make test-terraform."""

import sys

from conftest import ROOT

sys.path.append(str(ROOT / "docs"))  # modules.py, which reads Terraform's files

"""What a user can mend, out of what Terraform said: what was wrong, where, and what to do."""

import re
from collections.abc import Callable
from dataclasses import asdict
from string import Template

from .place import Names
from .stack import Diagnostic, StackError

LOWEST = "1.11"
INSTALL = f"install {LOWEST} or later: https://developer.hashicorp.com/terraform/install"
SIGN_IN = (
    'sign in again (AWS: aws sso login, then eval "$(aws configure export-credentials --format env)"; Google Cloud: gcloud auth '
    "application-default login; Azure: az login), or, in CI, see that the job has the identity that bootstrap/ made"
)


def sentence(error: StackError, names: Names, version: str = "") -> str:
    """Why a command failed and what to do, one line for each thing that is wrong."""
    for commands, pattern, remedy in KNOWN:
        found = re.search(pattern, error.stderr, re.IGNORECASE | re.DOTALL)
        if found and (not commands or error.command in commands):
            return remedy(found, names) if callable(remedy) else _put(remedy, found, names, version)
    wrong = [each for each in error.diagnostics if each.error]
    if wrong:
        return "\n".join(dict.fromkeys(shown(each, names) for each in wrong))
    lines = [line for line in error.stderr.splitlines() if line.strip()]
    return f"terraform {error.command} ended with {error.code}: {' '.join(lines[-3:]) or 'without a word'}"


def shown(found: Diagnostic, names: Names) -> str:
    """A diagnostic in one line. A validation's message is ours and begins with the variable: only the file is missing."""
    detail = " ".join(found.detail.split())
    if found.summary in ("Invalid value for variable", "Resource precondition failed"):
        return f"{names.variables}: {detail.partition(' This was checked by the validation rule')[0]}"
    where = found.address or (f"{names.module}/{found.file}:{found.line}" if found.file else "")
    return ": ".join(part for part in (where, found.summary, detail) if part)


def _put(remedy: str, found: re.Match[str], names: Names, version: str) -> str:
    """A remedy with what it speaks of: $environment, $module, $variables, $backend, $version, and $found of what was said."""
    groups = [group for group in found.groups() if group]
    said = " ".join((groups[0] if groups else found[0]).split())
    return Template(remedy).safe_substitute(asdict(names), version=version or "of this version", found=said)


def _locked(found: re.Match[str], names: Names) -> str:
    """Who holds the state's lock, since when, for what: Terraform says it in lines of its own."""

    def said(name: str) -> str:
        line = re.search(rf"^\W*{name}:\s+(.+?)\s*$", found.string, re.MULTILINE)
        return line[1] if line else "unknown"

    unlock = f"TF_DATA_DIR=$PWD/artifacts/terraform/{names.environment}/data terraform -chdir={names.module} force-unlock {said('ID')}"
    return (
        f"the state of {names.environment} is locked by {said('Who')} since {said('Created')} ({said('Operation')}): "
        f"wait until that has ended. Only if it died: {unlock}"
    )


def _no_provider(found: re.Match[str], names: Names) -> str:
    named = re.search(r"provider\s+\"?((?:[\w.-]+/)?[\w-]+/[\w-]+)\"?", found.string)
    return (
        f"the provider {named[1] if named else 'of a module'} could not be had: see that registry.terraform.io is reached, or give Terraform "
        "a mirror of it (docs/how-to/work-air-gapped.md)"
    )


KNOWN: list[tuple[tuple[str, ...], str, str | Callable[[re.Match[str], Names], str]]] = [
    ((), "terraform: command not found", f"terraform was not found: {INSTALL}"),
    (
        (),
        "Unsupported Terraform Core version|flag provided but not defined: -json|Invalid option.{0,20}-json",
        f"terraform $version cannot be used: {INSTALL}",
    ),
    ((), r"Error acquiring the state lock.*?Lock Info:", _locked),
    (
        ("apply",),
        "Saved plan is stale",
        "stale plan: the state of $environment was changed after the plan was saved: make infra-plan ENV=$environment again, and look at it",
    ),
    (
        (),
        r"ExpiredToken|token [^\n]{0,40}(?:has |is )expired|expired (?:or|and) |invalid_grant|AADSTS\d+|InvalidClientTokenId|"
        r"SSO session[^\n]{0,80}expired|RequestExpired|UnauthorizedSSOToken|InvalidAccessKeyId|SignatureDoesNotMatch|invalid authentication",
        f"the credentials for the account of $environment are not valid any more: {SIGN_IN}",
    ),
    (
        (),
        "No valid credential sources found|could not find default credentials|no EC2 IMDS role found|failed to refresh cached credentials|"
        "could not configure AzureCli|Please run 'az login'|unable to build authorizer|no credentials loaded|"
        "does not have any configured credentials|building AzureRM Client|Azure CLI Authorizer",
        f"no credentials for the account of $environment were found: {SIGN_IN}",
    ),
    (
        (),
        r"((?:AccessDenied|UnauthorizedOperation|AuthorizationFailed|does not have permission|does not have [^\n]{0,80} access|PERMISSION_DENIED|"
        r"403 Forbidden|Error 403)[^\n]{0,300})",
        "the identity that you use may not do this in the account of $environment ($found): plan as the plan identity that bootstrap/ made, "
        "apply and destroy as the apply identity",
    ),
    (
        ("init",),
        "match any of the checksums|Inconsistent dependency lock file",
        "$module/.terraform.lock.hcl: these are not the providers that it names: if you chose others, write it again "
        "(terraform -chdir=$module providers lock -platform=linux_amd64 -platform=darwin_arm64) and commit it",
    ),
    (
        ("init",),
        "Failed to query available provider packages|Failed to install provider|Could not retrieve the list of available versions|"
        "Invalid provider registry host",
        _no_provider,
    ),
    (
        ("init",),
        "Backend configuration changed|Backend initialization required",
        "$backend: it names another place than before, and the state is still there: put back what it said, or move the state "
        "(docs/how-to of your cloud)",
    ),
    (
        (),
        r"NoSuchBucket|S3 bucket [^\n]{0,80}does not exist|bucket doesn't exist|ContainerNotFound|ResourceGroupNotFound|"
        r"(?:lookup \S+\.blob\.core\.\S+ [^\n]*no such host)",
        "$backend: there is no such place for the state ($found): make infra-bootstrap ENV=$environment makes it, and writes this file",
    ),
    (
        (),
        r"(?:dial tcp|proxyconnect)[^\n]{0,300}(?:no such host|refused|unreachable|timeout)",
        "the account of $environment was not reached ($found): check the network and the proxy (HTTPS_PROXY)",
    ),
    (
        ("init",),
        r"((?:Invalid backend configuration argument|Missing required (?:argument|value)|Invalid Value|Unsupported argument|"
        r"Missing region value|Error loading backend|\"\w+\": required field)[^\n]*)",
        "$backend: $found: make infra-bootstrap ENV=$environment writes this file",
    ),
    (
        (),
        r"No value for required variable.*?variable \"(\w+)\"",
        "$variables: $found: missing: it has no default; $module/variables.tf says what it is",
    ),
    (
        ("plan",),
        r"Instance cannot be destroyed.*?Resource (\S+)",
        "$found refuses to be destroyed (prevent_destroy): it holds what cannot be made again. Nothing was changed",
    ),
    (
        (),
        "execution halted|operation canceled|Interrupt received",
        "$environment: interrupted",
    ),
]
"""By command (none: any) and what was said: the sentence, or what makes it."""

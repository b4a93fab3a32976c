"""What a user can mend, out of what Terraform said: what was wrong, where, and what to do."""

import posixpath
import re
import signal
from collections.abc import Callable
from dataclasses import asdict
from string import Template

from .place import Names
from .stack import Diagnostic, StackError

LOWEST = "1.11"
INSTALL = f"install {LOWEST} or later: https://developer.hashicorp.com/terraform/install"
SIGN_INS = {
    "aws": 'aws sso login, then eval "$(aws configure export-credentials --format env)"',
    "gcp": "gcloud auth application-default login",
    "azure": "az login",
}
BACKEND = (
    r"Error: ([^\n]+)\s+on \S+ line \d+, in terraform\.backend[^\n]*\n\s*\d+: [^\n]*\n\s*((?s:.+?))\s*(?:\n\s*\n|$)"
)
"""An error in the backend's settings, as it is said to people, with a place that is not where they stand."""
MISSING = "No value for required variable"
UNSUITABLE = r"The given value is not suitable for var\.(\w+) (?:declared|defined) at [^ ]+: (.+)"
NOT_READ = "KUBECONFIG is not read here: kubectl and make infra-kubeconfig use it, and should be given the same file"


def sentence(error: StackError, names: Names, version: str = "") -> str:
    """Why a command failed and what to do, one line for each thing that is wrong."""
    if version and _parts(version) < _parts(LOWEST):
        return f"terraform {version} cannot be used: {INSTALL}"
    for commands, pattern, remedy in KNOWN:
        found = re.search(pattern, error.stderr, re.IGNORECASE | re.DOTALL)
        if found and (not commands or error.command in commands):
            return remedy(found, names) if callable(remedy) else _put(remedy, found, names, version)
    wrong = [each for each in error.diagnostics if each.error]
    # After an error in a file of values, Terraform calls missing what it has not read.
    if wrong := [each for each in wrong if each.summary != MISSING] or wrong:
        return "\n".join(dict.fromkeys(shown(each, names) for each in wrong))
    lines = [line.strip() for line in error.stderr.splitlines() if line.strip()]
    said = " ".join(lines[-3:])
    if error.code < 0:
        return f"terraform {error.command} was killed ({signal.Signals(-error.code).name})"
    if found := re.search(BACKEND, error.stderr):
        return f"{names.backend}: {found[1]}: {' '.join(found[2].split())}"
    return f"terraform {error.command} ended with {error.code}: {said or 'without a word'}"


def sign_in(cloud: str) -> str:
    """How a person gets credentials of the cloud, and where CI has its own from."""
    return f"sign in ({SIGN_INS.get(cloud, 'as your cloud has it')}), or, in CI, see that the job has the identity that bootstrap/ made"


def lost(file: str, names: Names) -> str:
    """What to do with a state that could not be written; as long as its file is there, every verb says this."""
    push = f"{_terraform(names)} state push {_here(file)} && rm {file}"
    return (
        f"{file}: this file is the state of an apply that could not write it where {names.backend} says: what was made stands here and "
        f"nowhere else. Once that place is reached again: {push} (where it says that the state is locked: force-unlock in place of "
        f"state push, with the ID that it names, and then again), then make infra-plan ENV={names.environment}"
        + (
            f". Any environment may have left it: put the right one for {names.environment}"
            if file.startswith(f"{names.module}/")
            else ""
        )
    )


def last_moments(title: str) -> str:
    """What is not known of a Terraform that was killed. A state far away is written now and then, not at every step."""
    environment, _, project = title.partition(" of ")
    prefix = f"{project}-{environment}" if project else f"its prefix and {environment}"
    return (
        "What it made in its last moments may be in no state: look in the account for what is called "
        f"{prefix}…, or has the label or tag environment = {environment}, and would be created again; import it (terraform import) or delete it"
    )


def _terraform(names: Names) -> str:
    """How a person calls Terraform as the verbs do."""
    return f"TF_DATA_DIR={_here(names.data)} terraform -chdir={names.folder}"


def _here(name: str) -> str:
    return name if name.startswith("/") else f"$PWD/{name}"


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def shown(found: Diagnostic, names: Names) -> str:
    """A diagnostic in one line. A validation's message is ours and begins with the variable: only the file is missing."""
    detail = " ".join(found.detail.split())
    if found.summary in ("Invalid value for variable", "Resource precondition failed"):
        variable = detail.partition(":")[0]
        about = f" {NOT_READ}" if variable == "kubeconfig" else ""
        return f"{names.file_of(variable)}: {detail.partition(' This was checked by the validation rule')[0]}{about}"
    if found.summary == MISSING and (named := re.search(r'variable "(\w+)"', detail)):
        return _missing(named[1], names)
    if found.summary == "Variables not allowed":
        return f"{_file(found, names)}: a text stands in quotes, and a value here can name no other"
    if unsuitable := re.fullmatch(UNSUITABLE, detail):
        return f"{_file(found, names)}: {unsuitable[1]}: {unsuitable[2]}"
    if found.variable and "null" in detail:  # a rule that meets one is not asked to its end, and has no message for it
        return f"{names.file_of(found.variable)}: {found.variable}: it or a part of it is null: give it a value, or leave it out"
    where = found.address or (names.backend if found.of_backend else _file(found, names))
    return ": ".join(part for part in (where, found.summary, detail) if part)


def _file(found: Diagnostic, names: Names) -> str:
    """Terraform names files from the folder where it works, or from the root of the disk."""
    if not found.file:
        return ""
    ours = (
        each
        for each in dict.fromkeys((names.variables, *names.shared.values(), names.backend))
        if f"/{found.file}".endswith(f"/{each.removeprefix('terraform/')}")
    )
    return f"{next(ours, posixpath.normpath(f'{names.module}/{found.file}'))}:{found.line}"


def _put(remedy: str, found: re.Match[str], names: Names, version: str) -> str:
    """A remedy with what it speaks of: the names, $version, $sign_in, and $found of what was said."""
    groups = [group for group in found.groups() if group]
    said = " ".join((groups[0] if groups else found[0]).split())
    return Template(remedy).safe_substitute(
        asdict(names), version=version or "of this version", found=said, sign_in=sign_in(names.cloud)
    )


def _locked(found: re.Match[str], names: Names) -> str:
    """Who holds the state's lock, since when, for what: Terraform says it in lines of its own."""

    def said(name: str) -> str:
        line = re.search(rf"^\W*{name}:\s+(.+?)\s*$", found.string, re.MULTILINE)
        return line[1] if line else "unknown"

    unlock = f"{_terraform(names)} force-unlock {said('ID')}"
    return (
        f"the state of {names.environment} is locked by {said('Who')} since {said('Created')} ({said('Operation')}): "
        f"wait until that has ended. Only if it died: {unlock}; what it made in its last moments may be in no state: look in the account"
    )


def _missing(variable: str, names: Names) -> str:
    module = posixpath.dirname(names.module) if variable in names.shared else names.module
    return f"{names.file_of(variable)}: {variable}: missing: it has no default; {module}/variables.tf says what it is"


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
        "the credentials for the account of $environment are not valid any more: $sign_in",
    ),
    (
        (),
        "No valid credential sources found|could not find default credentials|no EC2 IMDS role found|failed to refresh cached credentials|"
        "could not configure AzureCli|Please run 'az login'|unable to build authorizer|no credentials loaded|"
        "does not have any configured credentials|building AzureRM Client|Azure CLI Authorizer",
        "no credentials for the account of $environment were found: $sign_in",
    ),
    (
        (),
        r"((?:AccessDenied|UnauthorizedOperation|AuthorizationFailed|AuthorizationPermissionMismatch|ForbiddenByRbac|does not have permission|"
        r"does not have [^\n]{0,80} access|PERMISSION_DENIED|403 Forbidden|Error 403)[^\n]{0,300})",
        "the identity that you use may not do this in the account of $environment ($found): plan as the plan identity that bootstrap/ made, "
        "apply and destroy as the apply identity; who bootstraps needs the rights that docs/how-to names for your cloud",
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
        "$backend: $found: put back what make infra-bootstrap ENV=$environment wrote there; where it has not run yet, leave the values "
        "blank, and it writes them",
    ),
    (
        ("plan",),
        r"Call to function \"yamldecode\" failed: ([^\n]+)",
        f"$kubeconfig: this is no kubeconfig ($found): $variables names it, as kubeconfig. {NOT_READ}",
    ),
    (
        ("plan",),
        r"Instance cannot be destroyed.*?Resource (\S+)",
        "$found refuses to be destroyed (prevent_destroy): it holds what cannot be made again. Nothing was changed: where it would "
        "only move, put back the name or the region that the files of values had",
    ),
    (
        (),
        "execution halted|operation canceled|Interrupt received",
        "$environment: interrupted",
    ),
]
"""By command (none: any) and what was said: the sentence, or what makes it."""

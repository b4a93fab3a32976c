"""Refuse answers that cannot work, and say what to answer instead. Nothing of the project is written yet.

Plain Python even before rendering: Jinja appears only inside the string below. Silent on success: `cruft diff` shares our output.
"""

import json
import keyword
import re
import sys
import unicodedata

ANSWERS = json.loads(r"""{{ cookiecutter | jsonify }}""")

# Top-level folders of a generated project, now or in a release to come. Python would import them instead of the package.
FOLDERS = frozenset(
    "artifacts build config dist docs governance k8s make pipelines requirements samples src terraform tests".split()
)

# Modules of the standard library and of the packages that the project installs (written by `make requirements`).
MODULES = frozenset(
    """
    abc aifc alembic annotated_doc annotated_types antigravity antlr4 anyio argparse array ast ast_serialize asynchat
    asyncio asyncore atexit attr attrs audioop aws_xray_sdk base64 bdb binascii bisect blinker boto3 botocore builtins
    bz2 cachetools calendar certifi cffi cfnlint cgi cgitb charset_normalizer chunk click click_option_group cloudpickle
    cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars
    contourpy copy copyreg cprofile crypt cryptography csv ctypes curses cycler databricks dataclasses datetime dateutil
    dbm decimal difflib dis distutils docker docstring_parser doctest dotenv email encodings ensurepip enum errno
    execnet fairlearn fastapi faulthandler fcntl filecmp fileinput flask flask_cors flatbuffers fnmatch fonttools
    fractions ftplib functools gc genericpath getopt getpass gettext git gitdb glob google google_crc32c graphlib
    graphql grp gzip h11 hashlib heapq hmac html http httptools hypothesis idlelib idna imaplib imghdr imp importlib
    importlib_metadata iniconfig inspect io ipaddress isympy itertools itsdangerous jinja2 jmespath joblib joserfc json
    jsonpatch jsonpatch_cli jsonpath_ng jsonpointer jsonschema jsonschema_path jsonschema_specifications keyword kfp
    kfp_server_api kiwisolver kubernetes lazy_object_proxy lib2to3 librt linecache locale logging lzma mailbox mailcap
    mako markdown_it markupsafe marshal math matplotlib mdurl mimetypes ml_dtypes mlflow mmap modulefinder moto
    mpl_toolkits mpmath msgspec msilib msvcrt multiprocessing mypy mypy_extensions mypyc narwhals netrc networkx nis
    nntplib nt ntpath nturl2path numbers numpy oauthlib obstore onnx onnxruntime opcode openapi_schema_validator
    openapi_spec_validator opentelemetry operator optparse os ossaudiodev packaging pandas pandera pathable pathlib
    pathspec pdb pickle pickletools pil pip pipes pkg_resources pkgutil platform plistlib pluggy poplib posix posixpath
    pprint prettytable profile prometheus_client proto pstats pty pwd py py_compile py_partiql_parser pyarrow pyasn1
    pyasn1_modules pyclbr pycparser pydantic pydantic_core pydantic_settings pydoc pydoc_data pyexpat pygments pylab
    pyparsing pytest python_terraform queue quopri random re readline referencing regex reprlib requests
    requests_oauthlib requests_toolbelt resource responses rfc3339_validator rich rlcompleter rpds ruamel ruff runpy
    s3transfer sched scipy secrets select selectors sentry_sdk setuptools shellingham shelve shlex shutil signal site
    six skl2onnx sklearn skops smmap smtpd smtplib sndhdr socket socketserver sortedcontainers spwd sqlalchemy sqlite3
    sqlparse sre_compile sre_constants sre_parse ssl starlette stat statistics string stringprep struct subprocess sunau
    sympy symtable sys sysconfig syslog tabnanny tabulate tarfile telnetlib tempfile termios test textwrap this
    threading threadpoolctl time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo
    typeguard typer types typing typing_extensions typing_inspect typing_inspection unicodedata unittest urllib urllib3
    uu uuid uv uvicorn uvloop venv warnings wave wcwidth weakref webbrowser websocket werkzeug winreg winsound wrapt
    wsgiref xdist xdrlib xml xmlrpc xmltodict yaml yamllint zipapp zipfile zipimport zipp zlib zoneinfo
    """.split()
)


def refused_project(project: str) -> str | None:
    if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", project):
        return None
    return (
        f"project: {project!r} cannot name a repository and its environments: answer with 1 to 40 lower-case letters (a-z), "
        "digits and inner hyphens, such as flight-delay"
    )


def refused_package(package: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,29}", package):
        return (
            f"package: {package!r} cannot name a Python package: answer with 1 to 30 letters (a-z), digits and underscores, "
            "a letter first, such as flight_delay"
        )
    if keyword.iskeyword(package):
        return f"package: {package!r} is a word of the Python language: answer with another name, such as {package.lower()}_model"
    if package.lower() in FOLDERS:
        return f"package: {package!r} is a folder of the project: answer with another name, such as {package.lower()}_model"
    if package.lower() in MODULES:
        return (
            f"package: {package!r} is a module of Python or of a package that the project installs, and would hide it: "
            f"answer with another name, such as {package.lower()}_model"
        )
    return None


def refused_text(question: str, text: str) -> str | None:
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            return f"{question}: character U+{ord(character):04X} in {text!r} cannot be printed: answer in one line of plain text"
    if not text.strip():
        return f"{question}: it is empty: answer with at least one letter"
    mark = re.search(r"\x7b[\x7b%#]|^\s*#%", text)
    if mark:
        return f"{question}: {mark[0].strip()!r} in {text!r} would be read as a template by the next update: put a space into it"
    return None


def refused_registry(registry: str) -> str | None:
    host = r"([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[0-9]{1,5})?|[a-z0-9]([a-z0-9-]*[a-z0-9])?:[0-9]{1,5})"
    folder = r"[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"
    if not registry or (len(registry) <= 200 and re.fullmatch(rf"{host}(/{folder})*", registry)):
        return None
    return (
        f"registry: {registry!r} cannot be where images are: answer with host, port and path of a registry as far as it has them, "
        "in lower case and without https://, such as ghcr.io/my-team or localhost:5000, or with nothing"
    )


def refusals(answers: dict[str, str]) -> list[str]:
    """One sentence for each answer that cannot work."""
    asked = {question: answer for question, answer in answers.items() if not question.startswith("_")}
    # An answer that is no folder name never became one: cookiecutter.json put a harmless one in its place.
    asked["project"] = answers["__project_answered"]
    names = ("project", "package", "registry")
    found = [refused_text(question, text) for question, text in asked.items() if question not in names]
    found.append(refused_registry(asked["registry"]))
    found.append(refused_project(asked["project"]))
    # The package is by default made of the project's name: a second sentence about the same mistake helps nobody.
    if found[-1] is None:
        found.append(refused_package(asked["package"]))
    return [sentence for sentence in found if sentence]


if __name__ == "__main__":
    for sentence in refusals(ANSWERS):
        print(f"refused: {sentence}", file=sys.stderr)
    sys.exit(1 if refusals(ANSWERS) else 0)

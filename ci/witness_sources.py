"""Fetches one source distribution, or a wheel if there is none, from the package index that pip uses here, and unpacks it.
usage: witness_sources.py NAME==VERSION FOLDER-INSIDE DESTINATION

The index is PIP_INDEX_URL, the index of `pip config`, or pip's default. Certificates come from pip's `cert`, else from Python."""

import base64
import functools
import hashlib
import html.parser
import io
import json
import os
import re
import ssl
import subprocess
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


@functools.cache
def pip(*arguments):
    """Returns the output of a pip command. Debian's Python has no pip; the virtual environment of ci/test has one."""
    for python in (sys.executable, "build/venv/bin/python3"):
        try:
            shown = subprocess.run([python, "-m", "pip", *arguments], capture_output=True, text=True, env={**os.environ, "COLUMNS": "1000"})
        except FileNotFoundError:
            continue
        if shown.returncode == 0:
            return shown.stdout
    return ""


def setting(name):
    """Returns a setting of pip, from the environment, or else from the section `download` or `global` of its file."""
    for section in (":env:", "download", "global"):
        found = re.search(rf"^{re.escape(section)}\.{name}='(.*)'$", pip("config", "list"), re.M)
        if found:
            return found[1]
    return os.environ.get("PIP_" + name.upper().replace("-", "_"), "")


def index():
    shown = re.search(r"Base URL of the Python Package Index \(default (\S+?)\)", pip("download", "--help"))
    url = setting("index-url") or (shown[1] if shown else "")
    if not url:
        sys.exit("ci/witness: package index: expected PIP_INDEX_URL or a python3 with pip, got neither; try apt-get install python3-pip")
    return url.rstrip("/")


def read(url, accept="*/*"):
    """Returns the bytes at a URL, which may contain user and password, and their content type."""
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), headers={"Accept": accept})
    if parts.username:
        words = urllib.parse.unquote(f"{parts.username}:{parts.password or ''}")
        request.add_header("Authorization", "Basic " + base64.b64encode(words.encode()).decode())
    certificates = setting("cert")
    context = ssl.create_default_context(cafile=certificates) if certificates else None
    try:
        with urllib.request.urlopen(request, timeout=600, context=context) as answer:
            return answer.read(), answer.headers.get_content_type()
    except (urllib.error.URLError, OSError) as error:
        sys.exit(f"ci/witness: {request.full_url}: {error}; try another index with PIP_INDEX_URL")


class Links(html.parser.HTMLParser):
    """Reads an index page in HTML (PEP 503). `files` is address and SHA-256 of each file, by name."""

    def __init__(self, page):
        super().__init__()
        self.files = {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        address = dict(attributes).get("href") if tag == "a" else None
        if address:
            url, fragment = urllib.parse.urldefrag(address)
            name = urllib.parse.unquote(url.rsplit("/", 1)[-1])
            self.files[name] = {"url": url, "sha256": fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""}


def files_of(page, kind):
    if kind.endswith("json"):  # PEP 691
        return {file["filename"]: {"url": file["url"], "sha256": file["hashes"].get("sha256", "")} for file in json.loads(page)["files"]}
    return Links(page.decode()).files


def main():
    package, folder, destination = sys.argv[1:]
    name = re.sub(r"[-_.]+", "-", package.split("==")[0]).lower()
    page = f"{index()}/{name}/"
    files = files_of(*read(page, ACCEPT))
    wheels = sorted(wheel for wheel in files if wheel.startswith(folder + "-") and wheel.endswith(("x86_64.whl", "none-any.whl")))
    if folder + ".tar.gz" not in files and not wheels:
        sys.exit(f"ci/witness: {package}: the package index has neither {folder}.tar.gz nor a wheel of that version")
    chosen = folder + ".tar.gz" if folder + ".tar.gz" in files else wheels[0]
    address = urllib.parse.urljoin(page, files[chosen]["url"])
    # A mirror needs the same password for files as for pages.
    given, own = urllib.parse.urlsplit(page), urllib.parse.urlsplit(address)
    if given.username and (own.hostname, own.port) == (given.hostname, given.port):
        address = own._replace(netloc=given.netloc).geturl()
    archive, _ = read(address)
    if hashlib.sha256(archive).hexdigest() != files[chosen]["sha256"]:
        sys.exit(f"ci/witness: {chosen}: its SHA-256 differs from the package index")
    if chosen.endswith(".whl"):
        return zipfile.ZipFile(io.BytesIO(archive)).extractall(f"{destination}/{folder}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        if hasattr(tarfile, "data_filter"):
            return tar.extractall(destination, filter="data")
        # Python 3.11.2 of Debian 12 has no filters
        for member in tar:
            if member.name.startswith("/") or ".." in member.name.split("/") or not (member.isfile() or member.isdir()):
                sys.exit(f"ci/witness: {chosen}: {member.name!r} is outside the archive's folder")
        tar.extractall(destination)


main()

"""Fetches one source distribution from PyPI and unpacks it. usage: witness_sources.py NAME==VERSION FOLDER-INSIDE DESTINATION"""

import hashlib
import io
import json
import sys
import tarfile
import urllib.request


def main():
    package, folder, destination = sys.argv[1:]
    name = package.split("==")[0]
    request = urllib.request.Request(f"https://pypi.org/simple/{name}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = {file["filename"]: file for file in json.load(answer)["files"]}
    if folder + ".tar.gz" not in files:
        sys.exit(f"ci/witness: PyPI has no source distribution {folder}.tar.gz")
    file = files[folder + ".tar.gz"]
    with urllib.request.urlopen(file["url"], timeout=600) as answer:
        archive = answer.read()
    if hashlib.sha256(archive).hexdigest() != file["hashes"]["sha256"]:
        sys.exit(f"ci/witness: {folder}.tar.gz: its bytes are not those that PyPI names")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(destination, filter="data")


main()

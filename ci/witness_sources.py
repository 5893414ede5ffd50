"""Fetches one source distribution from PyPI, or a wheel where there is none, and unpacks it.
usage: witness_sources.py NAME==VERSION FOLDER-INSIDE DESTINATION"""

import hashlib
import io
import json
import sys
import tarfile
import urllib.request
import zipfile


def main():
    package, folder, destination = sys.argv[1:]
    name = package.split("==")[0]
    request = urllib.request.Request(f"https://pypi.org/simple/{name}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = {file["filename"]: file for file in json.load(answer)["files"]}
    wheels = sorted(wheel for wheel in files if wheel.startswith(folder + "-") and wheel.endswith(("x86_64.whl", "none-any.whl")))
    if folder + ".tar.gz" not in files and not wheels:
        sys.exit(f"ci/witness: PyPI has no source distribution {folder}.tar.gz and no wheel of it")
    chosen = folder + ".tar.gz" if folder + ".tar.gz" in files else wheels[0]
    file = files[chosen]
    with urllib.request.urlopen(file["url"], timeout=600) as answer:
        archive = answer.read()
    if hashlib.sha256(archive).hexdigest() != file["hashes"]["sha256"]:
        sys.exit(f"ci/witness: {chosen}: its bytes are not those that PyPI names")
    if chosen.endswith(".whl"):
        return zipfile.ZipFile(io.BytesIO(archive)).extractall(f"{destination}/{folder}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(destination, filter="data")


main()

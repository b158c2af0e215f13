#!/usr/bin/env bash
# Installs the part of recbench that the job needs, from the checkout of the action.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
if [ -z "$INSTALL" ]; then
  if [ -n "$RECORDS" ]; then INSTALL=gate; else INSTALL=core; fi
fi

# pip only warns about an extra that does not exist.
check_extras() {
  python - "$root/pyproject.toml" "$1" <<'END'
import sys
import tomllib

with open(sys.argv[1], "rb") as file:
    extras = tomllib.load(file)["project"]["optional-dependencies"]
if unknown := sorted({*sys.argv[2].split(",")} - {*extras}):
    choices = ", ".join(sorted(extras))
    sys.exit(f"::error title=Nothing installed::install: {', '.join(unknown)}. Use gate, core, or of these: {choices}.")
END
}

case $INSTALL in
  gate)
    requirements=$(mktemp "$RUNNER_TEMP/recbench.XXXXXX")
    PYTHONPATH=$root python -m recbench.cli.gate_requirements >"$requirements"
    python -m pip install --quiet --requirement "$requirements"
    python -m pip install --quiet --no-deps "$root"
    ;;
  core) python -m pip install --quiet --editable "$root" ;;
  *)
    check_extras "$INSTALL"
    python -m pip install --quiet --editable "${root}[$INSTALL]"
    ;;
esac

#!/usr/bin/env bash
# Trains and scores models on the commit that is checked out, accepts the records, and pushes the baseline.
set -euo pipefail

: "${MODELS:=}" "${RECORDS:=}" "${ARGUMENTS:=}"

# An input that looks like an option is a mistake, or an attempt to make the job do something else.
for name in MODELS RECORDS TASK SEEDS LABEL BRANCH; do
  case ${!name} in
    -*)
      echo "Error: the input '$(tr '[:upper:]' '[:lower:]' <<<"$name")' begins with a dash: ${!name}" >&2
      exit 2
      ;;
  esac
done
if [ -z "$RECORDS" ] && [ -z "$MODELS" ]; then
  echo "Error: give 'models' to train, or 'records' that an earlier step wrote." >&2
  exit 2
fi

# Names and messages in the log are not commands of the workflow.
resume=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$resume"
trap 'echo "::$resume::"' EXIT

if [ -z "$RECORDS" ]; then
  RECORDS=$(mktemp -d "$RUNNER_TEMP/recbench.XXXXXX")
  options=()
  read -r -d '' -a options <<<"$ARGUMENTS" || true # lines as well as words; the end of the text is no failure
  recbench run --models="$MODELS" --task="$TASK" --seeds="$SEEDS" ${options[@]+"${options[@]}"} --output="$RECORDS"
fi
refresh=()
[ "$REFRESH_TIMINGS" != true ] || refresh=(--refresh-timings)
recbench baseline accept --label="$LABEL" ${refresh[@]+"${refresh[@]}"} -- "$RECORDS"
python -P -m recbench.cli.push_baseline --branch="$BRANCH"

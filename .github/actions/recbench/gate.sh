#!/usr/bin/env bash
# Trains and scores models, compares them with the accepted baseline, and leaves a report and an exit code for the steps
# that follow. It ends well whatever the verdict is, so that the verdict is published before it stops the job.
set -euo pipefail
# Git Bash on Windows takes REV:PATH for a list of folders, and would rewrite it.
export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'

: "${MODELS:=}" "${RECORDS:=}" "${TASK:=}" "${ARGUMENTS:=}" "${BASELINE:=}" "${AGAINST:=}" "${POLICY:=}" "${REF:=}" "${SHA:=}" "${ACCEPTED:=}" "${AB:=}" "${NOTIFY:=}"

folder=$(mktemp -d "$RUNNER_TEMP/recbench.XXXXXX")
records=${RECORDS:-$folder/records}
report=$folder/report.md junit=$folder/junit.xml annotations=$folder/annotations.txt summary=$folder/summary.md
table=$folder/table.md log=$folder/log.txt
touch "$report" "$table" "$log"

# A label such as v1.0 may cover further tasks. Without the task, records that were given may be of any task, so all are
# compared.
only_task=()
if [ -n "$TASK" ] || [ -z "$RECORDS" ] || [ -z "$BASELINE" ]; then
  TASK=${TASK:-ml-100k}
  only_task=(--task="$TASK")
fi

# The base is the commit that the pull request was merged with. At the tip of the target branch, a pull request would
# answer for what others have merged since.
find_base() {
  local target=origin/$BRANCH: merged='' base
  if [ "$AB" = true ]; then
    BASELINE=$target
  fi
  BASELINE=${BASELINE:-${target}results/baselines/$TASK/main}
  case ,$BASELINE,$AGAINST in *",$target"*) ;; *) return 0 ;; esac
  case $REF in refs/pull/*/merge) merged=$SHA ;; esac
  base=$(python -P -m recbench.cli.pull_request_base --target="$BRANCH" --merge-commit="$merged") || return 2
  echo "Base: $target is read at $base, the commit that the pull request was merged with." >&2
  BASELINE=${BASELINE/#"$target"/"$base:"}
  AGAINST=,$AGAINST
  AGAINST=${AGAINST//",$target"/",$base:"}
  AGAINST=${AGAINST#,}
}

run_models() {
  [ -z "$RECORDS" ] || return 0
  if [ -z "$MODELS" ]; then
    echo "Error: give 'models' to train, or 'records' that an earlier step wrote." >&2
    return 2
  fi
  [ "$AB" != true ] || return 0
  local code=0
  recbench run --models="$MODELS" --task="$TASK" --seeds="${SEEDS:-3}" ${options[@]+"${options[@]}"} \
    --output="$records" --format=markdown >"$table" || code=$?
  # Of a model that failed the gate tells more, and tells of the others.
  [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || return "$code"
}

decide() {
  local further=(--junit="$junit" --annotations="$annotations" --summary="$summary" --format=markdown)
  [ "$ACCEPTED" != true ] || further+=(--allow '*:*' 'the pull request has the label accept-regression')
  [ -z "$POLICY" ] || further+=(--policy="$POLICY")
  [ -z "$NOTIFY" ] || further+=(--notify="$NOTIFY")
  # After --, nothing is an option: "--help" would end well, and pass.
  if [ "$AB" = true ]; then
    recbench ab --models="$MODELS" --task="$TASK" ${SEEDS:+--seeds="$SEEDS"} ${options[@]+"${options[@]}"} \
      --output="$records" "${further[@]}" -- "${BASELINE%:}" HEAD >"$report"
    return
  fi
  recbench gate ${AGAINST:+--against="$AGAINST"} ${only_task[@]+"${only_task[@]}"} "${further[@]}" -- "$BASELINE" "$records" >"$report"
}

# An input that looks like an option is a mistake, or an attempt to make the gate do something else.
check_inputs() {
  local name
  for name in MODELS RECORDS TASK SEEDS BASELINE BRANCH AGAINST POLICY; do
    case ${!name:-} in
      -*)
        echo "Error: the input '$(tr '[:upper:]' '[:lower:]' <<<"$name")' begins with a dash: ${!name}" >&2
        return 2
        ;;
    esac
  done
  case $AB in
    '' | false) ;;
    true)
      [ -z "$RECORDS$BASELINE$AGAINST" ] && return 0
      echo "Error: with 'ab', the base is trained too: leave 'records', 'baseline' and 'against' out." >&2
      return 2
      ;;
    *)
      echo "Error: the input 'ab' is '$AB'. Use true or false." >&2
      return 2
      ;;
  esac
}

options=()
read -r -d '' -a options <<<"$ARGUMENTS" || true # lines as well as words; the end of the text is no failure

# Names and messages in the log are not commands of the workflow.
resume=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$resume" >&2

code=0
{ check_inputs && find_base && run_models && decide; } 2>&1 | tee "$log" >&2 || code=$?
echo "::$resume::" >&2

# The gate's own report begins with its tag. Whatever else ended well has decided nothing.
if [ "$code" -eq 0 ] && ! grep -q '^<!-- recbench:gate:' "$report"; then
  code=2
  : >"$report"
fi

# The first pull request of a project has nothing to be compared with, which is no fault of it. Its annotation is a warning
# that names the labels that exist, because the label may be misspelled.
result=$(tail -n 1 "$report" | sed -n 's/^<!-- recbench:result:\(.*\) -->$/\1/p')
if [ "$code" -eq 4 ] && [ "$result" = no-baseline ]; then code=0; fi

[ "$AB" != true ] || records=$records/head

# Silence would leave the comment of an earlier push standing, which may say that the gate passed.
if [ ! -s "$report" ]; then
  # The folder is on this machine only.
  { printf '**Gate FAILED: recbench ended with exit code %d.**\n\n' "$code" &&
    tail -n 20 "$log" | sed "s|$folder/||g; s/^/    /"; } >"$report"
fi
[ ! -s "$annotations" ] || grep '^::' "$annotations"
[ -s "$summary" ] || summary=$report
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  { cat "$summary" && echo && cat "$table"; } >>"$GITHUB_STEP_SUMMARY"
fi
printf '%s\n' "exit-code=$code" "task=${TASK//$'\n'/}" "result=${result:-changed}" "report=$report" "junit=$junit" "records=${records//$'\n'/}" >>"$GITHUB_OUTPUT"

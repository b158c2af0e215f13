"""Prints whether a pull request has the label with which a maintainer accepts a regression, as an output of a step.

    GH_TOKEN=... python labels.py OWNER/REPOSITORY NUMBER LABELS

GitHub is asked, because a job that is run again still has the labels of its first run. LABELS, the labels of the event
as a JSON list, is used if it cannot be asked.
"""

import json
import subprocess
import sys

LABEL = "accept-regression"


def main(repository: str, number: str, labels_of_event: str) -> int:
    """Prints the output; returns the exit code."""
    command = ["gh", "pr", "view", number, "--repo", repository, "--json", "labels"]
    try:
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
        labels = [label["name"] for label in json.loads(answer)["labels"]]
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError, TypeError) as error:
        cause = " ".join((getattr(error, "stderr", None) or str(error)).split())
        print(f"::notice title=Labels of the event::GitHub cannot be asked for the labels: {cause}", file=sys.stderr)
        labels = json.loads(labels_of_event or "[]")
    print(f"accepted={'true' if LABEL in labels else 'false'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Writes a report as a comment of a pull request, in place of the one that an earlier run left there.

    GH_TOKEN=... python comment.py OWNER/REPOSITORY NUMBER REPORT KEY WHEN RESULT

WHEN is ``always`` or ``on-change``: then an unchanged RESULT makes no new comment, but replaces an earlier one, which
may say that the gate did not pass.

Everything goes through GitHub's own command line, ``gh``. A comment is found again by a hidden tag, its first line,
which holds KEY; only comments of the same author count, for anybody can quote a tag. The verdict decides the job, not
the comment: without ``gh``, or with a token that may not write, as that of a pull request from a fork, a warning says
that the report is in the job's summary.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

TIMES = {"always": "always", "true": "always", "on-change": "on-change"}
"""When to comment, by the values of the input; ``true`` is an earlier one."""
IN_SUMMARY = "The report is in the summary of the job."
NO_PERMISSION = re.compile(r"HTTP 40[134]|not accessible by|Could not resolve to a|GH_TOKEN|gh auth login")
"""How gh says that there is no token, or that it may not read or write. GitHub hides what a token may not see: 404."""
MOST = 65_536
"""Characters that GitHub takes in a comment."""


def main(repository: str, number: str, report: str, key: str, when: str, result: str) -> int:
    """Writes the comment; returns the exit code."""
    if when not in TIMES:
        print(f"::error title=No comment::The input 'comment' is {when!r}. Use always, on-change or never.")
        return 1
    tag = f"<!-- recbench:action:{re.sub(r'[^A-Za-z0-9._]+', '-', key)} -->"
    body = f"{tag}\n{Path(report).read_text(encoding='utf-8')}"
    if len(body) > MOST:
        body = f"{tag}\n**The report is too long for a comment. It is in the summary of the job.**\n"
    try:
        earlier = find(gh("pr", "view", number, "--repo", repository, "--json", "comments"), tag)
        if TIMES[when] == "on-change" and result == "unchanged" and earlier is None:
            print("Nothing has changed, so there is no comment.")
            return 0
        path = f"comments/{earlier}" if earlier else f"{number}/comments"
        method = "PATCH" if earlier else "POST"
        place = f"repos/{repository}/issues/{path}"
        written = gh("api", "--method", method, place, "--input", "-", given=json.dumps({"body": body}))
    except OSError as error:
        warn(f"gh cannot be run: {error}. Install GitHub's command line on the runner.")
        return 0
    except subprocess.CalledProcessError as error:
        cause = " ".join(error.stderr.split()) or f"gh ended with exit code {error.returncode}"
        if NO_PERMISSION.search(cause):
            warn(
                f"{cause}. Pull requests from forks have no token that may write; others need "
                "'permissions: pull-requests: write'."
            )
            return 0
        print(f"::error title=No comment::{cause}")
        return 1
    print(json.loads(written)["html_url"])
    return 0


def warn(cause: str) -> None:
    """Prints a warning that there is no comment."""
    print(f"::warning title=No comment::{cause} {IN_SUMMARY}")


def find(answer: str, tag: str) -> str | None:
    """Returns the number of the author's own comment that begins with the tag; None if there is none."""
    for comment in json.loads(answer)["comments"]:
        if comment["viewerDidAuthor"] and comment["body"].startswith(tag):
            return comment["url"].rpartition("#issuecomment-")[2]
    return None


def gh(*arguments: str, given: str = "") -> str:
    """Runs ``gh``; returns what it printed."""
    return subprocess.run(["gh", *arguments], input=given, capture_output=True, encoding="utf-8", check=True).stdout


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

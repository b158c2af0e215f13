"""Writes a report as a comment of a pull request, in place of the one that an earlier run left there.

    GH_TOKEN=... python comment.py OWNER/REPOSITORY NUMBER REPORT KEY

Everything goes through GitHub's own command line, ``gh``. A comment is found again by a hidden tag, its first line,
which holds KEY; only comments of the same author count, for anybody can quote a tag. A token that may not write, as
that of a pull request from a fork, is no error: the report is in the job's summary too.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

MOST = 65_536
"""Characters that GitHub takes in a comment."""


def main(repository: str, number: str, report: str, key: str) -> int:
    """Writes the comment; returns the exit code."""
    tag = f"<!-- recbench:action:{re.sub(r'[^A-Za-z0-9._]+', '-', key)} -->"
    body = f"{tag}\n{Path(report).read_text(encoding='utf-8')}"
    if len(body) > MOST:
        body = f"{tag}\n**The report is too long for a comment. It is in the summary of the job.**\n"
    try:
        earlier = find(gh("pr", "view", number, "--repo", repository, "--json", "comments"), tag)
        path = f"comments/{earlier}" if earlier else f"{number}/comments"
        method = "PATCH" if earlier else "POST"
        place = f"repos/{repository}/issues/{path}"
        written = gh("api", "--method", method, place, "--input", "-", given=json.dumps({"body": body}))
    except OSError as error:
        print(f"::error title=No comment::gh cannot be run: {error}. Install GitHub's command line on the runner.")
        return 1
    except subprocess.CalledProcessError as error:
        told = " ".join(error.stderr.split()) or f"gh ended with exit code {error.returncode}"
        if "HTTP 403" in told or "not accessible by integration" in told:
            print(
                f"::warning title=No comment::{told}. Pull requests from forks have no token that may write; others "
                "need 'permissions: pull-requests: write'. The report is in the summary of the job."
            )
            return 0
        print(f"::error title=No comment::{told}")
        return 1
    print(json.loads(written)["html_url"])
    return 0


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

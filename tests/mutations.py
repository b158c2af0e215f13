"""Inputs that are nearly right: bytes, JSON trees, zip members and lines that were changed in a few places."""

import io
import json
import math
import random
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

Mutation = Callable[[random.Random, bytes], bytes]

NUMBERS = (
    0,
    1,
    -1,
    127,
    255,
    256,
    2**15,
    2**31 - 1,
    2**31,
    2**32,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**30,
    10**5000,
)
FLOATS = (0.5, -0.0, 1e308, 1e-320, math.nan, math.inf, -math.inf)
TEXTS = (
    "",
    " ",
    "\0",
    "\ud800",
    "\u202e",
    "é",
    "0",
    "-1",
    "1e999",
    "nan",
    "../../x",
    "/",
    "a" * 3000,
    "[" * 50,
    "hr@10",
    "@",
)
BYTES = (
    *(b"", b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b"\r\n", b"\t", b",", b";", b'"', b"'", b"|"),
    *(
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1f\x8b\x08",
        b"\x93NUMPY\x01\x00",
        b"PAR1",
        b"[" * 3000,
        b"{" * 3000,
        b"9" * 5000,
    ),
    *(b"-", b"1e999", b"nan", b"inf", b"null", b"=", b"[[a]]", b"(0,0)", b"(99999999999,1)", b"\x80\x04.", b"#"),
)


def changed_bytes(rng: random.Random, content: bytes) -> bytes:
    """A few bytes flipped, cut out, doubled, put in, or the rest missing."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(changed) + 1)
        end = min(len(changed), at + rng.choice((1, 1, 2, 4, 8, 100)))
        kind = rng.randrange(7)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(changed):
            changed[at] = rng.randrange(256)
        elif kind == 2:
            del changed[at:end]
        elif kind == 3:
            changed[at:at] = changed[at:end] * rng.choice((1, 1, 50))
        elif kind == 4:
            changed[at:at] = rng.choice(BYTES)
        elif kind == 5:
            changed[at:end] = rng.choice(BYTES)
        elif rng.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def changed_lines(rng: random.Random, content: bytes) -> bytes:
    """Lines and fields left out, doubled, exchanged or put in the place of others."""
    lines = content.split(b"\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        kind = rng.randrange(5)
        if kind == 0 and len(lines) > 1:
            del lines[at]
        elif kind == 1:
            lines.insert(at, rng.choice(lines))
        else:
            separator = rng.choice((b"\t", b",", b" = ", b" "))
            fields = lines[at].split(separator)
            place = rng.randrange(len(fields))
            number = str(rng.choice(NUMBERS[:-1] + FLOATS)).encode()
            fields[place] = rng.choice((number, rng.choice(BYTES), rng.choice(fields)))
            if kind == 2:
                fields.append(fields[place])
            lines[at] = separator.join(fields)
    return b"\n".join(lines)


def any_value(rng: random.Random, depth: int = 2) -> Any:
    """A value of any JSON type; sometimes nested too deep for a parser."""
    kind = rng.randrange(8 if depth else 6)
    if kind == 0:
        return rng.choice(NUMBERS[:-1])
    if kind in (1, 2):
        return rng.choice(FLOATS) if kind == 1 else rng.choice(TEXTS)
    if kind in (3, 4):
        return None if kind == 3 else rng.random() < 0.5
    if kind == 5:
        return rng.choice(([], {}, [[]], {"": None}))
    children = [any_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return children if kind == 6 else {rng.choice(TEXTS): child for child in children}


def changed_tree(rng: random.Random, tree: Any) -> Any:
    """One value replaced, left out, doubled, or put under another name."""
    if not isinstance(tree, dict | list) or not tree or rng.random() < 0.15:
        return any_value(rng)
    if isinstance(tree, list):
        at = rng.randrange(len(tree))
        return [*tree[:at], changed_tree(rng, tree[at]), *tree[at + rng.randrange(2) :]]
    name = rng.choice(list(tree))
    kind = rng.randrange(6)
    if kind == 0:
        return {other: value for other, value in tree.items() if other != name}
    if kind == 1:
        return {**tree, rng.choice(TEXTS): any_value(rng)}
    if kind == 2:
        return {**tree, name: tree[rng.choice(list(tree))]}
    return {**tree, name: changed_tree(rng, tree[name])}


def changed_json(rng: random.Random, content: bytes) -> bytes:
    """A JSON document with changed values; still JSON, in the loose sense in which Python writes it."""
    return json.dumps(changed_tree(rng, json.loads(content))).encode()


def changed_members(rng: random.Random, content: bytes) -> bytes:
    """A zip archive whose members were changed, renamed or left out, with checksums that fit."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(list(members))
        kind = rng.randrange(10)
        if kind == 0 and len(members) > 1:
            del members[name]
        elif kind == 1:
            members[rng.choice(["../x", "/x", "x", "x.npy", "candidates.better.npy"])] = members[name]
        elif kind == 2:
            members[name] = members[rng.choice(list(members))]
        elif kind == 3 and members[name][:1] == b"\x93":
            members[name] = _changed_header(rng, members[name])
        else:
            members[name] = changed_bytes(rng, members[name])
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return target.getvalue()


def _changed_header(rng: random.Random, member: bytes) -> bytes:
    """An .npy file that says something else of its type or shape."""
    length = int.from_bytes(member[8:10], "little")
    header = member[10 : 10 + length]
    old, new = rng.choice(
        (
            (b"'<i4'", rng.choice((b"'<i8'", b"'<f8'", b"'|O'  ", b"'<U9'", b"'<M8'", b"[('a',", b"'<i4"))),
            (b"False", rng.choice((b"True ", b"None ", b"0    "))),
            (b"(", rng.choice((b"(9,", b"(-1,", b"(10**9,", b"(2**40,", b"(99999999999,", b"((", b"["))),
            (b"}", rng.choice((b"", b"]", b"(" * 90, b"}}"))),
        )
    )
    changed = header.replace(old, new, 1)
    return member[:8] + len(changed).to_bytes(2, "little") + changed + member[10 + length :]


def mutate(rng: random.Random, contents: Sequence[bytes], mutations: Sequence[Mutation]) -> bytes:
    """Changes one of the contents in one of the ways; now and then joins two of them, or changes twice."""
    content = rng.choice(contents)
    if rng.random() < 0.05:
        other = rng.choice(contents)
        return content[: rng.randrange(len(content) + 1)] + other[rng.randrange(len(other) + 1) :]
    changed = rng.choice(mutations)(rng, content)
    return changed_bytes(rng, changed) if rng.random() < 0.1 else changed

import pytest
from pydantic import BaseModel, Field

from recbench.errors import RecbenchError
from recbench.toml_file import TomlKind


class Limits(BaseModel, extra="forbid"):
    k: int = Field(ge=1)
    share: float = 0.5


KIND = TomlKind("policy", "Give another path.", "For example: k = 10")
BROKEN = {
    "not TOML": (b"k = ", "limits.toml is not valid TOML: "),
    "not UTF-8": (b'k = "\xff"', "limits.toml is not valid TOML: it is not UTF-8 text."),
    "nested without end": (b"k = " + b"[" * 100_000, "limits.toml is not valid TOML: "),
    "a field of another type": (b'k = "ten"', "limits.toml is not a policy: k: Input should be a valid integer"),
    "two problems": (
        b"k = 0\nkk = 1",
        "limits.toml is not a policy:\n  k: Input should be greater than or equal to 1\n  kk: Extra inputs",
    ),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_files_are_one_kind_of_error(tmp_path, content, message):
    path = tmp_path / "limits.toml"
    path.write_bytes(content)
    with pytest.raises(RecbenchError) as caught:
        KIND.load(path, Limits)
    assert message in caught.value.message
    assert caught.value.hint == "For example: k = 10"


def test_a_missing_file_has_its_own_advice(tmp_path):
    with pytest.raises(RecbenchError, match=r"Cannot read the policy .*none\.toml: No such file") as caught:
        KIND.load(tmp_path / "none.toml", Limits)
    assert caught.value.hint == "Give another path."


def test_a_whole_file(tmp_path):
    (tmp_path / "limits.toml").write_text("k = 5\n")
    assert KIND.load(tmp_path / "limits.toml", Limits) == Limits(k=5)

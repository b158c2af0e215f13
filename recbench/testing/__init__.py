"""What the author of a model inherits for its tests: the contract suite, and tasks with known properties.

``RecommenderContract`` needs pytest, which recbench does not depend on; the tasks do not::

    from recbench.testing import RecommenderContract

    class TestMine(RecommenderContract):
        model = "my_package.mine:Mine"
        parameters = {"epochs": 30}
        bad_parameters = [{"epochs": 0}]
"""

import sys
from typing import TYPE_CHECKING, Any

from recbench.requirements import install_command
from recbench.testing.tasks import checkerboard_task, synthetic_task

if TYPE_CHECKING:
    from recbench.testing.contract import RecommenderContract

__all__ = ["RecommenderContract", "checkerboard_task", "synthetic_task"]

CONTRACT = "recbench.testing.contract"


def __getattr__(name: str) -> Any:
    if name != "RecommenderContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import pytest
    except ImportError as error:
        raise ImportError(
            f"{__name__}.{name} needs pytest, which is not installed. Install it: {install_command(['pytest'])}"
        ) from error
    if CONTRACT not in sys.modules:
        # Otherwise a failed assertion outside recbench's own suite would not show its values.
        pytest.register_assert_rewrite(CONTRACT)
    from recbench.testing.contract import RecommenderContract

    return RecommenderContract

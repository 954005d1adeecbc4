"""A process whose first step lets only some fields be filled in: the page locks the others, entering refuses them."""

import pytest

from core.domain.errors import InvalidError
from core.service import entering, filling
from tests.core.fujian.conftest import Fujian


def test_what_the_first_step_does_not_let_be_filled_in_is_refused(fujian: Fujian) -> None:
    handler = fujian.person("handler")
    given = {"name": "扫描仪采购", "cancel_reason": "不买了"}
    with pytest.raises(InvalidError) as refused:
        entering.create(fujian.system, handler, "project", "project", given, key="start-fields-1")
    assert set(refused.value.fields) == {"cancel_reason"}
    shown = filling.new(fujian.system, handler, "project", "project", values=given)
    assert "cancel_reason" in shown.locked
    assert "name" not in shown.locked
    assert shown.values.get("cancel_reason") is None
    made = entering.create(
        fujian.system, handler, "project", "project", {"name": "扫描仪采购"}, key="start-fields-2"
    )
    assert made.form["name"] == "扫描仪采购"

"""docs/scale.md names the template's parameters with their defaults."""

import re

from tools.bench.report import ROOT

NAMED = re.compile(r"`(\w+)` \(default (\d+)\)")


def test_scale_page_has_the_defaults_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text()
    named = set(NAMED.findall((ROOT / "docs/scale.md").read_text()))

    assert len(named) >= 3
    for parameter, default in named:
        declared = re.search(rf"^  {parameter}:.*?Default: (\d+)", template, re.MULTILINE | re.DOTALL)
        assert declared, parameter
        assert (parameter, declared[1]) == (parameter, default)

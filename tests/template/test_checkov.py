"""The checkov rules that are skipped. `make template` runs checkov."""

import re

from tools.template import ROOT

SKIP = re.compile(r"  - (?P<rule>CKV2?_[A-Z]+_\d+)(?P<reason>(?: +# .*\n)+)")


def test_every_skipped_rule_has_a_reason() -> None:
    text = (ROOT / ".checkov.yaml").read_text()
    skipped = {found["rule"]: " ".join(found["reason"].replace("#", "").split()) for found in SKIP.finditer(text)}

    assert set(re.findall(r"CKV\w+", text)) == set(skipped)
    assert len(skipped) <= 7
    assert all(reason.endswith(".") and len(reason.split()) >= 8 for reason in skipped.values())

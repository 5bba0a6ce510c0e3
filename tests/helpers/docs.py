"""Code in the documents: what a reader copies is what is tested."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def code_of(page: str, first_line: str) -> str:
    """The block of Python on a page that begins with a line."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if block.startswith(first_line))

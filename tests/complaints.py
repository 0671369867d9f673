"""What a refused file of settings says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from errors import ConfigurationError


def complaint_of(read: Callable[[Path], object], path: Path) -> str:
    """The one clear sentence with which `read` refuses the file."""
    with pytest.raises(ConfigurationError) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert sentence.endswith(".")
    return sentence

"""Facts about the settings: the environment alone decides, wrong values are named, secrets stay secret."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from errors import ConfigurationError
from settings import MAX_SEED, Settings, load_settings


def test_an_empty_environment_gives_a_private_shop_in_this_directory() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.host == "127.0.0.1"
    assert settings.port == 8050
    assert settings.data_dir == Path(".data")


def test_each_name_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop@db/shop")
    monkeypatch.setenv("SPECTRUM_DATA_DIR", "/srv/shop")
    monkeypatch.setenv("SPECTRUM_PORT", "9000")
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://shop@db/shop"
    assert (settings.data_dir, settings.port) == (Path("/srv/shop"), 9000)


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("SPECTRUM_PORT", "")
    assert load_settings().database_url is None
    assert load_settings().port == 8050


def test_a_foreign_variable_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECTRUM_OF_SOMETHING_ELSE", "1")
    load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SPECTRUM_PORT", "eight"),
        ("SPECTRUM_PORT", "0"),
        ("SPECTRUM_PORT", "65536"),
        ("SPECTRUM_THREADS", "0"),
        ("SPECTRUM_SEED", "4.5"),
        ("SPECTRUM_SEED", "-1"),
        ("SPECTRUM_SEED", "4294967296"),
        ("SPECTRUM_CURRENCY", "dollars"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable) as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_the_largest_seed_is_one_that_numpy_takes() -> None:
    np.random.RandomState(MAX_SEED)
    with pytest.raises(ValueError, match="Seed must be between"):
        np.random.RandomState(MAX_SEED + 1)


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECTRUM_PORT", "eight")
    monkeypatch.setenv("SPECTRUM_THREADS", "many")
    with pytest.raises(ConfigurationError, match=r"SPECTRUM_PORT.*SPECTRUM_THREADS"):
        load_settings()


def test_the_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:hunter2@db/shop")
    assert "hunter2" not in repr(load_settings())


def test_settings_do_not_change() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1
    assert isinstance(settings, Settings)


def test_another_process_has_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPECTRUM_CURRENCY", "€")
    monkeypatch.chdir(tmp_path)
    for segments, told in (("", None), ("mine.toml", tmp_path / "mine.toml")):
        monkeypatch.setenv("SPECTRUM_SEGMENTS", segments)
        environment = load_settings().environment()
        monkeypatch.setattr("os.environ", environment)
        assert load_settings().segments == told
        assert load_settings().data_dir == tmp_path / ".data"
        assert load_settings().currency == "€"

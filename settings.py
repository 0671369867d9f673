"""The environment becomes one frozen Settings; nothing else reads os.environ."""

import os
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import ConfigurationError

MAX_SEED = 2**32 - 1
"""The largest that numpy takes."""

Consent: TypeAlias = Literal["opt-out", "opt-in"]
"""Who is on lists for contacting people: all but those who said no, or those alone who said yes."""


class Settings(BaseSettings):
    """`DATABASE_URL` and the names with the prefix `SPECTRUM_`; CONTRIBUTING.md tells how to add one."""

    model_config = SettingsConfigDict(env_prefix="SPECTRUM_", frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    """A Postgres address; without it the embedded server in `data_dir/pg` is started."""
    data_dir: Path = Path(".data")
    """Where the embedded database and the snapshots live."""
    host: str = "127.0.0.1"
    port: int = Field(default=8050, ge=1, le=65535)
    threads: int = Field(default=8, ge=1, le=64)
    """Threads of the dashboard's server."""
    currency: str = Field(default="$", max_length=4)
    """The sign put before amounts of money."""
    locale: str = Field(default="en", pattern=r"^[a-z]{2}([_-][A-Z]{2})?$")
    """How numbers and days are written on the pages: de_DE, en_US, fr; the words stay English."""
    seed: int = Field(default=42, ge=0, le=MAX_SEED)
    """The one seed of every random choice in the models."""
    segments: Path | None = None
    """The file of scores, groups and clusters; without it `models/segments.toml`."""
    rules: Path | None = None
    """The file of what may be recommended; without it `models/recommendations.toml`."""
    upload_mb: int = Field(default=200, ge=1, le=100_000)
    """The largest file that the Data page takes, in millions of bytes."""
    consent: Consent = "opt-out"
    retention_months: int | None = Field(default=None, ge=1, le=1200)
    """Customers without an order or event for so many months are made anonymous by `python -m db retain`."""
    secret_key: SecretStr | None = Field(default=None, min_length=32)
    """The installation's secret; without it one is made and kept in `data_dir/secret`."""
    chromium: Path | None = Field(default=None, validation_alias=AliasChoices("SPECTRUM_CHROMIUM", "CHROMIUM"))
    """The browser that prints reports; without it one that is found on the path."""

    def environment(self) -> dict[str, str]:
        """The environment in which another process of the program has these settings."""
        told = {_variable(name): _written(getattr(self, name)) for name in type(self).model_fields}
        del told[_variable("database_url")]
        told["SPECTRUM_DATA_DIR"] = str(self.data_dir.resolve())
        told["SPECTRUM_SEGMENTS"] = "" if self.segments is None else str(self.segments.resolve())
        told["SPECTRUM_RULES"] = "" if self.rules is None else str(self.rules.resolve())
        return {**os.environ, **told, "DATABASE_URL": _written(self.database_url)}


def load_settings() -> Settings:
    """The settings of this process. Raises ConfigurationError naming each variable that does not fit."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{_variable(e['loc'][0])}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"The environment holds a setting that does not fit ({faults}).") from error


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)


def _variable(field: int | str) -> str:
    return str(field) if field == "DATABASE_URL" else f"SPECTRUM_{field}".upper()

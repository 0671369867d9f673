"""The environment becomes one frozen Settings; nothing else reads os.environ."""

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import ConfigurationError
from permissions import Role

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
    public_url: str = ""
    """The https address under which a proxy shows the dashboard; without it only this machine's names are answered."""
    session_hours: int = Field(default=12, ge=1, le=24 * 30)
    """How long a sign-in lasts."""
    secret_key: SecretStr | None = Field(default=None, min_length=32)
    """What sessions, pseudonyms and forgotten ids are keyed with; without it the file `data_dir/secret`, made once."""
    logs: Literal["text", "json"] = "text"
    """How the dashboard's log is written; as JSON every request stands in it."""
    role: Role = Role.ADMIN
    """The role that commands are called in; the dashboard calls its own in the role of whoever asks."""
    pseudonyms: bool = False
    """Whether roles that need no identity see customers under pseudonyms."""
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    """What whoever reads /metrics must send as a bearer token; without it there are none."""
    oidc_issuer: str = ""
    """The address of the OpenID Connect provider; with it there is a button on the page of sign-in."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_groups_claim: str = "groups"
    oidc_roles: dict[str, Role] = {}
    """Group of the provider -> role, as JSON; of several the first that is named here."""
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
    refresh_at: str = Field(default="04:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """The time of day at which `python -m models schedule` refreshes, by the machine's clock and time zone."""
    chromium: Path | None = Field(default=None, validation_alias=AliasChoices("SPECTRUM_CHROMIUM", "CHROMIUM"))
    """The browser that prints reports; without it one that is found on the path."""

    @property
    def address(self) -> str:
        """Where the dashboard is reached: at its public address, else on this machine."""
        return self.public_url or f"http://{_reached(self.host)}:{self.port}"

    @field_validator("public_url")
    @classmethod
    def _is_https(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (parts.scheme != "https" or not parts.netloc or parts.path.strip("/") or parts.query):
            raise ValueError("write it as https://dashboard.example.com")
        return address.rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _is_safe(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("write it as https://login.example.com/...")
        return address

    def environment(self) -> dict[str, str]:
        """The environment in which another process of the program has these settings, but for the secrets of the web
        server, which no other needs."""
        told = {_variable(name): _written(getattr(self, name)) for name in _TOLD}
        told["SPECTRUM_DATA_DIR"] = str(self.data_dir.resolve())
        told["SPECTRUM_SEGMENTS"] = "" if self.segments is None else str(self.segments.resolve())
        told["SPECTRUM_RULES"] = "" if self.rules is None else str(self.rules.resolve())
        return {**os.environ, **told, "DATABASE_URL": _written(self.database_url)}


def _reached(host: str) -> str:
    """A name under which this machine reaches a server that listens there: on one address, or on all."""
    try:
        return "127.0.0.1" if ip_address(host).is_unspecified else host
    except ValueError:
        return host


def load_settings() -> Settings:
    """The settings of this process. Raises ConfigurationError naming each variable that does not fit."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{_variable(e['loc'][0])}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"The environment holds a setting that does not fit ({faults}).") from error


_WEB = {
    "metrics_token",
    "oidc_issuer",
    "oidc_client_id",
    "oidc_client_secret",
    "oidc_groups_claim",
    "oidc_roles",
}
_TOLD = [name for name in Settings.model_fields if name != "database_url" and name not in _WEB]


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)


def _variable(field: int | str) -> str:
    return str(field) if field == "DATABASE_URL" else f"SPECTRUM_{field}".upper()

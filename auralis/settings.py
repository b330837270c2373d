"""Settings: flags over environment over ``.env`` over defaults.

A command-line flag is passed on to the services as the matching environment variable, so that every service
reads its settings in the same way.
"""

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from auralis.errors import InvalidValue, UsageError
from auralis.keyspace import Keyspace

Port = Annotated[int, Field(ge=0, le=65_535)]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
CommaList = Annotated[tuple[str, ...], NoDecode]
NonEmpty = Annotated[str, Field(min_length=1)]

_PORTS: Final = "a whole number from 0 to 65535"
# What each setting may be, in words; of the others pydantic lists the choices.
_ALLOWED: Final = {
    "prefix": "letters, digits, _ . -",
    "host": "a name or address of this machine",
    "port": _PORTS,
    "sample_rate": "44100 or 48000",
    "seed": "a whole number from 0 to 4294967295",
    "control_token": "at least one character",
    "control_open_networks": "networks such as 10.0.0.0/8, separated by commas",
    "allowed_origins": "origins such as https://radio.example.org, separated by commas",
    "max_listeners": "a whole number, 1 or more",
    "max_listeners_per_ip": "a whole number, 1 or more",
    "metrics_host": "a name or address of this machine",
    "metrics_port": _PORTS,
    "data_dir": "a folder that can be written",
}
# As a browser sends it, which is without a path; ``null`` is what it sends for a page without an origin.
_ORIGIN: Final = re.compile(r"null|[a-z][a-z0-9+.-]*://[^\s/?#@]+/?", re.IGNORECASE)


def _state_home() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "auralis"


class Settings(BaseSettings):
    """Every setting, under ``AURALIS_<NAME>`` unless an alias is given."""

    model_config = SettingsConfigDict(
        env_prefix="AURALIS_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    redis_url: str | None = Field(
        None, validation_alias="REDIS_URL", description="Broker; unset: `auralis up` starts one of its own."
    )
    prefix: str = Field("auralis", pattern=r"^[A-Za-z0-9_.-]+$", description="Prefix of every Redis key.")
    host: NonEmpty = Field("127.0.0.1", description="Address the gateway listens on.")
    port: Port = Field(8000, description="Port the gateway listens on; 0: any free one.")
    sample_rate: int = Field(44_100, description="Sample rate of new channels in Hz: 44100 or 48000.")
    seed: int | None = Field(
        None, ge=0, lt=2**32, description="Seed of the channel `main` when it is created; unset: random."
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        "auto", description="Where the synth renders; auto: CUDA, then Metal (mps), then CPU."
    )
    control_token: NonEmpty | None = Field(
        None, description="Token for controls; unset: open to local clients only."
    )
    control_open_networks: CommaList = Field(
        ("127.0.0.0/8", "::1/128"),
        description="Networks whose clients count as local while no control token is set.",
    )
    allowed_origins: CommaList = Field(
        (), description="Origins of other sites whose pages may control; the gateway's own always may."
    )
    max_listeners: int = Field(1_000, ge=1, description="Listeners one gateway admits.")
    max_listeners_per_ip: int = Field(200, ge=1, description="Listeners one gateway admits from one address.")
    metrics_host: NonEmpty = Field("127.0.0.1", description="Address of the composer's and synth's metrics.")
    metrics_port: Port | None = Field(
        None, description="Port of the service's metrics; unset: composer 9101, synth 9102; 0: none."
    )
    data_dir: Path = Field(
        default_factory=_state_home, description="Where `auralis up` keeps the data of its own broker."
    )
    log_level: LogLevel = Field(
        "INFO", validation_alias="LOG_LEVEL", description="Least severe level that is logged."
    )
    log_format: Literal["console", "json"] | None = Field(
        None, validation_alias="LOG_FORMAT", description="Unset: console on a terminal, json elsewhere."
    )

    @field_validator("sample_rate")
    @classmethod
    def _known_rate(cls, value: int) -> int:
        if value not in SAMPLE_RATES_HZ:
            raise ValueError
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        upper = value.upper() if isinstance(value, str) else value
        return upper if upper in get_args(LogLevel) else value

    @field_validator("control_open_networks", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("control_open_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(_ORIGIN.fullmatch, value)):
            raise ValueError
        return value

    @field_validator("data_dir", mode="before")
    @classmethod
    def _not_here(cls, value: Any) -> Any:
        if value == "":  # as a path it would be the current folder
            raise ValueError
        return value

    @property
    def audio(self) -> AudioFormat:
        """The format of new channels."""
        return AudioFormat(self.sample_rate)

    @property
    def keys(self) -> Keyspace:
        """The Redis keys."""
        return Keyspace(self.prefix)


def variable_of(field: str) -> str:
    """The environment variable of a setting."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"AURALIS_{field.upper()}"


def flag_of(field: str) -> str:
    """The command-line option of a setting."""
    return f"--{field.replace('_', '-')}"


def load(**flags: Any) -> Settings:
    """Load the settings; ``flags`` that are not None override the environment.

    Raises:
        InvalidValue: naming the flag or the variable, what was found and what is allowed.
        UsageError: ``.env`` can't be read.
    """
    given = {_input_name(name): value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        field = _field_of(str(first["loc"][0]))
        name = flag_of(field) if flags.get(field) is not None else variable_of(field)
        raise InvalidValue(name, first["input"], _allowed(field, first["msg"])) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f".env: {error}; expected a readable file in UTF-8") from error


def _input_name(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else field


def _field_of(input_name: str) -> str:
    return next(field for field in Settings.model_fields if _input_name(field) == input_name)


def _allowed(field: str, message: str) -> str:
    return _ALLOWED.get(field) or message.removeprefix("Input should be ")

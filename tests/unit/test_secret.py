"""Facts about the secret: made once, seen by nobody else, the same for all, and another key for each purpose."""

import hmac
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from db.secret import secret
from errors import ConfigurationError
from settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


def test_it_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    first = secret(settings, "a")
    path = settings.data_dir / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in settings.data_dir.iterdir()] == ["secret"]
    assert secret(settings, "a") == first
    assert len(first) == 32
    assert first == hmac.digest(path.read_bytes(), b"a", "sha256")


def test_each_purpose_and_each_installation_has_keys_of_its_own(tmp_path: Path) -> None:
    shops = [Settings(data_dir=tmp_path / name) for name in ("one", "two")]
    assert len({secret(shop, purpose) for shop in shops for purpose in ("a", "b", "")}) == 6


def test_of_many_processes_one_makes_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from db.secret import secret; from settings import Settings; "
        "settings = Settings(data_dir=Path(sys.argv[1])); sys.stdin.readline(); print(secret(settings, 'a').hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "shop")]
    processes = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert len({process.communicate(timeout=60)[0] for process in processes}) == 1
    assert all(process.returncode == 0 for process in processes)


def test_who_comes_second_takes_what_the_first_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both saw that there is none."""
    settings = Settings(data_dir=tmp_path)
    first = secret(settings, "a")
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert secret(settings, "a") == first


def test_a_setting_stands_in_for_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPECTRUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SPECTRUM_SECRET_KEY", "k" * 32)
    settings = load_settings()
    assert secret(settings, "a") == hmac.digest(b"k" * 32, b"a", "sha256")
    assert list(tmp_path.iterdir()) == []
    assert settings.environment()["SPECTRUM_SECRET_KEY"] == "k" * 32
    assert "kkk" not in repr(settings)
    monkeypatch.setenv("SPECTRUM_SECRET_KEY", "k" * 31)
    with pytest.raises(ConfigurationError, match="SPECTRUM_SECRET_KEY") as caught:
        load_settings()
    assert "kkk" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 31, b"x" * 33])
def test_a_damaged_one_is_said_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        secret(Settings(data_dir=tmp_path), "a")
    assert (tmp_path / "secret").read_bytes() == content


def test_a_place_that_cannot_hold_it_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        secret(Settings(data_dir=tmp_path / "file" / "in"), "a")
    assert secret(Settings(data_dir=tmp_path / "file", secret_key=SecretStr("k" * 40)), "a")

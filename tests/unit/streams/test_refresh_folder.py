"""Where refreshes work: one place for one registry, by whatever name it is called."""

from pathlib import Path

import pytest

from streams.refresh_folder import refresh_folder


def test_a_registry_behind_a_link_has_one_folder_and_so_one_lock(tmp_path: Path) -> None:
    (tmp_path / "real.db").touch()
    (tmp_path / "link.db").symlink_to("real.db")
    assert refresh_folder(tmp_path / "link.db", "shop") == tmp_path / "real-refresh" / "shop"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bob@db.example/kdsl",
        "postgres://ann:hush@DB.example:5432/kdsl",
        "postgresql+psycopg://ann@db.example/kdsl?sslmode=require",
    ],
)
def test_a_database_has_one_folder_however_it_is_spelled(url: str) -> None:
    assert refresh_folder(url, "shop") == refresh_folder("postgresql://ann@db.example/kdsl", "shop")


def test_another_database_has_another_folder() -> None:
    one, two = (refresh_folder(f"postgresql://db.example/{name}", "shop") for name in "ab")
    assert one != two

"""From files to parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiber import Audio, Document, FiberValidationError, Image, _files, read_part, read_parts

PNG = b"\x89PNG\r\n\x1a\n rest"


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("a.png", PNG, Image(data=PNG, media_type="image/png")),
        ("photo.txt", PNG, Image(data=PNG, media_type="image/png")),
        ("a.wav", b"RIFF....WAVEfmt", Audio(data=b"RIFF....WAVEfmt", media_type="audio/wav")),
        ("a.pdf", b"%PDF-1.7", Document(data=b"%PDF-1.7", media_type="application/pdf", filename="a.pdf")),
        ("a.txt", b"words", Document(data=b"words", media_type="text/plain", filename="a.txt")),
        ("noted", b"words", Document(data=b"words", filename="noted")),
    ],
    ids=["by name", "bytes before name", "audio", "document", "text", "unknown"],
)
def test_file_becomes_the_part_it_is(tmp_path: Path, name: str, data: bytes, part: object) -> None:
    """The first bytes decide, then the name; what is neither image nor audio is a document."""
    (tmp_path / name).write_bytes(data)

    assert read_part(tmp_path / name) == read_part(str(tmp_path / name)) == part


def test_several_files_become_parts_in_their_order(tmp_path: Path) -> None:
    """Each is read as if it were alone; none gives none."""
    (tmp_path / "b.png").write_bytes(PNG)
    (tmp_path / "a.txt").write_bytes(b"words")

    found = read_parts(tmp_path / "b.png", tmp_path / "a.txt")

    assert found == (read_part(tmp_path / "b.png"), read_part(tmp_path / "a.txt"))
    assert read_parts() == ()


def test_media_type_can_be_said(tmp_path: Path) -> None:
    """What the caller says wins over bytes and name."""
    (tmp_path / "a.bin").write_bytes(PNG)

    assert read_part(tmp_path / "a.bin", media_type="audio/ogg") == Audio(data=PNG, media_type="audio/ogg")


@pytest.mark.parametrize(
    ("name", "words"), [("none.png", "cannot be read: No such file"), ("empty.png", "is empty"), ("long", "upload it")]
)
def test_unusable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    """A file that is missing, empty or too long is an error that says so, without the folder's name."""
    monkeypatch.setattr(_files, "MAX_FILE_BYTES", 3)
    (tmp_path / "empty.png").touch()
    (tmp_path / "long").write_bytes(b"1234")

    with pytest.raises(FiberValidationError, match=words) as refused:
        read_part(tmp_path / name)

    assert str(tmp_path) not in str(refused.value)

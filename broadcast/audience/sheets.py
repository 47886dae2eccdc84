"""Reads CSV, TSV and XLSX row by row, and writes CSV that a spreadsheet may open without harm."""

import csv
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from . import normalise

LARGEST_FILE = 1 << 30  # bytes
LARGEST_UNPACKED = 2 << 30
LARGEST_RATIO = 200  # unpacked to packed: real sheets stay below 30
MOST_COLUMNS = 200
LONGEST_CELL = 2000
_SAMPLE = 1 << 16


class BadFile(ValueError):
    """The file cannot be read as a list. The message is a sentence for the officer."""


def rows(path: Path) -> Iterator[list[str]]:
    """Every row as text, cells cleaned of old fonts. Raises BadFile, also in the middle of a file."""
    if not path.is_file() or path.stat().st_size == 0:
        raise BadFile("Tệp trống, không có dòng nào.")
    if path.stat().st_size > LARGEST_FILE:
        raise BadFile("Tệp lớn hơn 1 GB. Hãy chia thành nhiều tệp.")
    with path.open("rb") as file:
        begin = file.read(_SAMPLE)
    if begin.startswith(b"PK\x03\x04"):
        read = _workbook(path)
    elif begin.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadFile("Đây là tệp Excel đời cũ (.xls). Hãy lưu lại dưới dạng XLSX hoặc CSV.")
    else:
        read = _text(path, begin)
    return _without_old_font(read)


def _without_old_font(read: Iterator[list[str]]) -> Iterator[list[str]]:
    """Recognise the font from the first rows, then convert all."""
    first = list(islice(read, 500))
    font = normalise.font_of("\n".join(cell for row in first for cell in row))
    for part in (first, read):
        for row in part:
            if len(row) > MOST_COLUMNS:
                raise BadFile(f"Tệp có hơn {MOST_COLUMNS} cột. Hãy bỏ bớt cột không cần.")
            yield [normalise.unfont(c, font) if not c.isascii() else c for c in row] if font else row


def _text(path: Path, begin: bytes) -> Iterator[list[str]]:
    try:
        codec = normalise.encoding_of(begin)
        with path.open(encoding=codec, newline="") as file:
            sample = begin.decode(codec, errors="ignore")
            line = sample.lstrip("\ufeff").split("\n", 1)[0]
            delimiter = max(",;\t|", key=line.count)
            yield from csv.reader(file, delimiter=delimiter, strict=False)
    except normalise.UnknownEncoding as error:
        raise BadFile(str(error)) from error
    except UnicodeDecodeError as error:
        raise BadFile("Tệp có đoạn không đúng bảng mã. Hãy lưu lại dưới dạng CSV UTF-8 hoặc XLSX.") from error
    except csv.Error as error:
        raise BadFile("Tệp có ô quá dài hoặc dấu nháy không đóng. Hãy mở bằng bảng tính và lưu lại.") from error


def _workbook(path: Path) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
        if len(parts) > 10_000 or unpacked > LARGEST_UNPACKED or unpacked > LARGEST_RATIO * path.stat().st_size:
            raise BadFile("Tệp nén bất thường, có thể gây hại nên không được mở.")
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        for row in sheet.iter_rows():
            yield [_cell(value) for value in row]
    except (zipfile.BadZipFile, CalamineError, IndexError) as error:
        raise BadFile("Tệp XLSX bị hỏng hoặc có mật khẩu. Hãy mở bằng bảng tính và lưu lại.") from error


def _cell(value: object) -> str:
    # A phone number kept as a number lost its zero, and must not gain ".0".
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def write(lines: Iterable[Iterable[object]]) -> Iterator[str]:
    """CSV for a download, line by line, with the mark that makes Excel read UTF-8."""

    class _Line:
        def write(self, text: str) -> str:
            return text

    writer = csv.writer(_Line())
    yield "\ufeff"
    for line in lines:
        yield writer.writerow([safe(str(cell)) for cell in line])

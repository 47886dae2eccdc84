"""Lists of people, from files as offices keep them, into a real database."""

import csv
import io
import zipfile

import pytest

from broadcast.audience import importing, places, sheets
from broadcast.audience.refusals import refuse
from broadcast.audience.sheets import BadFile
from broadcast.models import Address, AuditEntry, Contact, PeopleImport, Place, User
from broadcast.states import AddressState

pytestmark = pytest.mark.django_db

HEADER = "Họ và tên,Số điện thoại,Telegram,Xã\n"


@pytest.fixture
def province():
    places.load(["24"])
    return Place.objects.current().get(code="24", kind="province")


@pytest.fixture
def officer():
    return User.objects.create_superuser("quantri")


@pytest.fixture
def load(tmp_path, officer, province):
    """Import a text (or bytes) and give the finished job."""

    def load(text, place=None, columns=None, dry_run=False, name="danh-sach.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        job = importing.start(officer, place or province, path, name, columns, dry_run=dry_run)
        return importing.run(job.pk)

    return load


def commune(name):
    return Place.objects.current().get(name=name)


def figures(job):
    return job.added, job.moved, job.same, job.bad


def test_people_in_odd_forms(load):
    job = load(
        HEADER
        + "NGUYỄN  VĂN AN,0084 912 345 678,,Xã Đại Sơn\n"
        + "Trần Thị Bình,+84 (0) 983-111-222,123456789,07627\n"
        + "Lê Văn Cường,01681234567,,Sơn Động\n"
        + 'Phạm Thị Dung,９１２３４５６７９,,"Xã Giáo Liêm, huyện Sơn Động, tỉnh Bắc Giang"\n'
    )
    assert job.status == "done" and figures(job) == (4, 0, 0, 0), list(job.problems.values())
    stored = {c.name: (c.place.name, {a.plain for a in c.addresses.all()}) for c in Contact.objects.all()}
    assert stored == {
        "Nguyễn Văn An": ("Xã Đại Sơn", {"+84912345678"}),
        "Trần Thị Bình": ("Xã Đại Sơn", {"+84983111222", "123456789"}),
        "Lê Văn Cường": ("Xã Sơn Động", {"+84381234567"}),
        "Phạm Thị Dung": ("Xã Đại Sơn", {"+84912345679"}),
    }
    assert AuditEntry.objects.filter(action="people.import").exists()


def test_bad_rows_are_named_and_left_out(load):
    job = load(
        HEADER
        + "Nguyễn Văn An,0912345678,,Xã Đại Sơn\n"
        + ",0912345679,,Xã Đại Sơn\n"
        + "Trần Thị Bình,02043555666,,Xã Đại Sơn\n"
        + "Lê Văn Cường,091234,,Xã Đại Sơn\n"
        + "Phạm Dung,,,Xã Đại Sơn\n"
        + "Vũ Yến,0912345670,,Xã Không Có\n"
        + ",,,\n"
        + "Vũ Yến,0912345670,,Xã Đại Sơn\n"
    )
    assert figures(job) == (2, 0, 0, 5)
    reasons = dict(job.problems.values_list("row", "reason"))
    assert sorted(reasons) == [3, 4, 5, 6, 7]
    assert "họ tên" in reasons[3] and "cố định" in reasons[4] and "chữ số" in reasons[5]
    assert "Xã Không Có" in reasons[7]
    assert not any("0912345679" in reason for reason in reasons.values()), "no numbers in the reasons"


def test_the_same_file_twice_changes_nothing(load):
    text = HEADER + "".join(f"Người {'ABCDEFGHIJ'[n]},09120000{n:02},,Xã Đại Sơn\n" for n in range(10))
    assert figures(load(text)) == (10, 0, 0, 0)
    before = list(Contact.objects.order_by("pk").values()), list(Address.objects.order_by("pk").values())
    assert figures(load(text)) == (0, 0, 10, 0)
    assert (list(Contact.objects.order_by("pk").values()), list(Address.objects.order_by("pk").values())) == before


def test_households_and_people_who_moved(load):
    load(HEADER + "Nguyễn Văn An,0912345678,,Xã Đại Sơn\nNguyễn Thị Ba,0912345678,,Xã Đại Sơn\n")
    assert Contact.objects.count() == 2
    job = load(HEADER + "nguyen van an,0912345678,777,Xã Sơn Động\n")
    assert figures(job) == (0, 1, 0, 0)
    moved = Contact.objects.get(name="Nguyễn Văn An")
    assert moved.place == commune("Xã Sơn Động") and moved.addresses.count() == 2
    assert Contact.objects.get(name="Nguyễn Thị Ba").place == commune("Xã Đại Sơn")


def test_twice_in_one_file(load):
    job = load(HEADER + "Nguyễn Văn An,0912345678,,Xã Đại Sơn\nNGUYEN VAN AN,+84912345678,,Xã Đại Sơn\n")
    assert figures(job) == (1, 0, 1, 0) and Contact.objects.count() == 1


def test_a_commune_reaches_only_its_own_people(load):
    load(HEADER + "Nguyễn Văn An,0912345678,,Xã Sơn Động\n")
    job = load(
        HEADER + "Nguyễn Văn An,0912345678,,Xã Đại Sơn\nTrần Bình,0912345679,,Xã Sơn Động\n",
        place=commune("Xã Đại Sơn"),
    )
    assert figures(job) == (1, 0, 0, 1)
    assert Contact.objects.filter(place=commune("Xã Sơn Động")).count() == 1
    assert "phạm vi" in job.problems.get().reason


def test_a_refusal_outlives_the_import(load):
    refuse("phone", "+84912345678", "reply")
    load(HEADER + "Nguyễn Văn An,0912345678,,Xã Đại Sơn\n")
    assert Address.objects.get().state == AddressState.OPTED_OUT


def test_a_dry_run_stores_nobody(load):
    text = HEADER + "Nguyễn Văn An,0912345678,,Xã Đại Sơn\nNguyễn Văn An,0912345678,,Xã Đại Sơn\nX,1,,Xã Đại Sơn\n"
    job = load(text, dry_run=True)
    assert job.status == "done" and figures(job) == (1, 0, 1, 1)
    assert not Contact.objects.exists() and not Address.objects.exists()
    assert figures(load(text)) == figures(job)


def test_cancelled_and_resumed(tmp_path, officer, province, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 10)
    path = tmp_path / "people.csv"
    path.write_text(HEADER + "".join(f"Nguyễn Văn An,09120{n:05},,Xã Đại Sơn\n" for n in range(55)), encoding="utf-8")
    job = importing.start(officer, province, path, path.name)
    importing.run(job.pk, lambda j: j.rows == 20 and importing.cancel(officer, j.pk))
    job.refresh_from_db()
    assert (job.status, job.rows, Contact.objects.count()) == ("cancelled", 20, 20)
    job = importing.run(job.pk)
    assert (job.status, job.rows, job.added, Contact.objects.count()) == ("done", 55, 55, 55)
    assert not importing.cancel(officer, job.pk)


def test_a_crash_repeats_nothing(tmp_path, officer, province, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 10)
    path = tmp_path / "people.csv"
    path.write_text(HEADER + "".join(f"Nguyễn Văn An,09120{n:05},,Xã Đại Sơn\n" for n in range(30)), encoding="utf-8")
    job = importing.start(officer, province, path, path.name)

    def crash(job):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.run(job.pk, crash)
    assert PeopleImport.objects.get().rows == 10
    assert importing.run(job.pk).added == 30 and Contact.objects.count() == 30


def test_columns_are_remembered(load, officer, province, tmp_path):
    text = "A;B;C\nXã Đại Sơn;0912345678;Nguyễn Văn An\n"
    with pytest.raises(BadFile, match="họ tên"):
        load(text)
    assert not PeopleImport.objects.exists()
    load(text, columns={"name": 2, "phone": 1, "place": 0})
    assert figures(load(text)) == (0, 0, 1, 0)
    with pytest.raises(BadFile, match="không có trong tệp"):
        load(text, columns={"name": 2, "phone": 9})


def _xlsx(rows):
    """The smallest workbook there is."""
    cells = "".join(
        "<row>" + "".join(
            f"<c><v>{value}</v></c>" if isinstance(value, int) else f'<c t="inlineStr"><is><t>{value}</t></is></c>'
            for value in row
        ) + "</row>"
        for row in rows
    )  # fmt: skip
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    package = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    def related(kind, target):
        entry = f'<Relationship Id="r1" Type="{office}/{kind}" Target="{target}"/>'
        return f"<Relationships {package}>{entry}</Relationships>"

    sheet = '<sheets><sheet name="1" sheetId="1" r:id="r1"/></sheets>'
    files = {
        "_rels/.rels": related("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{office}">{sheet}</workbook>',
        "xl/_rels/workbook.xml.rels": related("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{cells}</sheetData></worksheet>",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def test_a_workbook_with_numbers_that_lost_their_zero(load):
    job = load(_xlsx([["Họ tên", "Điện thoại", "Xã"], ["Nguyễn Văn An", 912345678, 7627]]), name="a.xlsx")
    assert figures(job) == (1, 0, 0, 0), list(job.problems.values())
    assert Address.objects.get().plain == "+84912345678"


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig"])
def test_other_encodings(load, codec):
    assert figures(load((HEADER + "Nguyễn Văn Ánh,0912345678,,Xã Đại Sơn\n").encode(codec))) == (1, 0, 0, 0)
    assert Contact.objects.get().name == "Nguyễn Văn Ánh"


def test_an_old_font(load):
    job = load("Hä vµ tªn\tSè ®iÖn tho¹i\tX·\nNguyÔn V¨n ¸nh\t0912345678\tX· §¹i S¬n\n".encode("cp1252"))
    assert figures(job) == (1, 0, 0, 0), list(job.problems.values())
    assert Contact.objects.get().folded == "nguyen van anh"


def test_files_that_are_refused(load, tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    for data, words in (
        (b"", "trống"),
        (bomb.getvalue(), "bất thường"),
        (b"PK\x03\x04 not a workbook", "hỏng"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "đời cũ"),
        (bytes(range(256)) * 20, "văn bản"),
        (("," * 300 + "\n").encode(), "cột"),
    ):
        with pytest.raises(BadFile, match=words):
            load(data, name="x.bin")
    assert not PeopleImport.objects.exists()


def test_an_export_runs_no_formula():
    text = "".join(sheets.write([["=1+1", "+84912", "@SUM(A1)", "-1", "Nguyễn", 5]]))
    assert text.startswith("\ufeff")
    assert next(csv.reader([text.lstrip("\ufeff")])) == ["'=1+1", "'+84912", "'@SUM(A1)", "'-1", "Nguyễn", "5"]


def test_problems_as_a_download(load):
    job = load(HEADER + "X,1,,Xã Đại Sơn\n")
    assert list(csv.reader("".join(importing.problems(job)).lstrip("\ufeff").splitlines()))[1][0] == "2"

"""How fast lists of people are validated and stored, and in how much memory.

    ./loa bench import [--rows 500000] [--json]

Writes a CSV of invented people, imports it into a database of its own on the configured server, imports it once
more (which must change nothing) and drops the database. The goal: 20,000 rows/s, below 400 MB.
"""

import argparse
import csv
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import django
from django.db import connection

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def write_list(path: Path, rows: int) -> None:
    from broadcast.models import Place

    communes = list(Place.objects.current().filter(depth=2).values_list("name", flat=True))
    dice = random.Random(91)
    family, middle = ("Nguyễn", "Trần", "Lê", "Phạm", "Vũ", "Giáp"), ("Văn", "Thị", "Đức", "Ngọc", "Hữu")
    given = ("An", "Bình", "Hương", "Thuỷ", "Khánh", "Nghĩa", "Yến", "Quỳnh", "Sơn", "Lộc", "Phượng", "Đạt")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Họ và tên", "Số điện thoại", "Xã"])
        for n in range(rows):
            name = f"{dice.choice(family)} {dice.choice(middle)} {dice.choice(given)}"
            number = f"09{n % 2 + 7}{n // 2 * 7 % 10_000_000:07}"
            odd = n % 50
            if odd == 0:
                number = "+84 " + number[1:4] + " " + number[4:]
            elif odd == 1:
                number = "12345"
            writer.writerow([name, number, dice.choice(communes)])


def measure(rows: int) -> dict[str, float]:
    from broadcast.audience import importing, places
    from broadcast.models import Contact, Place, User

    places.load(["24"])
    province = Place.objects.current().get(code="24", kind="province")
    user = User.objects.create_superuser("bench")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write_list(path, rows)
        job = importing.start(user, province, path, path.name)
        begun = time.perf_counter()
        job = importing.run(job.pk, lambda j: print(f"\r{j.rows:,} rows", end="", file=sys.stderr))
        seconds = time.perf_counter() - begun
        assert job.status == "done" and job.rows == rows, job.reason
        stored = Contact.objects.count()
        assert stored == job.added and job.bad > 0
        begun = time.perf_counter()
        again = importing.run(importing.start(user, province, path, path.name).pk)
        assert (again.added, again.moved) == (0, 0) or again.moved < rows // 1000, (again.added, again.moved)
        assert Contact.objects.count() == stored
        return {
            "rows": rows,
            "added": job.added,
            "bad": job.bad,
            "rows_per_s": round(rows / seconds),
            "again_rows_per_s": round(rows / (time.perf_counter() - begun)),
            "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    django.setup()
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        found = measure(options.rows)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    print(file=sys.stderr)
    print(json.dumps(found) if options.json else "\n".join(f"{key:>18}: {value:,}" for key, value in found.items()))


if __name__ == "__main__":
    main()

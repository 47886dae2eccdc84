"""Collect every text people read into the English catalogue, and compile it. Needs no gettext programs.

`manage.py messages` adds what is new to ``broadcast/locale/en/LC_MESSAGES/django.po``, drops what is gone and
writes ``django.mo``. `--check` changes nothing and fails where something is missing, untranslated or not compiled.
"""

import ast
import gettext
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template import engines
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from channels_adapters.core import registry


class Message(NamedTuple):
    text: str
    plural: str = ""
    context: str = ""


_CALLS = {
    "_": (0, None, None),
    "gettext": (0, None, None),
    "gettext_lazy": (0, None, None),
    "gettext_noop": (0, None, None),
    "ngettext": (0, 1, None),
    "ngettext_lazy": (0, 1, None),
    "pgettext": (1, None, 0),
    "pgettext_lazy": (1, None, 0),
    "npgettext": (1, 2, 0),
}  # where the text, its plural and its context stand among the arguments


def in_python(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in _CALLS:
            continue
        constants = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in node.args]
        parts = [constants[at] if at is not None and at < len(constants) else "" for at in _CALLS[name]]
        if parts[0]:
            yield Message(*(part or "" for part in parts))


def in_template(name: str, source: str) -> Iterator[Message]:
    nodes = engines["django"].get_template(name).template.nodelist
    for node in nodes.get_nodes_by_type(TranslateNode):
        literal = getattr(node.filter_expression.var, "literal", None)
        if isinstance(literal, str):
            yield Message(str(literal), context=_constant(node.message_context))
    for node in nodes.get_nodes_by_type(BlockTranslateNode):
        text, _variables = node.render_token_list(node.singular)
        plural = node.render_token_list(node.plural)[0] if node.plural else ""
        yield Message(text, plural, _constant(node.message_context))
    for text in re.findall(r"""_\("([^"]+)"\)""", source):  # in a filter's argument
        yield Message(text)


def _constant(expression) -> str:
    return str(getattr(expression.var, "literal", "")) if expression else ""


def in_adapters() -> Iterator[Message]:
    """Adapters know no framework: what their forms are called is translated by the pages."""
    for adapter in registry.all_adapters():
        yield Message(adapter.capabilities.label)
        for field in (*adapter.capabilities.fields, *adapter.capabilities.content_fields):
            yield from (
                Message(text) for text in (field.label, field.help, *(text for _, text in field.choices)) if text
            )


def all_messages() -> set[Message]:
    base = Path(settings.BASE_DIR)
    found: set[Message] = set(in_adapters())
    for root in ("broadcast", "config"):
        for path in (base / root).rglob("*.py"):
            if "migrations" not in path.parts:
                found.update(in_python(path))
    templates = base / "broadcast/web/templates"
    for path in templates.rglob("*.html"):
        found.update(in_template(str(path.relative_to(templates)), path.read_text()))
    # One entry per text: a plural one serves where the text stands alone as well.
    plural = {(message.text, message.context) for message in found if message.plural}
    return {m for m in found if m.plural or (m.text, m.context) not in plural}


class Command(BaseCommand):
    help = "Gom mọi câu chữ vào danh mục tiếng Anh và biên dịch."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="chỉ kiểm tra, không ghi")

    def handle(self, *args, check: bool = False, **options):
        try:
            import polib  # type: ignore[import-untyped]
        except ImportError as error:
            raise CommandError("Cần gói polib: cài requirements-dev.txt.") from error
        folder = Path(settings.LOCALE_PATHS[0]) / "en/LC_MESSAGES"
        path = folder / "django.po"
        catalogue = polib.pofile(str(path), wrapwidth=120) if path.exists() else polib.POFile(wrapwidth=120)
        catalogue.metadata = {
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Transfer-Encoding": "8bit",
            "Language": "en",
            "Plural-Forms": "nplurals=2; plural=(n != 1);",
        }
        wanted = all_messages()
        known = {Message(e.msgid, e.msgid_plural, e.msgctxt or ""): e for e in catalogue}
        missing = sorted(wanted - known.keys())
        gone = known.keys() - wanted
        for message in missing:
            entry = polib.POEntry(msgid=message.text, msgctxt=message.context or None)
            if message.plural:
                entry.msgid_plural, entry.msgstr_plural = message.plural, {0: "", 1: ""}
            catalogue.append(entry)
        for message in gone:
            catalogue.remove(known[message])
        catalogue.sort(key=lambda e: (e.msgid, e.msgctxt or ""))
        untranslated = [e.msgid for e in catalogue if not e.translated()]
        compiled = folder / "django.mo"
        if check:
            problems = [f"new: {m.text}" for m in missing] + [f"gone: {m.text}" for m in gone]
            problems += [f"untranslated: {text}" for text in untranslated]
            if not problems and not _same(compiled, catalogue):
                problems.append("django.mo is older than django.po")
            if problems:
                raise CommandError("\n".join(problems))
            return
        folder.mkdir(parents=True, exist_ok=True)
        catalogue.save(str(path))
        catalogue.save_as_mofile(str(compiled))
        self.stdout.write(f"{len(catalogue)} texts, {len(missing)} new, {len(gone)} gone.")
        for text in untranslated:
            self.stdout.write(f"untranslated: {text}")


def _same(compiled: Path, catalogue) -> bool:
    if not compiled.exists():
        return False
    with compiled.open("rb") as file:
        stored = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    fresh = gettext.GNUTranslations(io.BytesIO(catalogue.to_binary()))._catalog  # type: ignore[attr-defined]
    return stored == fresh

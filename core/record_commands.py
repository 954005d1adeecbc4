"""`python -m core audit | import-budget`: whether the record is whole, signed checkpoints of it; budgets from a file."""

import argparse
from pathlib import Path
from typing import BinaryIO

from core.adapters.checkpoint_files import PUBLIC, FileKey
from core.adapters.spreadsheet import Xlsx
from core.bootstrap import build_system
from core.domain.errors import InvalidError
from core.service import budget_import, budget_lines, checkpoints
from core.service.system import System
from core.settings import Settings


def add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing: look once. Else sign a checkpoint, or look from one."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", type=Path, metavar="FILE", help="把现在的审计链签成检查点，存到别处")
    what.add_argument("--verify", type=Path, metavar="FILE", help="对照检查点核对审计链")
    what.add_argument("--public-key", action="store_true", help="打印签检查点的公钥")
    parser.add_argument("--key", type=Path, metavar="PUB", help="检查点要用这个公钥验（默认本机的）")


def run_audit(given: argparse.Namespace) -> int:
    """0: whole; 1: every problem on a line of its own."""
    settings = Settings.from_environment()
    if given.public_key:
        print(FileKey(settings.var).public)
        return 0
    system = build_system(settings)
    if given.checkpoint:
        return _checkpoint(system, FileKey(settings.var), given.checkpoint, settings)
    if given.verify:
        return _verify(system, FileKey(settings.var), given.verify, given.key)
    with system.database.read() as tx:
        problems = [*tx.records.broken_audit(), *tx.ledger.imbalances()]
    return _said(problems, "审计链完整，账目与流水一致")


def add_budget_arguments(parser: argparse.ArgumentParser) -> None:
    """The file."""
    parser.add_argument("file", type=Path, metavar="FILE.xlsx", help="预算指标表，每行写一个指标现在的总额")
    parser.add_argument("--template", action="store_true", help="把空白模板写到 FILE.xlsx，不导入")


def run_import_budget(given: argparse.Namespace) -> int:
    """Take a file in as a whole, or name every bad cell; the same file again changes nothing."""
    if given.template:
        with _fresh(given.file, "模板") as out:
            out.write(budget_lines.template(Xlsx()))
        print(f"模板已写到 {given.file}")
        return 0
    try:
        content = given.file.read_bytes()
    except OSError as error:
        raise InvalidError(f"读不了 {given.file}：{error.strerror}") from None
    print(budget_import.import_file(build_system(), content, Xlsx(), by="command").said)
    return 0


def _fresh(file: Path, what: str) -> BinaryIO:
    """A new file to write; what is there is never written over."""
    try:
        return file.open("xb")
    except FileExistsError:
        raise InvalidError(f"{file} 已经有了，{what}不覆盖，请换个文件名") from None
    except OSError as error:
        raise InvalidError(f"{file} 写不进去：{error.strerror}") from None


def _checkpoint(system: System, key: FileKey, file: Path, settings: Settings) -> int:
    made = checkpoints.make(system, key)
    with _fresh(file, "检查点") as out:
        out.write(made.text.encode())
    print(f"已把 {len(made.heads)} 条链共 {made.count} 条记录签进 {file}，请存到这台机器以外的地方")
    print(f"公钥（也在 {settings.var / PUBLIC}，请一起存到别处）：{made.public}")
    return 0


def _verify(system: System, key: FileKey, file: Path, public: Path | None) -> int:
    checkpoint = checkpoints.read(_text(file))
    trusted = _text(public).strip() if public else key.public
    found = checkpoints.problems(system, key, checkpoint, trusted)
    return _said(found, f"审计链完整，检查点里的 {checkpoint.count} 条记录都在、都没有改过")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidError(f"读不了 {file}", fields={"file": str(file)}) from None


def _said(problems: list[str], well: str) -> int:
    print("\n".join(problems) or well)
    return 1 if problems else 0

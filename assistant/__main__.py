"""`python -m assistant ask [--region R] [--account LOGIN] [--json] TEXT`, or `ask --batch FILE`."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import uuid4

from assistant.batch import answer, ask_all
from assistant.knowledge import Knowledge, open_knowledge, open_live
from assistant.plain import render
from assistant.turn import DEFAULT_REGION, respond
from assistant.understanding import hear
from core.domain.accounts import Account
from core.domain.errors import DomainError, InvalidError, NotFoundError
from core.service.system import System
from kb.explaining import explain, lines
from kb.output import to_whoever_reads

WELL, WRONG = 0, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 answered, 2 the request cannot be answered (the reason is on stderr)."""
    options = _parser().parse_args(arguments)
    try:
        return to_whoever_reads(lambda: _ask(options))
    except DomainError as error:
        print(error.message, file=sys.stderr)
        return WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m assistant", description="政府采购平台的助手")
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("ask", help="问一个问题")
    ask.add_argument("--region", help=f"区域，默认 {DEFAULT_REGION}（有账号时是账号所在的区域）")
    ask.add_argument("--account", metavar="LOGIN", help="以这个账号提问：能看到它的单据（要有数据库）")
    ask.add_argument("--explain", action="store_true", help="说明为什么是这个答案")
    ask.add_argument("--json", action="store_true", help="输出 JSON")
    ask.add_argument(
        "--batch", type=Path, metavar="FILE", help='每行一个 {"region", "q"}，逐行输出 JSON；- 是标准输入'
    )
    ask.add_argument("text", nargs="*", help="问题")
    return parser


def _ask(options: argparse.Namespace) -> int:
    if options.batch is not None:
        if options.text or options.account:
            raise InvalidError("--batch 不能和问题或 --account 一起用")
        return _batch(open_knowledge(), options.batch)
    text = " ".join(options.text).strip()
    if not text:
        raise InvalidError("请写出问题，例如：python -m assistant ask 计划录错了")
    if options.explain:
        return _explain(options, text)
    if options.account:
        return _as_account(options, text)
    found = answer(open_knowledge(), options.region or DEFAULT_REGION, text)
    print(json.dumps(found, ensure_ascii=False) if options.json else found["reply"])
    return WELL


def _explain(options: argparse.Namespace, text: str) -> int:
    """Of what anybody is answered: an account's documents have no part in which entry is meant."""
    if options.account or options.json:
        raise InvalidError("--explain 不能和 --account 或 --json 一起用")
    region = options.region or DEFAULT_REGION
    print("\n".join(lines(explain(open_knowledge().retriever(region), hear(text).plain))))
    return WELL


def _batch(knowledge: Knowledge, file: Path) -> int:
    if str(file) == "-":
        _print_all(knowledge, sys.stdin)
        return WELL
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            _print_all(knowledge, lines)
    except OSError as error:
        raise InvalidError(f"文件 {file} 读不了：{error.strerror}") from error
    return WELL


def _print_all(knowledge: Knowledge, lines: Iterable[str]) -> None:
    for line in ask_all(knowledge, lines):
        print(line)


def _as_account(options: argparse.Namespace, text: str) -> int:
    from core.bootstrap import build_system

    system = build_system()
    knowledge = Knowledge(open_live(system).current)
    account = _account(system, options.account)
    if options.region and options.region != account.region:
        raise InvalidError(f"账号 {account.login} 属于区域“{account.region}”，不是“{options.region}”")
    turn = respond(system, knowledge, account, None, text, uuid4().hex, channel="command")
    if options.json:
        found = answer(knowledge, account.region, text)
        print(json.dumps({**found, "reply": render(turn)}, ensure_ascii=False))
    else:
        print(render(turn))
    return WELL


def _account(system: System, login: str) -> Account:
    with system.database.read() as tx:
        known = tx.accounts.credentials(login)
    if known is None:
        raise NotFoundError(f"没有账号“{login[:40]}”。单位账号是区划编码+预算编码+01（经办）或 02（负责人）")
    return known.account


if __name__ == "__main__":
    sys.exit(main())

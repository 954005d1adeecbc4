"""`python -m diagnostics COMMAND`; exit 0 well, 1 a failure found, 2 the doctor failed."""

import argparse
import getpass
import importlib.util
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from core.domain.errors import DomainError, ForbiddenError, InvalidError
from diagnostics import arguments as language
from diagnostics import catalogue, repair, report, run, table
from diagnostics.arguments import Parser, conditions, region
from diagnostics.catalogue import Catalogue, ProbeData, Rule
from diagnostics.desk import Desk
from diagnostics.probes import PROBES
from diagnostics.result import EXIT_DOCTOR, EXIT_WELL, WORDS, Report, Result, schema


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m diagnostics", description="查出签章、登录、证书问题的根本原因")
    commands = parser.add_subparsers(dest="command", required=True, metavar="命令", parser_class=Parser)
    check = commands.add_parser(
        "run", help="检查这台电脑", description="检查这台电脑，指出根本原因和处理办法"
    )
    mend = commands.add_parser("repair", help="检查并修复", description="检查，逐步确认后修复，再查一遍")
    hand = commands.add_parser("report", help="写出报告", description="检查并写出隐去个人信息的报告")
    for each in (check, mend, hand):
        language.add_conditions(each)
    for each in (check, mend):
        each.add_argument("--json", action="store_true", help="输出 JSON")
    mend.add_argument("--yes", action="store_true", help="全部确认，不再逐步询问")
    hand.add_argument("--html", type=Path, metavar="文件", help="可打印的一页")
    hand.add_argument("--file", type=Path, metavar="文件", help="可发送的一个文件（JSON）")
    listing = commands.add_parser("list", help="列出检查项", description="按因果顺序列出检查项")
    explain = commands.add_parser(
        "explain", help="说明一个检查项", description="说明一个检查项看什么、怎样判断"
    )
    explain.add_argument("probe", metavar="检查项")
    for each in (listing, explain):
        language.add_region(each)
    commands.add_parser("schema", help="打印 JSON 结果的格式", description="打印 run --json 的 JSON Schema")
    serve = commands.add_parser("agent", help="让网页检查这台电脑", description="本机诊断助手，只听本机地址")
    language.add_region(serve)
    serve.add_argument(
        "--origin",
        action="append",
        required=True,
        metavar="来源",
        help="可用它的网页，如 https://主机名，可重复",
    )
    serve.add_argument("--server", metavar="网址", help="报告传到哪里（https）")
    serve.add_argument("--port", type=int, default=0, metavar="端口", help="缺省 17365")
    serve.add_argument("--module", type=Path, metavar="文件", help="KEY的PKCS#11驱动库")
    serve.add_argument("--trust", type=Path, metavar="文件", help="发证机构证书（PEM）")
    serve.add_argument("--token", default="", metavar="标签", help="插着几把KEY时，签名用哪一把")
    serve.add_argument("--certificate", default="", metavar="证书", help="KEY里有几张证书时，签名用哪一张")
    pack = commands.add_parser("build", help="做成单个文件", description="做成可单独运行的一个文件")
    pack.add_argument("target", type=Path, metavar="文件", help="如 zhenduan.pyz")
    return parser


def _build(arguments: argparse.Namespace) -> int:
    if importlib.util.find_spec("diagnostics.build") is None:
        raise InvalidError("单个文件里没有这个功能，请在项目里运行 python -m diagnostics build")
    from diagnostics.build import build

    build(arguments.target)
    print(f"已写出 {arguments.target}，用法：python {arguments.target.name} run --region 区划")
    return EXIT_WELL


def _agent(arguments: argparse.Namespace) -> int:
    from diagnostics import agent

    named = region(arguments.region)
    catalogue.load(named)  # a mistake there is said now, not to the page

    def check(only: list[str] | None, facts: dict[str, object]) -> Report:
        return run(named, only=only, facts=facts, module=arguments.module, trust=arguments.trust)

    made = agent.Agent(check, arguments.origin, arguments.server, _desk_sign(arguments))
    try:
        server = agent.serve(made, arguments.port or agent.PORT)
    except OSError as error:
        raise InvalidError("端口已被占用：诊断助手可能已在运行，或用 --port 换一个") from error
    with server:
        print(f"诊断助手：http://{agent.HOST}:{server.server_port}", flush=True)
        print(f"配对码：{made.pairing.code}（5 分钟内有效，只能用一次）", flush=True)
        signal.signal(
            signal.SIGTERM, signal.default_int_handler
        )  # a service manager stops it as Ctrl + C does
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return EXIT_WELL


def _desk_sign(arguments: argparse.Namespace) -> Callable[[str, str], str] | None:
    """Asks whoever sits here; None where nobody could answer, or in the single file, which has no signing."""
    if not sys.stdin.isatty() or importlib.util.find_spec("core.adapters.challenge_signing") is None:
        return None

    def sign(challenge: str, origin: str) -> str:
        from core.adapters import challenge_signing

        def ask(said: str) -> str:
            pin = getpass.getpass(f"网页 {origin} 请您{said}。\n同意就输入锁的口令（PIN），不同意直接回车：")
            if not pin:
                raise ForbiddenError("在电脑上没有同意签名", code="declined")
            return pin

        return challenge_signing.prove(
            challenge, ask, module=arguments.module, token=arguments.token, wanted=arguments.certificate
        )

    return sign


def _run(arguments: argparse.Namespace) -> int:
    found = _check(arguments)
    print(_json(found.to_dict()) if arguments.json else table.render(found))
    return found.exit_code


def _check(arguments: argparse.Namespace) -> Report:
    watched = sys.stderr.isatty() and not getattr(arguments, "json", False)
    return run(region(arguments.region), **conditions(arguments), progress=_progress if watched else None)


def _progress(result: Result) -> None:
    print(f"  {WORDS[result.status]}  {result.title}", file=sys.stderr, flush=True)


def _repair(arguments: argparse.Namespace) -> int:
    named, given, desk = region(arguments.region), conditions(arguments), Desk()
    before = run(named, **given, desk=desk)
    steps = repair.plan(before)
    print(before.say() if steps else before.say() + "没有可以自动修复的。", file=sys.stderr)
    agreed = [step for step in steps if arguments.yes or _agreed(step)]
    again = partial(_again, named, given, desk)
    repaired = repair.carry_out(before, agreed, desk, again, _pause)
    if arguments.json:
        print(_json(_repaired(repaired)))
    elif agreed:
        print(repaired.say())
    return repaired.after.exit_code


def _again(named: str, given: dict[str, object], desk: Desk, names: Sequence[str]) -> Report:
    # The consent's PIN is used up and must not be asked for again.
    return run(named, **{**given, "only": names, "consent": None}, desk=desk)  # type: ignore[arg-type]


def _agreed(step: repair.Step) -> bool:
    print(f"{step.say}？[y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是")


def _pause(step: repair.Step) -> None:
    if sys.stdin.isatty():
        print(f"{step.say}。完成后按回车，再查一遍。", end="", file=sys.stderr, flush=True)
        sys.stdin.readline()


def _repaired(repaired: repair.Repaired) -> dict[str, object]:
    return {
        "worked": repaired.worked,
        "say": repaired.say(),
        "steps": [
            {"probe": item.step.probe, "say": item.step.say, "problem": item.problem}
            for item in repaired.done
        ],
        "before": repaired.before.to_dict(),
        "after": repaired.after.to_dict(),
    }


def _report(arguments: argparse.Namespace) -> int:
    if not arguments.html and not arguments.file:
        raise InvalidError("请用 --html 或 --file 指明报告写到哪里", fields={"html": "缺少"})
    found = _check(arguments)
    for path, write in ((arguments.html, report.to_html), (arguments.file, report.to_json)):
        if path:
            try:
                path.write_text(write(found), encoding="utf-8")
            except OSError as error:
                raise InvalidError(f"写不了文件 {path.name}，请换一个文件夹") from error
            print(f"已写出 {path}")
    print(found.say())
    return found.exit_code


def _list(arguments: argparse.Namespace) -> int:
    loaded = catalogue.load(region(arguments.region))
    rows = [("检查项", "名称", "前提", "时限")]
    rows += [
        (data.name, data.title, "、".join(data.gates) or "—", f"{data.limit_s:g} 秒")
        for data in loaded.probes.values()
    ]
    print("\n".join(table.columns(rows)))
    return EXIT_WELL


def _explain(arguments: argparse.Namespace) -> int:
    loaded = catalogue.load(region(arguments.region))
    data = loaded.probes.get(arguments.probe)
    if data is None:
        known = "、".join(loaded.probes)
        raise InvalidError(f"没有名为“{arguments.probe}”的检查项，可用：{known}", fields={"probe": "不存在"})
    print("\n".join(_explained(data, loaded)))
    return EXIT_WELL


def _explained(data: ProbeData, loaded: Catalogue) -> list[str]:
    lines = [f"{data.title}（{data.name}）", data.about]
    if data.gates:
        lines.append(f"前提：{'、'.join(loaded.probes[gate].title for gate in data.gates)}")
    lines += [f"可给出：{name} {spec.label}" for name, spec in PROBES[data.name].inputs.items()]
    lines.append("结论：")
    seen = {name: f"〔{spec.label}〕" for name, spec in PROBES[data.name].facts.items()}
    words = {**loaded.words, **seen}
    for rule in data.rules:
        lines += _rule_lines(rule, loaded.region.topics.get(rule.finding), words)
    return lines


def _rule_lines(rule: Rule, topic: str | None, words: Mapping[str, str]) -> list[str]:
    lines = [
        f"  {WORDS[rule.status]}  {rule.finding}" + (f"（{topic}）" if topic else ""),
        f"      {rule.say.format_map(words)}",
    ]
    if rule.remedy:
        lines.append(f"      处理办法：{rule.remedy.format_map(words)}")
    return lines


def _schema(_: argparse.Namespace) -> int:
    print(_json(schema()))
    return EXIT_WELL


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


COMMANDS = {
    "run": _run,
    "repair": _repair,
    "report": _report,
    "list": _list,
    "explain": _explain,
    "schema": _schema,
    "build": _build,
    "agent": _agent,
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; users see sentences, never a traceback."""
    arguments = _parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except DomainError as error:
        code, message = error.code, error.message
    except Exception as error:  # noqa: BLE001 – the doctor's own failure has an exit code of its own
        code, message = (
            "doctor_failed",
            f"诊断程序自身出错（{type(error).__name__}），请把所用命令告诉技术支持",
        )
    if getattr(arguments, "json", False):
        print(_json({"error": {"code": code, "message": message}}))
    print(message, file=sys.stderr)
    return EXIT_DOCTOR


if __name__ == "__main__":
    if importlib.util.find_spec("structlog"):
        import structlog

        # standard output is the answer, which others read on
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    raise SystemExit(main())

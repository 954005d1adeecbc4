"""`python -m diagnostics run|list|explain|schema`; exit 0 well, 1 a failure found, 2 the doctor failed."""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import NoReturn

from core.domain.errors import DomainError, InvalidError
from diagnostics import catalogue, inputs, run, table
from diagnostics.catalogue import Catalogue, ProbeData, Rule
from diagnostics.probes import PROBES
from diagnostics.result import EXIT_DOCTOR, EXIT_WELL, WORDS, Result, schema

REGION_VARIABLE = "CAIGOU_REGION"
FROM_STDIN = "-"
_COMPLAINTS = (
    (r"the following arguments are required: (.*)", r"缺少参数 \1"),
    (r"unrecognized arguments: (.*)", r"不认识的参数 \1"),
    (r"argument (.*): expected one argument", r"参数 \1 后面要有值"),
    (r"argument (.*): invalid choice: (\S+) .*", r"\1 不能是 \2"),
    (r"argument (.*): invalid .* value: (.*)", r"参数 \1 的值 \2 不对"),
    (r"ambiguous option: (\S+) .*", r"参数 \1 不完整"),
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        for pattern, sentence in _COMPLAINTS:
            if re.fullmatch(pattern, message, re.DOTALL):
                message = re.sub(pattern, sentence, message, flags=re.DOTALL)
                break
        self.exit(EXIT_DOCTOR, f"参数有误：{message}\n{self.prog} -h 可查看用法\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m diagnostics", description="查出签章、登录、证书问题的根本原因")
    commands = parser.add_subparsers(dest="command", required=True, metavar="命令", parser_class=_Parser)
    check = commands.add_parser(
        "run", help="检查这台电脑", description="检查这台电脑，指出根本原因和处理办法"
    )
    listing = commands.add_parser("list", help="列出检查项", description="按因果顺序列出检查项")
    explain = commands.add_parser(
        "explain", help="说明一个检查项", description="说明一个检查项看什么、怎样判断"
    )
    explain.add_argument("probe", metavar="检查项")
    commands.add_parser("schema", help="打印 JSON 结果的格式", description="打印 run --json 的 JSON Schema")
    for each in (check, listing, explain):
        each.add_argument("--region", metavar="区划", help=f"现有：{'、'.join(catalogue.regions())}")
    check.add_argument("--json", action="store_true", help="输出 JSON")
    check.add_argument(
        "--only", action="append", metavar="检查项", help="只查这一项及其前提，可重复，也可用逗号分开"
    )
    check.add_argument("--module", type=Path, metavar="文件", help="KEY的PKCS#11驱动库")
    check.add_argument("--offline", action="store_true", help="不连网络")
    check.add_argument("--token-expires", metavar="时间", help="登录凭证的到期时间（ISO 8601，带时区）")
    check.add_argument(
        "--token", metavar="凭证", help="登录凭证（JWT）；写 - 则从标准输入读取，不留在命令记录里"
    )
    known = "；".join(f"{name} {text}" for name, text in inputs().items())
    check.add_argument("--fact", action="append", default=[], metavar="名=值", help=f"已知的事实：{known}")
    return parser


def _facts(arguments: argparse.Namespace) -> dict[str, object]:
    facts: dict[str, object] = {}
    for pair in arguments.fact:
        name, sign, value = pair.partition("=")
        if not sign:
            raise InvalidError("--fact 要写成 名=值", fields={"fact": "名=值"})
        facts[name] = value
    if arguments.token_expires is not None:
        facts["token_expires_at"] = arguments.token_expires
    given = arguments.token
    if given is not None:
        facts["token"] = sys.stdin.readline().strip() if given == FROM_STDIN else given
    return facts


def _region(named: str | None) -> str:
    named = named or os.environ.get(REGION_VARIABLE)
    if named is None:
        known = catalogue.regions()
        raise InvalidError(f"请用 --region 指明区划：{'、'.join(known)}", fields={"region": "缺少"})
    return named


def _run(arguments: argparse.Namespace) -> int:
    only = None
    if arguments.only:
        only = [name.strip() for part in arguments.only for name in part.split(",") if name.strip()]
    watched = sys.stderr.isatty() and not arguments.json
    report = run(
        _region(arguments.region),
        only=only,
        facts=_facts(arguments),
        module=arguments.module,
        offline=arguments.offline,
        progress=_progress if watched else None,
    )
    print(
        json.dumps(report.to_dict(), ensure_ascii=False, indent=2) if arguments.json else table.render(report)
    )
    return report.exit_code


def _progress(result: Result) -> None:
    print(f"  {WORDS[result.status]}  {result.title}", file=sys.stderr, flush=True)


def _list(arguments: argparse.Namespace) -> int:
    loaded = catalogue.load(_region(arguments.region))
    rows = [("检查项", "名称", "前提", "时限")]
    rows += [
        (data.name, data.title, "、".join(data.gates) or "—", f"{data.limit_s:g} 秒")
        for data in loaded.probes.values()
    ]
    print("\n".join(table.columns(rows)))
    return EXIT_WELL


def _explain(arguments: argparse.Namespace) -> int:
    loaded = catalogue.load(_region(arguments.region))
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
    for rule in data.rules:
        lines += _rule_lines(rule, loaded)
    return lines


def _rule_lines(rule: Rule, loaded: Catalogue) -> list[str]:
    topic = loaded.region.topics.get(rule.finding)
    lines = [
        f"  {WORDS[rule.status]}  {rule.finding}" + (f"（{topic}）" if topic else ""),
        f"      {rule.say}",
    ]
    if rule.remedy:
        lines.append(f"      处理办法：{rule.remedy}")
    return lines


def _schema(_: argparse.Namespace) -> int:
    print(json.dumps(schema(), ensure_ascii=False, indent=2))
    return EXIT_WELL


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; users see sentences, never a traceback."""
    arguments = _parser().parse_args(argv)
    commands = {"run": _run, "list": _list, "explain": _explain, "schema": _schema}
    try:
        return commands[arguments.command](arguments)
    except DomainError as error:
        code, message = error.code, error.message
    except Exception as error:  # noqa: BLE001 – the doctor's own failure has an exit code of its own
        code, message = (
            "doctor_failed",
            f"诊断程序自身出错（{type(error).__name__}），请把所用命令告诉技术支持",
        )
    if getattr(arguments, "json", False):
        print(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False))
    print(message, file=sys.stderr)
    return EXIT_DOCTOR


if __name__ == "__main__":
    raise SystemExit(main())

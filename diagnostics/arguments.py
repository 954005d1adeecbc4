"""The command line's own language: its parser, and how arguments become the conditions of a run."""

import argparse
import getpass
import os
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

from core.domain.errors import InvalidError
from diagnostics import catalogue, inputs
from diagnostics.consent import Consent
from diagnostics.result import EXIT_DOCTOR

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


class Parser(argparse.ArgumentParser):
    """Complains in Chinese and with the exit code of a failed doctor."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and leave."""
        for pattern, sentence in _COMPLAINTS:
            if re.fullmatch(pattern, message, re.DOTALL):
                message = re.sub(pattern, sentence, message, flags=re.DOTALL)
                break
        self.exit(EXIT_DOCTOR, f"参数有误：{message}\n{self.prog} -h 可查看用法\n")


def add_region(parser: argparse.ArgumentParser) -> None:
    """`--region`."""
    known = "、".join(catalogue.regions())
    parser.add_argument("--region", metavar="区划", help=f"现有：{known}；也可用环境变量 {REGION_VARIABLE}")


def add_conditions(parser: argparse.ArgumentParser) -> None:
    """What a run may be told."""
    add_region(parser)
    parser.add_argument(
        "--only", action="append", metavar="检查项", help="只查这一项及其前提，可重复，也可用逗号分开"
    )
    parser.add_argument("--module", type=Path, metavar="文件", help="KEY的PKCS#11驱动库")
    parser.add_argument(
        "--trust", type=Path, metavar="文件", help="发证机构证书（PEM），用来核对签发链和吊销"
    )
    parser.add_argument("--offline", action="store_true", help="不连网络")
    parser.add_argument(
        "--sign-test",
        action="store_true",
        help="同意用KEY试签一页空白文件；口令从终端或标准输入读取，只用一次",
    )
    parser.add_argument("--seal", metavar="印章", help="试签用哪一枚（名称或证书序列号）")
    parser.add_argument("--token-expires", metavar="时间", help="登录凭证的到期时间（ISO 8601，带时区）")
    parser.add_argument(
        "--token", metavar="凭证", help="登录凭证（JWT）；写 - 则从标准输入读取，不留在命令记录里"
    )
    known = "；".join(f"{name} {text}" for name, text in inputs().items())
    parser.add_argument("--fact", action="append", default=[], metavar="名=值", help=f"已知的事实：{known}")


def region(named: str | None) -> str:
    """The region asked for; InvalidError where none is."""
    named = named or os.environ.get(REGION_VARIABLE)
    if named is None:
        known = "、".join(catalogue.regions())
        raise InvalidError(f"请用 --region 指明区划：{known}", fields={"region": "缺少"})
    return named


def conditions(arguments: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `diagnostics.run`, its region excepted. Reads the PIN if a test signature is wanted."""
    only = None
    if arguments.only:
        only = [name.strip() for part in arguments.only for name in part.split(",") if name.strip()]
    return {
        "only": only,
        "facts": _facts(arguments),
        "module": arguments.module,
        "trust": arguments.trust,
        "offline": arguments.offline,
        "consent": Consent(_pin(), arguments.seal) if arguments.sign_test else None,
    }


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


def _pin() -> str:
    pin = getpass.getpass("KEY口令（只用一次）：") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if not pin:
        raise InvalidError("没有输入KEY口令，没有试签", fields={"pin": "缺少"})
    return pin

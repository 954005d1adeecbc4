"""`python -m core check | show | diff | plan | audit | migrate | rights | coverage | export | sign-challenge`."""

import argparse
import sys

import structlog

from core import coverage, export_command, process_commands, record_commands
from core.adapters import (
    calendar_file,
    catalogue_file,
    challenge_signing,
    ocds_packages,
    processes,
    rights_file,
    warning_file,
)
from core.bootstrap import build_system
from core.domain import graph
from core.domain.accounts import ROLE_LABELS
from core.domain.errors import DomainError, NotFoundError
from core.domain.planner import NoWay
from core.domain.process import Process
from core.domain.rights import process_rights
from core.domain.ways import ways
from core.service import planning, situations
from core.service.standings import MODES


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 well, 1 something is wrong with what was asked for or found."""
    parser = argparse.ArgumentParser(prog="python -m core", description="流程数据、审计与数据库")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="检查全部流程数据，列出到每个目标的最短办法")
    check.add_argument("-q", "--quiet", action="store_true", help="不列最短办法")
    show = commands.add_parser("show", help="打印某区域某类单据的完整流程")
    show.add_argument("--region", required=True)
    show.add_argument("--kind", required=True)
    process_commands.add_diff_arguments(commands.add_parser("diff", help="两版流程数据差在哪里、哪些路变了"))
    plan = commands.add_parser("plan", help="某张单据到某个目标的最短办法")
    plan.add_argument("--document", required=True)
    plan.add_argument("--goal", required=True)
    audit = commands.add_parser("audit", help="核对审计链和账目；签检查点、对照检查点核对")
    record_commands.add_audit_arguments(audit)
    budget = commands.add_parser("import-budget", help="从表格导入预算指标；同一份再导一次什么也不变")
    record_commands.add_budget_arguments(budget)
    moved = commands.add_parser("migrate", help="升级数据库结构；把未办结单据搬到新版流程")
    process_commands.add_migrate_arguments(moved)
    covered = commands.add_parser("coverage", help="每个主题由哪些测试证明；缺的会失败")
    covered.add_argument(
        "--walks", action="store_true", help="再把全部演练走一遍，列出没有走到的环节、操作和条件；有就失败"
    )
    export_command.add_arguments(commands.add_parser("export", help="项目的公开数据（OCDS）"))
    commands.add_parser("rights", help="打印权限表")
    challenge_signing.add_arguments(commands.add_parser("sign-challenge", help="用锁里的证书签一段验证文字"))
    given = parser.parse_args(arguments)
    try:
        return int(_COMMANDS[given.command](given))
    except DomainError as error:
        print(error.message, file=sys.stderr)
        return 1


def _shortest(process: Process) -> list[str]:
    """To each goal from the start, or back to it from where the main way ends."""
    found, end = ways(process), graph.main_line(process)[-1]
    lines = []
    for goal, nodes in process.goals.items():
        source = end if process.start in nodes else process.start
        way = process_commands.way_said(found[source, goal])
        label = planning.GOAL_LABELS.get(goal, goal)
        lines.append(f"    从“{process.node(source).label}”到{label}（{goal}）：{way}")
    return lines


def _check(given: argparse.Namespace) -> int:
    book = processes.load()
    catalogue = catalogue_file.load()
    rights_file.load()
    calendar_file.load()
    warning_file.read_rules()
    ocds_packages.read_rules()
    for process in book.processes.values():
        line = " → ".join(process.node(node).label for node in graph.main_line(process))
        print(f"{process.region}/{process.kind}/{process.variant} {process.version}\n  {line}")
        if not given.quiet:
            print("\n".join(_shortest(process)))
    print(f"流程数据没有错误：{len(book.processes)} 个流程，{len(catalogue.items)} 个品目")
    return 0


def _show(given: argparse.Namespace) -> int:
    found = processes.load()
    variants = found.variants(given.region, given.kind)
    if not variants:
        known = "、".join(sorted({f"{r}/{k}" for r, k, _ in found.processes}))
        raise NotFoundError(f"没有 {given.region}/{given.kind}；现有：{known}")
    for process in variants:
        _print_process(process)
    return 0


def _print_process(process: Process) -> None:
    print(f"== {process.label} · {process.variant_label}（{process.region}，版本 {process.version}）")
    for node in process.nodes.values():
        who = "、".join(map(str, node.actors)) or "—"
        together = f" {MODES[node.approval.mode]}" if node.approval else ""
        print(f"  [{node.id}] {node.label}（{node.lane}）资金 {node.funds.value} 办理人 {who}{together}")
        for action in process.actions_from[node.id]:
            by = "、".join(map(str, action.by))
            target = "、".join(action.targets) if action.chosen else action.routes[node.id]
            needs = f" 条件 {'、'.join(guard.value for guard in action.guards)}" if action.guards else ""
            print(f"      {action.label}（{action.id}）→ {target}{f' 由 {by}' if by else ''}{needs}")


def _plan(given: argparse.Namespace) -> int:
    system = build_system()
    with system.database.read() as tx:
        document = situations.find(tx, None, given.document)
        owner = tx.accounts.account(document.author_id)
    found = planning.plan_to(system, owner, document.number, given.goal)
    if isinstance(found, NoWay):
        print("走不到：" + "；".join(found.reasons))
        if found.instead:
            print(f"可以改为：{planning.GOAL_LABELS.get(found.instead, found.instead)}（{found.instead}）")
        return 1
    if not found.steps:
        print("已经是这个状态，不需要再办")
    for index, step in enumerate(found.steps, 1):
        form = "、".join(field.label for field in step.form if field.required)
        print(f"{index}. {step.number} {step.label}：{step.source_label} → {step.target_label}　办理人：{step.who}"
              f"{f'　要填：{form}' if form else ''}　菜单：{step.menu}")  # fmt: skip
    return 0


def _rights(_given: argparse.Namespace) -> int:
    print("能力\t角色")
    for capability, row in rights_file.load().rows.items():
        roles = "、".join(label for role, label in ROLE_LABELS.items() if role in row.roles)
        print(f"{row.label}（{capability.value}）\t{roles}")
    print("\n由流程数据得出：区域/单据/类别\t环节\t操作\t角色@关系")
    book = processes.load()
    for cell in process_rights(book.processes.values()):
        where = f"{cell.region}/{cell.kind}/{cell.variant}"
        print(f"{where}\t{cell.node}\t{cell.action}\t{cell.role.value}@{cell.of.value}")
    return 0


def _coverage(given: argparse.Namespace) -> int:
    rows = coverage.rows()
    for row in rows:
        print(f"{row.id}\t{row.title}\t{'、'.join(row.needs)}\t{'、'.join(row.proofs) or '没有测试'}")
    missing = [row.id for row in rows if row.missing]
    wanted = sum(bool(coverage.WANTED & set(row.needs)) for row in rows)
    print(f"要求流程核心的主题 {wanted} 个，没有测试证明的 {len(missing)} 个：{'、'.join(missing) or '无'}")
    said, left = coverage.walked(coverage.visits()) if given.walks else ([], 0)
    print("\n".join(said), end="\n" if said else "")
    return 1 if missing or left else 0


def _sign_challenge(given: argparse.Namespace) -> int:
    print(challenge_signing.run(given))
    return 0


def _export(given: argparse.Namespace) -> int:
    print(export_command.run(given))
    return 0


_COMMANDS = {
    "check": _check,
    "show": _show,
    "diff": process_commands.run_diff,
    "plan": _plan,
    "audit": record_commands.run_audit,
    "import-budget": record_commands.run_import_budget,
    "migrate": process_commands.run_migrate,
    "rights": _rights,
    "coverage": _coverage,
    "export": _export,
    "sign-challenge": _sign_challenge,
}

if __name__ == "__main__":
    # standard output is the answer, which others read on
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.exit(main())

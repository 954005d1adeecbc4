"""Whether the local seal component is installed, runs, serves and starts with the machine."""

from collections.abc import Sequence

from diagnostics.probe import Context, FactSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row; `installed` is None where there is nothing to look at (no such component, not Windows)."""
    client, roaming = context.region.seal_client, context.desk.roaming
    if client is None or roaming is None:
        return [dict.fromkeys(PROBE.facts) | {"told": client is not None}]
    component = context.desk.component(client.program)
    folder = roaming.joinpath(*client.folder.split("/"))
    return [
        {
            "told": True,
            "program": client.program,
            "folder": client.folder.replace("/", "\\"),
            "installed": (folder / client.program).is_file(),
            "running": component.running,
            "listens": component.listens,
            "at_boot": context.desk.starts_at_boot(client.program),
        }
    ]


PROBE = Probe(
    "kg_local",
    {
        "told": FactSpec("区划资料给出组件", bool),
        "program": FactSpec("组件程序", str),
        "folder": FactSpec("所在文件夹（%appdata% 下）", str),
        "installed": FactSpec("已安装", bool),
        "running": FactSpec("正在运行", bool),
        "listens": FactSpec("服务已开启", bool),
        "at_boot": FactSpec("开机启动", bool),
    },
    gather,
    needs=("psutil",),
)

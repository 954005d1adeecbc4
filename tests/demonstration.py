"""`make demo REGION=fujian`: a region's walks through the API of a served world, and pictures of its pages for desk and phone."""

import argparse
import html
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from core import demo, walks, worlds
from core.service import notices
from core.service.system import System
from core.settings import Settings
from core.walks import Player, Walk
from tests.support.api_way import ApiWay
from tests.support.chromium import ARGS
from tests.support.servers import free_port, stop

_SIZES = {"desk": (1280, 800), "phone": (390, 844)}
_START_SECONDS = 180


def main() -> int:
    """Serve, look, and write `index.html` beside the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--region", required=True, choices=sorted(worlds.places()))
    parser.add_argument("--chromium", default="chromium", help="浏览器程序")
    parser.add_argument("--out", type=Path, default=Path("var/demo"))
    given = parser.parse_args()
    folder = (given.out / given.region).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    told = {name: walk for name, walk in walks.load().items() if walk.region == given.region}
    with served(folder, given.region) as (address, system), sync_playwright() as playwright:
        take(system, address, {name: walk for name, walk in told.items() if walk.demo})
        browser = playwright.chromium.launch(executable_path=_program(given.chromium), args=ARGS)
        pictures = list(look(browser, address, given.region, folder))
        browser.close()
    (folder / "index.html").write_text(_index(given.region, told, pictures), "utf-8")
    print(f"{len(pictures)} 张图片，打开 {folder / 'index.html'}")
    return 0


def _program(name: str) -> str:
    found = subprocess.run(["which", name], capture_output=True, text=True, check=False).stdout.strip()
    if not found:
        sys.exit(f"没有找到浏览器 {name}，请先安装 chromium，或用 ARGS='--chromium 路径' 指定")
    return found


@contextmanager
def served(folder: Path, region: str) -> Iterator[tuple[str, System]]:
    """The product on a free port, with a fresh world of its own."""
    port = free_port()
    var = folder / "world"
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir()
    settings = Settings(var=var, database_url=f"sqlite:///{var / 'caigou.db'}")
    system = demo.start(settings, [region], walked=False)
    os.environ["CAIGOU_VAR"] = str(var)  # where the accounts' keys are, for the server and for us
    environment = {**os.environ, "CAIGOU_DATABASE_URL": settings.database_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "web", "serve", "--alone", "--port", str(port)], env=environment
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, address)
        yield address, system
    finally:
        stop(process)


def _wait(process: "subprocess.Popen[bytes]", address: str) -> None:
    for _ in range(_START_SECONDS * 4):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2).read()  # noqa: S310 - our own address
        except OSError:
            if process.poll() is not None:
                sys.exit("服务没有启动，原因见上面的输出")
            time.sleep(0.25)
        else:
            return
    sys.exit(f"服务 {_START_SECONDS} 秒还没有启动")


class _Patient(httpx.HTTPTransport):
    """Waits where the server says that it was asked too often: one machine here is everybody."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, asked again after a refusal for haste."""
        response = super().handle_request(request)
        while response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            time.sleep(float(response.headers.get("Retry-After", "60")))
            response = super().handle_request(request)
        return response


def take(system: System, address: str, told: Mapping[str, Walk]) -> None:
    """The walks that the demonstration world shows, step by step through the API, each step by the right account."""
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60, transport=_Patient()) as client:
        ways = {walk.region: ApiWay(client, worlds.places()[walk.region]) for walk in told.values()}
        for name, walk in told.items():
            Player(system, walk, name, ways[walk.region]).play()
            print(f"{walk.label}：{len(walk.steps)} 步，都经过接口")
    for place in {worlds.places()[walk.region] for walk in told.values()}:
        with system.database.read() as tx:
            crew = worlds.crew(tx, place)
        for account in crew.values():  # as in `make serve`: the past is no news
            notices.mark_seen(system, account, [one.id for one in notices.unseen(system, account)])


def look(browser: Browser, address: str, region: str, folder: Path) -> Iterator[tuple[str, str]]:
    """(title, file) of each picture: what a clerk of the region sees, at both sizes."""
    division = worlds.places()[region].division
    for size, (width, height) in _SIZES.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        page = context.new_page()
        page.goto(f"{address}/signin")
        page.fill("input[name=login]", f"{division}10100101")
        page.fill("input[name=password]", worlds.PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: not url.endswith("/signin"))
        for name, path in _paths(page, address, region).items():
            page.goto(address + path)
            file = f"{size}-{name}.png"
            page.screenshot(path=folder / file, full_page=True)
            yield f"{page.title()}（{path}）", file
        context.close()


def _paths(page: Page, address: str, region: str) -> dict[str, str]:
    """Pages that every region has, and one document of each kind."""
    page.goto(f"{address}/documents")
    links = page.eval_on_selector_all(
        "a[href^='/documents/']", "all => all.map(one => one.getAttribute('href'))"
    )
    documents: dict[str, str] = {}
    for link in links:
        number = link.split("/")[2].split("?")[0]
        if "-" in number:
            documents.setdefault(number.split("-")[0], f"/documents/{number}")
    return {
        "chat": "/", "todo": "/todo", "documents": "/documents", **documents,
        "overview": "/overview", "kind": f"/overview/{region}/plan", "compare": "/compare?kind=plan",
        "portal": f"/portal/{region}", **_project(page, address, region),
    }  # fmt: skip


def _project(page: Page, address: str, region: str) -> dict[str, str]:
    """The public course of the project that published last."""
    page.goto(f"{address}/portal/{region}")
    notices = page.eval_on_selector_all(
        "a[href^='/portal/notices/']", "all => all.map(one => one.getAttribute('href'))"
    )
    for notice in notices:
        page.goto(address + notice)
        if page.locator("a[href^='/portal/projects/']").count():
            link = page.locator("a[href^='/portal/projects/']").first.get_attribute("href") or ""
            return {"notice": notice, "project": link}
    return {}


def _index(region: str, walked: Mapping[str, Walk], pictures: list[tuple[str, str]]) -> str:
    done = "".join(
        f"<li>{html.escape(walk.label)}，{len(walk.steps)} 步{'（经过接口，图里能看到）' if walk.demo else ''}</li>"
        for walk in walked.values()
    )
    shown = "".join(
        f"<figure><figcaption>{html.escape(title)}</figcaption><img src='{file}' loading='lazy' "
        f"alt='{html.escape(title)}' style='max-width:100%;border:1px solid #ccc'></figure>"
        for title, file in pictures
    )
    head = f"<!doctype html><html lang='zh-CN'><meta charset='utf-8'><title>{region}</title>"
    return f"{head}<h1>{region}</h1><h2>走过的流程</h2><ul>{done}</ul><h2>页面</h2>{shown}"


if __name__ == "__main__":
    sys.exit(main())

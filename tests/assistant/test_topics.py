"""Each topic of 内蒙古 is answered: for a clerk with documents, and for somebody unknown."""

from typing import Any

import pytest

from assistant.answering import judge
from assistant.cards import EntryCard
from assistant.knowledge import Knowledge
from assistant.plain import render, render_replies
from assistant.topics import topics
from core.service.planning import GOAL_LABELS
from tests.assistant.world import World

REGION = "neimenggu"

# topic, a question in our own words, what the answer has to say
ENTRIES = [
    ("nm-contact", "平台技术支持的电话号码是几号", "400-0471-010"),
    ("nm-1", "政府采购云平台从哪个网址登录", "ccgp-neimenggu.gov.cn"),
    ("nm-6", "CA锁要怎么和账号绑定起来", "绑定"),
    ("nm-7", "CA锁绑到别人的账号上了，怎么解绑", "解绑"),
    ("nm-10", "打开备案书提示平台编码不存在", "rsync"),
    ("nm-11", "点盖章没有反应，金格组件没启动", "KGClientTools"),
    ("nm-11-1", "弹出请插入CA并启动金格组件服务", "金格"),
    ("nm-12", "导入采购清单提示格式错误", "品目"),
    ("nm-13", "保存的时候提示未传入access_token", "重新登录"),
    ("nm-14", "合同办结了想作废要怎么操作", "02"),
    ("nm-14-1", "一个计划分了几个包，合同备案选不到计划", "只显示未备案合同"),
    ("nm-16", "保存计划的时候报系统内部错误", "300"),
    ("nm-17", "采购需求表填完了，想退到建标分包改标段", "建标分包"),
    ("nm-18", "技术参数里面的图片怎么插进去", "复制"),
    ("nm-19", "卖场合同备案的时候选不到合同", "供应商"),
    ("nm-20", "卖场合同备案提示请填写财政部统计项", "统计项"),
    ("nm-21", "采购意向公开具体怎么做", "发布"),
    ("nm-22", "内网计划怎么退回到一体化系统", "一体化"),
    ("nm-23", "录卖场计划实施形式选网上竞价还是电商直购", "网上竞价"),
    ("nm-25", "新增卖场计划的时候关联不上内网计划的品目", "品目"),
    ("nm-26", "中标以后纸质合同签完了下一步做什么", "归档"),
    ("nm-27", "谷歌浏览器签章提示未检测到证书", "浏览器"),
    ("nm-28", "内网计划审核完了平台里看不到", "一体化"),
]  # fmt: skip
# topic, question, what is said to a clerk whose own documents are looked at
LIVE = [
    ("nm-2", "激光打印机的计划录错了", "要我现在替您办“撤销”"),
    ("nm-3", "提示计划已下达，无法作废", "多功能一体机"),
    ("nm-3-1", "交易执行里的项目怎么退回监管再作废", "学校食堂设备"),
    ("nm-4", "计划不要了怎么作废", "服务器"),
    ("nm-4-1", "电子卖场的计划怎么作废", "多功能一体机"),
    ("nm-5", "我们单位的登录账号是多少", "15029910100101（李明）"),
    ("nm-8", "流程走到哪里了怎么看", "空调机"),
    ("nm-9", "备案书上的章盖错了", "文件柜"),
    ("nm-15", "计划的结余指标怎么结项退回", "台式计算机"),
    ("nm-24", "购物车结算的时候关联不了计划品目", "请选商品来源"),
]


def marked(rows: list[tuple[str, str, str]]) -> list[Any]:
    return [pytest.param(*row, id=row[0], marks=pytest.mark.covers(row[0])) for row in rows]


@pytest.mark.parametrize(("topic", "question", "said"), marked(ENTRIES))
def test_a_clerk_is_answered_from_the_entry(world: World, topic: str, question: str, said: str) -> None:
    answer = world.say("handler", question)
    cards = [reply.card for reply in answer.replies if isinstance(reply.card, EntryCard)]
    assert [card.topic for card in cards] == [topic], render(answer)
    assert said in render(answer)


@pytest.mark.parametrize(("topic", "question", "said"), marked(LIVE))
def test_a_clerk_is_answered_for_the_own_documents(
    world: World, topic: str, question: str, said: str
) -> None:
    assert said in render(world.say("handler", question)), topic


@pytest.mark.parametrize(("topic", "question"), [(row[0], row[1]) for row in LIVE])
def test_without_an_account_the_entry_is_told(knowledge: Knowledge, topic: str, question: str) -> None:
    judged = judge(knowledge, REGION, question)
    assert judged.kind == "answer"
    assert judged.to_json()["sources"] == [topic]
    entry = knowledge.entry(REGION, topic)
    text = render_replies(judged.replies)
    assert entry.short in text
    assert all(step in text for case in entry.cases for step in case.steps)


def test_every_topic_has_a_row(knowledge: Knowledge) -> None:
    known = {entry.id for entry in knowledge.library.of_region(REGION)}
    assert {row[0] for row in (*ENTRIES, *LIVE)} == known


def test_topics_that_are_named_exist_and_lead_to_known_goals(knowledge: Knowledge) -> None:
    ids = {entry.id for entry in knowledge.library.entries.values()}
    for name, topic in topics().items():
        assert name in ids
        assert not topic.leads or topic.leads in GOAL_LABELS


PASTED = [
    (
        (
            "2026-11-20 09:13:22.481 ERROR [http-nio-8080-exec-7] c.g.p.GlobalExceptionHandler - 请求失败 code=500 "
            "msg=系统内部错误 traceId=9f2c77ab10\n at com.gov.purchase.plan.save(Plan.java:218)"
        ),
        "nm-16",
    ),
    ("【提示】平台编码不存在！[确定] http://10.1.2.3:8080/rsync?id=2038&t=1760000000000", "nm-10"),
    ("弹窗：请插入CA并启动金格组件服务 （错误码 -1）", "nm-11-1"),
    ('HTTP 200 {"code":10021,"message":"请填写财政部统计项","data":null,"timestamp":1763601202000}', "nm-20"),
    ("{'status':401,'error':'未传入access_token','path':'/plan/save','amount':36800.00}", "nm-13"),
]


@pytest.mark.parametrize(("text", "topic"), PASTED)
def test_the_message_is_found_in_what_was_pasted(knowledge: Knowledge, text: str, topic: str) -> None:
    assert judge(knowledge, REGION, text).to_json()["sources"] == [topic]


@pytest.mark.parametrize(
    "text",
    [
        "计划" * 5000,
        "录错了怎么办？" * 1500,
        "a" * 10_000,
        "，" * 10_000,
        "9" * 10_000,
        "3," * 5000,
        "\0" * 10_000,
    ],
)
def test_ten_thousand_characters_of_anything_are_answered_calmly(knowledge: Knowledge, text: str) -> None:
    judged = judge(knowledge, REGION, text)
    assert judged.kind in {"unknown", "clarify", "smalltalk"}
    assert render_replies(judged.replies).strip()

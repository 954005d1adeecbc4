"""Made-up entries for tests of the loader and the tools."""


def entry_data(topic: str, word: str, **changes: object) -> dict[str, object]:
    """A faultless made-up entry about `word`."""
    asks = ["怎么", "在哪里", "谁来", "多久", "为什么不能", "帮我", "可以", "什么时候", "如何", "要不要"]
    return {
        "id": topic,
        "region": "here",
        "title": f"{word}怎么办",
        "short": f"打开{word}页面。按提示做。",
        "cases": [{"when": f"需要{word}", "state": ["entry"], "steps": [f"打开{word}", "保存"]}],
        "links": [],
        "sources": [topic],
        "since": "2026-01-01",
        "keywords": [word],
        "phrasings": {
            "short": [f"{ask}{word}" for ask in asks],
            "story": [f"昨天领导让我处理，{ask}{word}呢" for ask in asks],
        },
    } | changes

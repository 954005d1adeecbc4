"""Latency and recall of the retriever beside bm25s + jieba and rapidfuzz, on the same entries and questions.

Each peer indexes the same phrasings and titles and answers with the topic of its best row. All are asked the same
questions in turn, so that a busy machine slows every one of them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

QUESTIONS = Path(__file__).parents[1] / "kb" / "data" / "dev.jsonl"
REGION = "neimenggu"
ROUNDS = 5
P99_GOAL_MS = 10.0
START_GOAL_S = 2.0

Ask = Callable[[str], str]


def main() -> None:
    """Print the table and whether the goals are met."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    from kb import open_library, open_retriever

    library = open_library()
    rows = [
        (entry.id, text)
        for entry in library.of_region(REGION)
        for text in (entry.title, *(phrase for _, _, phrase in entry.phrasings.items()))
    ]
    with tempfile.TemporaryDirectory() as folder:
        retriever = open_retriever(REGION, library, cache_dir=Path(folder))  # trains
        start = _second_start(folder)
        peers: dict[str, Ask] = {
            "本项目": lambda question: retriever.find(question).candidates[0].topic,
            "bm25s + jieba": _bm25s(rows, library.lexicon),
            "rapidfuzz": _rapidfuzz(rows),
            "只用 jieba 切词": _jieba(library.lexicon),
        }
        questions = _questions()
        times = _time(peers, [question for question, _ in questions])
    _print(peers, questions, times, len(rows), start)


def _second_start(folder: str) -> float:
    """Seconds of a new process from its first line to its first answer, with the trained index on disk."""
    code = (
        "import time; began = time.perf_counter(); from pathlib import Path; from kb import open_retriever; "
        f"open_retriever({REGION!r}, cache_dir=Path({folder!r})).find('计划录错了'); "
        "print(time.perf_counter() - began)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _questions() -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    return [(line["q"], line["expect"][0]) for line in lines if line["region"] == REGION and line["expect"]]


def _time(peers: dict[str, Ask], questions: Sequence[str]) -> dict[str, np.ndarray]:
    """Milliseconds of each question and round; the first round warms up and is not counted."""
    times: dict[str, list[float]] = {name: [] for name in peers}
    for turn in range(ROUNDS + 1):
        for question in questions:
            for name, ask in peers.items():
                started = time.perf_counter()
                ask(question)
                if turn:
                    times[name].append((time.perf_counter() - started) * 1000)
    return {name: np.array(values) for name, values in times.items()}


def _bm25s(rows: Sequence[tuple[str, str]], lexicon: Sequence[str]) -> Ask:
    import bm25s

    cut = _tokenizer(lexicon)
    index = bm25s.BM25()
    index.index([cut(text) for _, text in rows], show_progress=False)
    known = set(index.vocab_dict)

    def ask(question: str) -> str:
        words = [word for word in cut(question) if word in known]
        if not words:
            return rows[0][0]
        found, _ = index.retrieve([words], k=1, show_progress=False)
        return rows[int(found[0, 0])][0]

    return ask


def _rapidfuzz(rows: Sequence[tuple[str, str]]) -> Ask:
    from rapidfuzz import fuzz, process, utils

    texts = [utils.default_process(text) for _, text in rows]

    def ask(question: str) -> str:
        best = process.extractOne(utils.default_process(question), texts, scorer=fuzz.token_set_ratio)
        return rows[best[2]][0] if best else ""

    return ask


def _jieba(lexicon: Sequence[str]) -> Ask:
    cut = _tokenizer(lexicon)
    return lambda question: "".join(cut(question))


def _tokenizer(lexicon: Sequence[str]) -> Callable[[str], list[str]]:
    import jieba

    jieba.setLogLevel(60)
    tokenizer = jieba.Tokenizer()
    for word in lexicon:
        tokenizer.add_word(word)
    return lambda text: list(tokenizer.cut(text))


def _print(
    peers: dict[str, Ask],
    questions: Sequence[tuple[str, str]],
    times: dict[str, np.ndarray],
    rows: int,
    start: float,
) -> None:
    print(f"{REGION}：{rows} 行，{len(questions)} 问 × {ROUNDS} 轮")
    print(f"{'':<18}{'召回@1':>8}{'p50 ms':>10}{'p99 ms':>10}")
    for name, ask in peers.items():
        right = sum(ask(question) == expected for question, expected in questions) / len(questions)
        recall = f"{right:.3f}" if name != "只用 jieba 切词" else "-"
        p50, p99 = np.percentile(times[name], [50, 99])
        print(f"{name:<18}{recall:>8}{p50:>10.3f}{p99:>10.3f}")
    own, peer = times["本项目"], times["bm25s + jieba"]
    ratio = float(np.median(own) / np.median(peer))
    slowest = float(np.percentile(own, 99))
    print(f"目标 不慢于 bm25s + jieba：{ratio:.2f} 倍，{'达到' if ratio <= 1 else '未达到'}")
    print(
        f"目标 启动到首答 < {START_GOAL_S:.0f} s：{start:.2f} s，{'达到' if start < START_GOAL_S else '未达到'}"
    )
    print(
        f"目标 p99 < {P99_GOAL_MS:.0f} ms：{slowest:.2f} ms，{'达到' if slowest < P99_GOAL_MS else '未达到'}"
    )


if __name__ == "__main__":
    main()

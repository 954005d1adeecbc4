"""The peers of the retriever's benchmarks: each indexes (topic, text) rows and answers with its best row's topic.

All that cut words use jieba with the project's own lexicon, which helps them; their indexes know the region too.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

Ask = Callable[[str], str]
Rows = Sequence[tuple[str, str]]
Cut = Callable[[str], list[str]]


def milliseconds(ask: Ask, text: str) -> tuple[float, float]:
    """How long an answer takes: by the clock, and of the processor."""
    asked, used = time.perf_counter(), time.process_time()
    ask(text)
    return (time.perf_counter() - asked) * 1000, (time.process_time() - used) * 1000


def tokenizer(lexicon: Sequence[str]) -> Cut:
    """Cuts as jieba does by default, blanks left out."""
    import jieba

    jieba.setLogLevel(60)
    cutter = jieba.Tokenizer()
    for word in lexicon:
        cutter.add_word(word)
    return lambda text: [word for word in cutter.cut(text) if not word.isspace()]


def cutting(cut: Cut) -> Ask:
    """Only the cutting, as the floor of all that cut words."""
    return lambda question: "".join(cut(question))


def bm25s(rows: Rows, cut: Cut) -> Ask:
    """bm25s with its defaults."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    import bm25s as library

    index = library.BM25()
    index.index([cut(text) for _, text in rows], show_progress=False)
    known = set(index.vocab_dict)

    def ask(question: str) -> str:
        words = [word for word in cut(question) if word in known]
        if not words:
            return rows[0][0]
        found, _ = index.retrieve([words], k=1, show_progress=False)
        return rows[int(found[0, 0])][0]

    return ask


def tantivy(rows: Rows, cut: Cut) -> Ask:
    """tantivy in memory; any of the words, BM25."""
    import tantivy as library

    builder = library.SchemaBuilder()
    builder.add_text_field("topic", stored=True, tokenizer_name="raw")
    builder.add_text_field("text", tokenizer_name="whitespace")
    schema = builder.build()
    index = library.Index(schema)
    writer = index.writer(heap_size=100_000_000, num_threads=1)
    for topic, text in rows:
        writer.add_document(library.Document(topic=topic, text=" ".join(cut(text))))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(question: str) -> str:
        words = [
            (library.Occur.Should, library.Query.term_query(schema, "text", word))
            for word in dict.fromkeys(cut(question))
        ]
        hits = searcher.search(library.Query.boolean_query(words), limit=1).hits if words else []
        return str(searcher.doc(hits[0][1])["topic"][0]) if hits else rows[0][0]

    return ask


def haystack(rows: Rows, cut: Cut) -> Ask:
    """Haystack's in-memory BM25 on the words joined by blanks."""
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    os.environ.setdefault("HOME", tempfile.gettempdir())
    from haystack import Document
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store: Any = InMemoryDocumentStore()
    store.write_documents(
        [
            Document(id=str(number), content=" ".join(cut(text)), meta={"topic": topic})
            for number, (topic, text) in enumerate(rows)
        ]
    )
    retriever = InMemoryBM25Retriever(store, top_k=1)

    def ask(question: str) -> str:
        found = retriever.run(query=" ".join(cut(question)))["documents"]
        return str(found[0].meta["topic"]) if found else rows[0][0]

    return ask


def rapidfuzz(rows: Rows) -> Ask:
    """rapidfuzz's token_set_ratio over all rows."""
    from rapidfuzz import fuzz, process, utils

    texts = [utils.default_process(text) for _, text in rows]

    def ask(question: str) -> str:
        best = process.extractOne(utils.default_process(question), texts, scorer=fuzz.token_set_ratio)
        return rows[best[2]][0] if best else ""

    return ask

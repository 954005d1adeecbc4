"""What each part of the retriever adds: python -m tests.bench.kb_parts

The same trained indexes are asked with parts left out; the table goes into docs/evaluation.md. The weights stay as
fitted, for a part left out is to be missed, not replaced.
"""

from pathlib import Path

from kb import Retriever, open_library, open_retriever
from kb.evaluation import Question, evaluate, read_questions, with_homophones
from kb.parameters import Parameters, Weights, load_parameters
from kb.scoring import Scorer

DATA = Path(__file__).parents[1] / "kb" / "data"


def main() -> None:
    """Print a line for each variant."""
    library = open_library()
    fitted = load_parameters(library.content)
    whole = {region: open_retriever(region, library) for region in library.regions}
    sets = {name: read_questions(DATA / f"{name}.jsonl") for name in ("dev", "blind")}
    print("| 用到的部分 | " + " | ".join(f"{name} @1 | @3 | 同音 @1" for name in sets) + " |")
    print("|---|" + "---|" * 3 * len(sets))
    for name, parameters in _variants(fitted).items():
        retrievers = {
            region: Retriever(region, library, _with(one, parameters)) for region, one in whole.items()
        }
        print(f"| {name} | " + " | ".join(_figures(one, retrievers) for one in sets.values()) + " |")


def _variants(fitted: Parameters) -> dict[str, Parameters]:
    both, written = fitted.both, fitted.written
    nothing = Weights(classifier=0, nearest=0, negative=0)
    words = both.model_copy(update={"sound": 0.0, "sound_nearest": 0.0})

    def only(weights: Weights) -> Parameters:
        return fitted.model_copy(update={"written": weights, "both": weights, "sure": 0.0})

    def always(weights: Weights) -> Parameters:
        return fitted.model_copy(update={"both": weights, "sure": 1.0, "window": 0.0})

    return {
        "最像的问法（字）": only(nothing.model_copy(update={"nearest": 1.0})),
        "分类器（字）": only(nothing.model_copy(update={"classifier": 1.0})),
        "分类器与最像的问法（字）": only(written),
        "再加词": always(words),
        "再加读音": always(both),
        "把握不够时才看词和读音": fitted.model_copy(update={"window": 0.0}),
        "看不出主题时逐段再看（全部）": fitted,
    }


def _with(retriever: Retriever, parameters: Parameters) -> Scorer:
    known = retriever._scorer
    return Scorer(known.index, known._analyzer, parameters)


def _figures(questions: list[Question], retrievers: dict[str, Retriever]) -> str:
    line = evaluate(questions, retrievers).lines[0]
    garbled = with_homophones(questions, retrievers)[1]
    return f"{line.recall_at_1:.3f} | {line.recall_at_3:.3f} | {garbled.recall_at_1:.3f}"


if __name__ == "__main__":
    main()

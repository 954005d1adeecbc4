"""`python -m tests.diagnostics.simulate [FILE]`: 200 faulty and 200 healthy desks through the real runner.

Prints the table, or puts it into FILE between its two marks. Equal seeds give equal tables.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psutil

from tests.diagnostics.authority import DAY
from tests.diagnostics.simulated import MINUTE, NAMES, State, WindowsService, World, check, rng, world

FAULTY, HEALTHY, MOST_AT_ONCE = 200, 200, 3
GOAL = 0.95
BEGIN, END = "<!-- simulation: begin -->", "<!-- simulation: end -->"
Change = Callable[[State, random.Random], None]


def put(**values: object) -> Change:
    def change(state: State, _: random.Random) -> None:
        for name, value in values.items():
            assert hasattr(state, name)
            setattr(state, name, value)

    return change


def _service(status: str | None) -> Change:
    def change(state: State, draw: random.Random) -> None:
        name = draw.choice(NAMES)
        if status is None:
            del state.services[name]
        else:
            state.services[name] = WindowsService(status, "manual")

    return change


def _clock(sign: int) -> Change:
    return lambda state, draw: put(clock_off=sign * draw.randint(6, 3000) * MINUTE)(state, draw)


def _chrome(first: int, last: int, **values: object) -> Change:
    return lambda state, draw: put(chrome=draw.randint(first, last), **values)(state, draw)


# Finding → how it comes about, by probe, in the order of cause as the guide to the field gives it. This list is
# the judge and is written by hand: it takes nothing from the catalogue it judges.
FAULTS: dict[str, dict[str, Change]] = {
    "clock": {"clock_ahead": _clock(1), "clock_behind": _clock(-1)},
    "site_tls": {
        "site_dns": put(login="dns"),
        "site_refused": put(login="refused"),
        "site_error": put(login="error"),
        "site_expired": put(login="expired"),
        "site_wrong_name": put(login="wrong_name"),
        "site_untrusted": put(login="untrusted"),
    },
    "service": {"service_stopped": _service("stopped"), "service_absent": _service(None)},
    "kg_local": {
        "kg_absent": put(installed=False, running=False),
        "kg_stopped": put(running=False),
        "kg_not_serving": put(listens=False),
    },
    "browser": {
        "browser_flag_blocks": _chrome(94, 137, flag="1"),
        "browser_denied_local": _chrome(142, 144, permission=2),
        "browser_denied": _chrome(145, 160, permission=2),
    },
    "driver": {
        f"driver_{how}": put(how=how) for how in ("missing", "architecture", "crash", "hang", "exit", "error")
    },
    "ukey": {f"ukey_{slots}": put(slots=slots) for slots in ("absent", "blank", "error")},
    "pin_state": {"pin_locked": put(flags={"USER_PIN_LOCKED"}), "pin_unset": put(pin_set=False)},
    "cert_dates": {
        "cert_expired": lambda state, draw: put(ends=-draw.randint(1, 90) * DAY)(state, draw),
        "cert_not_yet": lambda state, draw: put(begins=draw.randint(1, 11) * DAY)(state, draw),
    },
    "cert_use": {"use_encryption_only": put(signing=False), "use_mismatch": put(key_fits=False)},
    "cert_issuer": {"issuer_refused": put(issuer="other"), "issuer_forged": put(issuer="forged")},
    "cert_binding": {
        "binding_other": put(bound="5566778899"),
        "binding_elsewhere": put(bound="5566778899", account="15010000000001"),
    },
    "revocation": {"revoked": put(revoked=True)},
    "token": {
        "token_expired": lambda state, draw: put(token_left=-draw.randint(2, 600) * MINUTE)(state, draw)
    },
}

# Oddities of healthy desks: none is a fault, so none may be named as one. The number is how often they occur.
ODDITIES: list[tuple[float, str, Change]] = [
    (
        0.3,
        "clock off by minutes",
        lambda state, draw: put(clock_off=draw.randint(-280, 280) * timedelta(seconds=1))(state, draw),
    ),
    (
        0.1,
        "service started by hand",
        lambda state, _: state.services.update(rsyncAgent=WindowsService("running", "manual")),
    ),
    (0.1, "component not at boot", put(at_boot=False)),
    (0.1, "no Chrome", put(chrome=None)),
    (0.3, "old browser", _chrome(60, 141, permission=None)),
    (0.1, "browser will ask", _chrome(142, 160, permission=None)),
    (0.1, "another driver is broken", put(aside=True)),
    (0.1, "PIN once wrong", put(flags={"USER_PIN_COUNT_LOW"})),
    (0.1, "ends soon", put(ends=12 * DAY)),
    (0.1, "old certificate beside", put(old_beside=True)),
    (0.1, "public key unreadable", put(key_fits=None)),
    (0.2, "list only", put(responder="list")),
    (0.1, "stale answers", put(responder="stale")),
    (0.2, "no token", put(token_left=None)),
    (0.1, "token ends soon", put(token_left=5 * MINUTE)),
    (0.2, "no binding known", put(bound=None)),
    (0.2, "https site", put(login="secure")),
]
# What hides things from anyone who looks: a fault behind it cannot be seen, and is counted as a miss.
HIDING: list[tuple[float, str, Change]] = [
    (0.05, "responder unreachable", put(responder="down")),
    (
        0.02,
        "may not see services",
        lambda state, _: state.services.update(dict.fromkeys(NAMES, psutil.AccessDenied())),
    ),
    (0.02, "private certificates", put(visible=False)),
    (0.02, "no authorities given", put(trusted=False)),
    (0.02, "offline", put(offline=True)),
]
ORDER = list(FAULTS)


@dataclass
class Tally:
    """Root causes drawn and named right; misses as (drawn, named, what hid it)."""

    drawn: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    misses: list[tuple[str, str, str]] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    healthy: int = 0
    at_once: Counter[int] = field(default_factory=Counter)


def simulate() -> Tally:
    """All desks; the same for every run."""
    tally = Tally()
    with world() as around:
        for number in range(FAULTY):
            _faulty(number, around, tally)
        for number in range(FAULTY, FAULTY + HEALTHY):
            state, _ = _odd(number)
            report = check(state, around)
            tally.healthy += 1
            if report.root_cause:
                tally.false_alarms.append(report.root_cause.finding)
    return tally


def _odd(number: int) -> tuple[State, list[str]]:
    """A healthy desk with its oddities, and what hides things on it."""
    draw, state, hidden = rng(number), State(number), []
    for often, _, change in ODDITIES:
        if draw.random() < often:
            change(state, draw)
    for often, name, change in HIDING:
        if draw.random() < often:
            change(state, draw)
            hidden.append(name)
    return state, hidden


def _faulty(number: int, around: World, tally: Tally) -> None:
    state, hidden = _odd(number)
    draw = rng(10_000 + number)
    # Every finding has its turn as the root cause; what it brings along lies behind it in the order of cause.
    every = [(probe, finding) for probe, found in FAULTS.items() for finding in found]
    first = every[number % len(every)]
    behind = ORDER[ORDER.index(first[0]) + 1 :]
    probes = draw.sample(behind, min(len(behind), draw.randint(0, MOST_AT_ONCE - 1)))
    faults = [first, *((probe, draw.choice(list(FAULTS[probe]))) for probe in probes)]
    if any(finding == "browser_flag_blocks" for _, finding in faults):
        state.login = "good"  # the flag concerns http pages only
    for probe, finding in faults:
        FAULTS[probe][finding](state, draw)
    report = check(state, around)
    wanted = first[1]
    named = report.root_cause.finding if report.root_cause else "nothing"
    tally.at_once[len(faults)] += 1
    tally.drawn[wanted] += 1
    if named == wanted:
        tally.right[wanted] += 1
    else:
        tally.misses.append((wanted, named, ", ".join([*hidden, *(also for _, also in faults[1:])])))


def table(tally: Tally) -> Iterator[str]:
    """The result as Markdown."""
    total, right = sum(tally.drawn.values()), sum(tally.right.values())
    together = ", ".join(f"{tally.at_once[count]} with {count}" for count in sorted(tally.at_once))
    yield f"{total} desks with faults at once ({together}): root cause named right {right} ({right / total:.1%})."
    yield f"{tally.healthy} healthy desks: {len(tally.false_alarms)} false alarms."
    yield ""
    yield "| root cause | desks | named right |"
    yield "|---|---:|---:|"
    for finding in (finding for found in FAULTS.values() for finding in found):
        yield f"| {finding} | {tally.drawn[finding]} | {tally.right[finding]} |"
    if tally.misses:
        yield ""
        yield "| missed | named instead | what else was there |"
        yield "|---|---|---|"
        yield from (f"| {wanted} | {named} | {hidden} |" for wanted, named, hidden in tally.misses)


def main(arguments: list[str]) -> int:
    """Print the table or write it into the file."""
    tally = simulate()
    text = "\n".join(table(tally))
    if not arguments:
        sys.stdout.write(text + "\n")
        return 0
    file = Path(arguments[0])
    before, _, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Sealing the filing certificate (nm-9): a seal is chosen, the PIN is used once and kept nowhere."""

from decimal import Decimal

from core.domain import forms
from core.domain.accounts import Account
from core.domain.errors import BlockedError, InvalidError, NotFoundError
from core.domain.process import Effect, Process
from core.service import acts, once, situations
from core.service.ports import Certificate, Transaction
from core.service.sealing_ports import (
    CertificateIndicator,
    CertificateLine,
    CertificateReview,
    FilingCertificate,
    Seal,
)
from core.service.situations import Case
from core.service.system import System
from core.service.views import ActResult

_LINE = {"name", "catalogue", "quantity", "unit_price_fen", "total_fen"}


def seals(system: System, actor: Account) -> list[Seal]:
    """Seals in the token of the actor's unit, read without login."""
    return system.signer.seals(_token(actor))


def _token(actor: Account) -> str:
    if not actor.unit.token_label:
        raise BlockedError(f"{actor.unit.name}还没有登记印章，请联系管理员", code="no_token")
    return actor.unit.token_label


def sign(
    system: System,
    actor: Account,
    number: str,
    *,
    version: int,
    seal: str,
    pin: str,
    key: str,
    action: str = "sign",
) -> ActResult:
    """Sign the certificate anew from the unsigned PDF, or, as the second party, the one that the first has signed.

    All that can be refused is refused before the PIN is used.

    `action` is the act of the process that marks the document as signed.

    Errors: those of `acts.perform` and of the signer (`pin_wrong`, `seal_unusable`, `module_timeout` …).
    """
    with system.database.read() as tx:
        repeated = once.earlier(tx, actor, key, acts.request_of(number, action, version, {})) is not None
        certificate = tx.records.certificate(situations.find(tx, actor, number).id) if repeated else None
    if certificate is None:
        acts.check(system, actor, number, action, version=version)
        with system.database.read() as tx:
            case = situations.case(system, tx, situations.find(tx, actor, number))
            if Effect.MARK_SIGNED not in case.process.actions[action].effects:
                raise InvalidError(
                    f"“{case.process.actions[action].label}”不用签章", fields={"action": "不是签章的操作"}
                )
            pdf = _to_seal(system, tx, case)
        signed = system.signer.sign(
            pdf, token_label=_token(actor), seal=seal, pin=pin, reason=f"{case.process.label}签章",
            parties=max(case.process.seals, 1),
        )  # fmt: skip
        sha256 = system.blobs.put(signed.content)
        certificate = Certificate(sha256, signed.seal.label, signed.seal.serial, signed.signed_at)
    return acts.perform(
        system, actor, number, action, version=version, arguments={}, key=key, certificate=certificate
    )


def certificate(system: System, actor: Account, number: str) -> tuple[str, bytes]:
    """File name and bytes of the certificate: the signed one, or the draft once the plan is approved."""
    with system.database.read() as tx:
        case = situations.case(system, tx, situations.find(tx, actor, number))
        known = tx.records.certificate(case.document.id)
        if known is not None:
            return f"{case.document.number}-{_paper(case.process)}.pdf", system.blobs.get(known.sha256)
        signing = [a for a in case.process.actions.values() if Effect.MARK_SIGNED in a.effects]
        if not any(node in action.routes for action in signing for node in case.document.trail):
            raise NotFoundError(f"审核还没有办结，{_paper(case.process)}还没有生成")
        name = f"{case.document.number}-{_paper(case.process)}（未签章）.pdf"
        return name, system.renderer(_certificate(system, tx, case))


def _to_seal(system: System, tx: Transaction, case: Case) -> bytes:
    """The paper as the party whose turn it is seals it."""
    kept = tx.records.certificate(case.document.id) if case.process.seals > 1 else None
    if kept is not None and "signed" in case.document.flags:
        return system.blobs.get(kept.sha256)
    return system.renderer(_certificate(system, tx, case))


def _paper(process: Process) -> str:
    """What the signed paper of a kind is called."""
    return process.words.get("certificate", "备案书")


def _certificate(system: System, tx: Transaction, case: Case) -> FilingCertificate:
    document = case.document
    paid = forms.funding(case.process.form, document.form)
    named = [(item, paid[key]) for key in sorted(paid) if (item := tx.ledger.indicator(key))]
    history = tx.documents.history(document.id)
    reviews = [entry for entry in history if entry.action == "pass"]
    last_return = max((entry.seq for entry in history if entry.action in {"return", "withdraw"}), default=0)
    return FilingCertificate(
        region=system.processes.region_label(document.region),
        heading=f"{case.process.label}{_paper(case.process)}",
        plan_number=document.number,
        title=document.title,
        unit=case.owner.name,
        kind=case.process.variant_label,
        lines=[
            CertificateLine(
                name=line["name"], catalogue_code=line["catalogue"], quantity=Decimal(line["quantity"]),
                unit=str(line.get("unit") or ""), unit_price_fen=line["unit_price_fen"], total_fen=line["total_fen"],
            )
            for line in forms.rows(document.form, "lines")
            if line.keys() >= _LINE
        ],
        indicators=[CertificateIndicator(item.code, item.name, amount) for item, amount in named],
        total_fen=document.amount_fen,
        reviewers=[
            CertificateReview(case.process.label_of(entry.source), entry.who, entry.at)
            for entry in reviews
            if entry.seq > last_return
        ],
        created_at=document.created_at,
        supplier=_second_party(tx, case),
    )  # fmt: skip


def _second_party(tx: Transaction, case: Case) -> str:
    """The supplier that seals the paper as well (nm-19, nm-26)."""
    named = case.document.supplier_id
    return tx.accounts.unit(named).name if named and case.process.seals > 1 else ""

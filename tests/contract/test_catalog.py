"""What every catalog promises."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import CatalogError
from fleetloop_hub.fleet_records import Cohort
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Alias, Verdict
from fleetloop_hub.storage.catalog import TinyDbCatalog


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "catalog"


@pytest.fixture
def catalog(folder: Path) -> Iterator[Catalog]:
    opened = TinyDbCatalog(folder)
    yield opened
    opened.close()


def _decision(key: str, **evidence: float) -> Decision:
    return Decision(
        key=key,
        model="rain",
        at=1.5,
        verdict=Verdict.RETRAIN,
        trigger="drift",
        reasons=["the world has changed"],
        evidence=evidence,
    )


def test_a_document_that_was_never_kept_is_none(catalog: Catalog) -> None:
    assert catalog.find(Alias, "rain/champion") is None
    assert catalog.all(Alias) == []


def test_what_is_put_is_found(catalog: Catalog) -> None:
    catalog.put(_decision("d1", psi=0.25))
    assert catalog.find(Decision, "d1") == _decision("d1", psi=0.25)


def test_a_document_replaces_the_one_of_its_kind_and_key(catalog: Catalog) -> None:
    catalog.put(_decision("d1", psi=0.25, js=0.5))
    catalog.put(_decision("d1", psi=0.75))
    assert catalog.all(Decision) == [_decision("d1", psi=0.75)]


def test_a_revision_changes_with_the_documents_of_its_kinds_alone(catalog: Catalog) -> None:
    before = catalog.revision(Decision), catalog.revision(Alias), catalog.revision(Decision, Alias)
    catalog.put(_decision("d1", psi=0.25))
    after = catalog.revision(Decision), catalog.revision(Alias), catalog.revision(Decision, Alias)
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, False]


def test_a_key_belongs_to_its_kind(catalog: Catalog) -> None:
    catalog.put(Alias(key="rain", version=3))
    assert catalog.find(Cohort, "rain") is None


def test_putting_nothing_is_no_error(catalog: Catalog) -> None:
    catalog.put()


def test_of_two_documents_with_one_key_in_one_put_the_last_stands(catalog: Catalog) -> None:
    catalog.put(Alias(key="a", version=1), Alias(key="a", version=2))
    assert catalog.all(Alias) == [Alias(key="a", version=2)]


def test_all_is_in_the_order_in_which_documents_were_first_kept(
    catalog: Catalog, folder: Path
) -> None:
    keys = [f"cohort-{n}" for n in range(12, 0, -1)]
    for key in keys[:5]:
        catalog.put(Cohort(key=key, sequence=1))
    catalog.put(*[Cohort(key=key, sequence=1) for key in keys[5:]])
    catalog.put(Cohort(key=keys[3], sequence=2), Alias(key="a", version=1))
    assert [c.key for c in catalog.all(Cohort)] == keys
    catalog.close()
    again = TinyDbCatalog(folder)
    assert [c.key for c in again.all(Cohort)] == keys
    again.close()


def test_what_was_kept_is_there_after_a_restart(catalog: Catalog, folder: Path) -> None:
    catalog.put(_decision("d1", psi=0.1), Alias(key="a", version=1))
    catalog.put(Alias(key="a", version=2))
    catalog.close()
    again = TinyDbCatalog(folder)
    assert again.find(Decision, "d1") == _decision("d1", psi=0.1)
    assert again.find(Alias, "a") == Alias(key="a", version=2)
    again.close()


def test_nothing_a_caller_holds_can_change_what_is_kept(catalog: Catalog) -> None:
    mine = _decision("d1", psi=0.25)
    catalog.put(mine)
    mine.evidence["psi"] = 99.0
    mine.reasons.append("mine")
    for theirs in (catalog.find(Decision, "d1"), catalog.all(Decision)[0]):
        assert theirs is not None
        assert theirs == _decision("d1", psi=0.25)
        with pytest.raises(TypeError, match="was kept"):
            theirs.evidence["psi"] = 98.0
        with pytest.raises(TypeError, match="was kept"):
            theirs.reasons.append("theirs")
    assert catalog.find(Decision, "d1") == _decision("d1", psi=0.25)


def test_update_makes_a_document_of_what_is_there(catalog: Catalog) -> None:
    def next_statement(old: Cohort | None) -> Cohort:
        return Cohort(key="field", sequence=1 if old is None else old.sequence + 1)

    assert catalog.update(Cohort, "field", next_statement).sequence == 1
    assert catalog.update(Cohort, "field", next_statement).sequence == 2
    assert catalog.find(Cohort, "field") == Cohort(key="field", sequence=2)


def test_an_update_that_fails_changes_nothing(catalog: Catalog) -> None:
    catalog.put(Cohort(key="field", sequence=1))

    def fail(old: Cohort | None) -> Cohort:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        catalog.update(Cohort, "field", fail)
    assert catalog.find(Cohort, "field") == Cohort(key="field", sequence=1)


def test_an_update_may_not_change_the_key(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match="'field'"):
        catalog.update(Cohort, "field", lambda _: Cohort(key="other", sequence=1))
    assert catalog.all(Cohort) == []


def test_an_update_may_write_something_else_meanwhile(catalog: Catalog) -> None:
    def change(old: Cohort | None) -> Cohort:
        catalog.put(Alias(key="a", version=1))
        return Cohort(key="field", sequence=1)

    catalog.update(Cohort, "field", change)
    assert catalog.find(Alias, "a") == Alias(key="a", version=1)


def test_eight_threads_lose_no_update(catalog: Catalog) -> None:
    def count(old: Cohort | None) -> Cohort:
        return Cohort(key="field", sequence=1 if old is None else old.sequence + 1)

    def work(name: str) -> None:
        for n in range(50):
            catalog.update(Cohort, "field", count)
            if n % 10 == 0:
                catalog.put(Alias(key=f"{name}-{n}", version=n))

    threads = [threading.Thread(target=work, args=[f"t{n}"]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert catalog.find(Cohort, "field") == Cohort(key="field", sequence=400)
    assert len({alias.key for alias in catalog.all(Alias)}) == 40


def test_a_number_that_cannot_be_written_is_refused_with_all_that_came_with_it(
    catalog: Catalog,
) -> None:
    with pytest.raises(CatalogError, match="'d1'"):
        catalog.put(Alias(key="a", version=1), _decision("d1", psi=float("nan")))
    assert catalog.all(Alias) == []
    assert catalog.all(Decision) == []


def test_a_second_one_is_refused_until_the_first_is_closed(catalog: Catalog, folder: Path) -> None:
    with pytest.raises(CatalogError, match="in use"):
        TinyDbCatalog(folder)
    catalog.close()
    TinyDbCatalog(folder).close()


def test_a_closed_one_is_of_no_use(catalog: Catalog) -> None:
    catalog.close()
    catalog.close()
    with pytest.raises(CatalogError, match="closed"):
        catalog.put(Alias(key="a", version=1))
    with pytest.raises(CatalogError, match="closed"):
        catalog.all(Alias)

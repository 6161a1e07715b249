"""
The `$filter` of an event stream: which events its client wants. Source: DSP0266, Server-sent events.

    RegistryPrefix eq 'ResourceEvent' and not (MessageId eq 'ResourceEvent.1.4.TestMessage')

Properties are compared as those of a subscription's filters are (`odim_relay.domain.matching`). Where the standard
leaves room:

* A value may stand without quotes when it has no white space and no parenthesis; a quote within quotes is doubled.
* Names, operators and `true` are in the case of the standard.
* `not` binds closer than `and`, `and` closer than `or`.
* `SubordinateResources eq true` makes the OriginResources that it is joined with by `and` stand for what is below them
  too. It filters nothing by itself, so it stands in no `not` and beside no `or`.
* MetricReports come only to who asks for them, by EventFormatType or MetricReportDefinition.
* The relay's own messages (registry `OdimRelay`) come only to who asks for them: outside of a `not` by RegistryPrefix
  or MessageId, or by an OriginResource that is the EventService or below it.
* A record that lacks a property is equal to no value of it. `EventType`, which is deprecated, can be asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from odim_relay.domain.criteria import places_of
from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.domain.message_id import registry_of, without_version
from odim_relay.domain.own_resources import OWN_REGISTRY, is_own
from odim_relay.domain.resource_type import general_type
from odim_relay.domain.stream_filter_syntax import And, Equals, Expression, FilterError, Not, Or, parse

_NO_RECORD = EventRecord()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """
    What is compared: one record of an Event, or a MetricReport.
    """

    format: EventFormat
    record: EventRecord = _NO_RECORD
    places: tuple[str, ...] = ()
    report_definition: str = ""


_Test: TypeAlias = Callable[[_Facts], bool]

_SUBORDINATE = "SubordinateResources"
_OF_REPORTS = frozenset({"EventFormatType", "MetricReportDefinition"})


class StreamFilter:
    """
    A `$filter`, ready to be asked. Immutable: threads may share one.
    """

    __slots__ = ("_test", "_wants_own", "_wants_reports")

    def __init__(self, test: _Test | None, *, wants_reports: bool, wants_own: bool = False) -> None:
        self._test = test
        self._wants_reports = wants_reports
        self._wants_own = wants_own

    @classmethod
    def of(cls, text: str) -> "StreamFilter":
        """
        Read a `$filter`.

        Raises:
            FilterError: it is none, or asks for what cannot be asked for.
        """
        expression = parse(text)
        names = {term.name for term in _terms(expression)}
        return cls(
            _compiled(expression, is_subordinate=False),
            wants_reports=bool(names & _OF_REPORTS),
            wants_own=any(map(_asks_for_own, _asked(expression))),
        )

    def wanted(self, event: Event) -> tuple[int, ...] | None:
        """
        Tell which records of the event are wanted, ascending; all of them when there is no filter.

        Returns:
            None when the event is not wanted at all. Nothing is numbered in a MetricReport, nor in an Event without
            records, which only those without a filter want.
        """
        if event.format is EventFormat.METRIC_REPORT:
            facts = _Facts(format=event.format, report_definition=event.report_definition.rstrip("/"))
            return () if self._wants_reports and self._test is not None and self._test(facts) else None
        test = self._test
        numbers = tuple(
            number
            for number, record in enumerate(event.records)
            if (self._wants_own or record.registry != OWN_REGISTRY) and (test is None or test(_of_record(record)))
        )
        is_for_all = test is None and not event.records
        return numbers if numbers or is_for_all else None


EVERY_EVENT = StreamFilter(None, wants_reports=False)
"""
Of who gave no `$filter`: every Event, as for a subscription without filters, and no MetricReport.
"""


def _of_record(record: EventRecord) -> _Facts:
    return _Facts(format=EventFormat.EVENT, record=record, places=places_of(record.origin))


def _terms(expression: Expression) -> Iterable[Equals]:
    match expression:
        case Equals():
            yield expression
        case Not(operand):
            yield from _terms(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _terms(operand)


def _asked(expression: Expression) -> Iterable[Equals]:
    """
    The terms that ask for something; those within a `not` ask for something else.
    """
    match expression:
        case Equals():
            yield expression
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _asked(operand)
        case Not():
            return


def _asks_for_own(term: Equals) -> bool:
    match term.name:
        case "RegistryPrefix":
            return (registry_of(term.value) or term.value) == OWN_REGISTRY
        case "MessageId":
            return registry_of(term.value) == OWN_REGISTRY
        case "OriginResource":
            return is_own(term.value)
        case _:
            return False


def _compiled(expression: Expression, *, is_subordinate: bool) -> _Test:
    match expression:
        case Equals():
            return _comparison(expression, is_subordinate=is_subordinate)
        case Not(operand):
            _refuse_subordinate((operand,), "not")
            refused = _compiled(operand, is_subordinate=is_subordinate)
            return lambda facts: not refused(facts)
        case Or(operands):
            _refuse_subordinate(operands, "or")
            either = [_compiled(operand, is_subordinate=is_subordinate) for operand in operands]
            return lambda facts: any(test(facts) for test in either)
        case And(operands):
            said = [_truth(term) for term in operands if isinstance(term, Equals) and term.name == _SUBORDINATE]
            inner = said[-1] if said else is_subordinate
            each = [_compiled(operand, is_subordinate=inner) for operand in operands]
            return lambda facts: all(test(facts) for test in each)


def _refuse_subordinate(operands: Iterable[Expression], where: str) -> None:
    for term in operands:
        if isinstance(term, Equals) and term.name == _SUBORDINATE:
            raise FilterError(
                f"{_SUBORDINATE} filters nothing by itself: it is joined with an OriginResource by and, not by {where}",
                term.position,
            )


def _comparison(term: Equals, *, is_subordinate: bool) -> _Test:
    if term.name == _SUBORDINATE:
        _truth(term)
        return lambda _: True
    if term.name == "OriginResource":
        return _below(term.value) if is_subordinate else _at(term.value)
    comparison = _COMPARISONS.get(term.name)
    if comparison is None:
        known = ", ".join(sorted((*_COMPARISONS, "OriginResource", _SUBORDINATE)))
        raise FilterError(f"{term.name!a} is no property to filter by; they are {known}", term.position)
    return comparison(term)


def _truth(term: Equals) -> bool:
    if term.value not in {"true", "false"}:
        raise FilterError(f"{_SUBORDINATE} is true or false, not {term.value!a}", term.position)
    return term.value == "true"


def _format(term: Equals) -> _Test:
    known = [str(value) for value in EventFormat]
    if term.value not in known:
        raise FilterError(f"EventFormatType is {' or '.join(known)}, not {term.value!a}", term.position)
    wanted = EventFormat(term.value)
    return lambda facts: facts.format is wanted


def _member(read: Callable[[EventRecord], str], normalised: Callable[[str], str]) -> Callable[[Equals], _Test]:
    def comparison(term: Equals) -> _Test:
        wanted = normalised(term.value)
        return lambda facts: bool(wanted) and read(facts.record) == wanted

    return comparison


def _definition(term: Equals) -> _Test:
    wanted = term.value.rstrip("/")
    return lambda facts: bool(wanted) and facts.report_definition == wanted


def _at(uri: str) -> _Test:
    wanted = uri.rstrip("/")
    return lambda facts: bool(wanted) and facts.record.origin == wanted


def _below(uri: str) -> _Test:
    wanted = uri.replace("#/", "/").rstrip("/") + "/"
    return lambda facts: wanted != "/" and wanted in facts.places


_COMPARISONS: Mapping[str, Callable[[Equals], _Test]] = MappingProxyType(
    {
        "EventFormatType": _format,
        "EventType": _member(lambda record: record.event_type, str),
        "MessageId": _member(lambda record: record.message_id, without_version),
        "MetricReportDefinition": _definition,
        "RegistryPrefix": _member(lambda record: record.registry, lambda prefix: registry_of(prefix) or prefix),
        "ResourceType": _member(lambda record: record.resource_type, general_type),
    }
)

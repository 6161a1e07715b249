"""
How a `$filter` is spelled: `eq`, `and`, `or`, `not`, parentheses, values with or without quotes.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

MOST_CHARACTERS = 4_096
_DEEPEST = 32
_TOKEN = re.compile(r"\s*(?:(?P<quoted>'(?:[^']|'')*')|(?P<sign>[()])|(?P<word>[^\s()']+)|(?P<end>$))")
_OPERATORS = frozenset({"and", "or", "not", "eq"})


class FilterError(ValueError):
    """
    It is no `$filter`. The message tells what is wrong, and at which character, from 1.
    """

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(f"at character {position + 1}: {problem}")


@dataclass(frozen=True, slots=True)
class Equals:
    """
    `name eq value`; `position` is where the name stands, from 0.
    """

    name: str
    value: str
    position: int


@dataclass(frozen=True, slots=True)
class Not:
    """
    `not operand`.
    """

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """
    Two or more that are joined by `and`.
    """

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """
    Two or more that are joined by `or`.
    """

    operands: tuple["Expression", ...]


Expression: TypeAlias = Equals | Not | And | Or


def parse(text: str) -> Expression:
    """
    Read a `$filter`; the names of its properties are not judged.

    Raises:
        FilterError: it is none, is longer than 4,096 characters or nested deeper than 32 levels.
    """
    if len(text) > MOST_CHARACTERS:
        raise FilterError(f"it goes on beyond {MOST_CHARACTERS} characters", MOST_CHARACTERS)
    tokens = _tokens(text)
    parser = _Parser(tokens)
    expression = parser.either(0)
    rest = parser.next()
    if rest.kind != "end":
        raise FilterError(f"{rest.text!a} stands where the end, and, or or is expected", rest.position)
    return expression


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    while True:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise FilterError("a quote is opened and not closed", len(text) - len(text[at:].lstrip()))
        kind = found.lastgroup
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        if kind == "end":
            return tokens
        at = found.end()


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def next(self) -> _Token:
        token = self._tokens[self._at]
        # The last one is the end, and stays.
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _takes(self, kind: str, text: str) -> bool:
        token = self._tokens[self._at]
        if (token.kind, token.text) != (kind, text):
            return False
        self.next()
        return True

    def either(self, depth: int) -> Expression:
        operands = [self._both(depth)]
        while self._takes("word", "or"):
            operands.append(self._both(depth))
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _both(self, depth: int) -> Expression:
        operands = [self._one(depth)]
        while self._takes("word", "and"):
            operands.append(self._one(depth))
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _one(self, depth: int) -> Expression:
        token = self.next()
        if depth > _DEEPEST:
            raise FilterError(f"it is nested deeper than {_DEEPEST} levels", token.position)
        if (token.kind, token.text) == ("word", "not"):
            return Not(self._one(depth + 1))
        if token.text == "(" and token.kind == "sign":
            inner = self.either(depth + 1)
            closing = self.next()
            if closing.text != ")" or closing.kind != "sign":
                raise FilterError("a parenthesis is opened and not closed", token.position)
            return inner
        if token.kind != "word" or token.text in _OPERATORS:
            raise FilterError(f"{_shown(token)} stands where the name of a property is expected", token.position)
        return self._equals(token)

    def _equals(self, name: _Token) -> Equals:
        operator = self.next()
        if (operator.kind, operator.text) != ("word", "eq"):
            raise FilterError(f"{_shown(operator)} stands where eq is expected", operator.position)
        value = self.next()
        if value.kind == "quoted":
            return Equals(name.text, value.text[1:-1].replace("''", "'"), name.position)
        if value.kind == "word" and value.text not in _OPERATORS:
            return Equals(name.text, value.text, name.position)
        raise FilterError(f"{_shown(value)} stands where a value is expected", value.position)


def _shown(token: _Token) -> str:
    return "the end" if token.kind == "end" else f"{token.text!a}"

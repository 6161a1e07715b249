"""
Ways to break the scripts, each of which the machine must notice.
"""

from dataclasses import dataclass
from importlib.resources import files

from odim_relay.adapters.redis.connection import Scripts


@dataclass(frozen=True, slots=True)
class Mutation:
    """
    In script `script`, `right` becomes `wrong`.
    """

    name: str
    script: str
    right: str
    wrong: str


MUTATIONS = (
    Mutation("claim does not raise seq", "step", "local lease, attempt = seq + 1", "local lease, attempt = seq + 0"),
    Mutation("claim takes what is being sent", "step", "if found[2] ~= 'QUEUED'", "if false and found[2] ~= 'QUEUED'"),
    Mutation("claim ignores seq", "step", "if found[1] ~= seq then", "if false then"),
    Mutation("claim leaves the countdown set", "step", "  leave_countdown(id, found[8])\n", ""),
    Mutation(
        "claim sends for a deleted subscription",
        "step",
        "if redis.call('HEXISTS'",
        "if false and redis.call('HEXISTS'",
    ),
    Mutation("complete forgets the body", "_ledger", "    let_go_of_body(fields[1], id)\n", ""),
    Mutation("complete lets go of parked bodies only in part", "_ledger", "  let_go_of_body(letter.event, id)\n", ""),
    Mutation("a body goes with its first delivery", "_ledger", "<= BODY_FIELDS then", "<= BODY_FIELDS + 1 then"),
    Mutation(
        "forget leaves the deadline", "_ledger", "  redis.call('ZREM', DEADLINES, id)\n  if fields[1]", "  if fields[1]"
    ),
    Mutation(
        "forget leaves the index",
        "_ledger",
        "  redis.call('ZREM', index_of(letter.reason, letter.subscription), id)\n  let_go",
        "  let_go",
    ),
    Mutation("park loses a field", "_ledger", "letter.state = 'PARKED'", "letter.state = 'PARKED'; letter.shape = nil"),
    Mutation(
        "park takes the wrong index", "_ledger", "reason == 'rejected' or reason == 'broken'", "reason == 'broken'"
    ),
    Mutation("park orders by ticket", "_ledger", "letter.number, id)", "letter.ticket, id)"),
    Mutation(
        "park with a due time has no deadline",
        "_ledger",
        "if due_ms then redis.call('ZADD'",
        "if false then redis.call('ZADD'",
    ),
    Mutation("unpark keeps the seq", "_ledger", "local seq = letter.seq + 1", "local seq = letter.seq + 0"),
    Mutation("generations are given twice", "_ledger", "math.max(last + 1, time[1] * 1000000 + time[2])", "last + 1"),
    Mutation("reap does not raise seq of SENDING", "reap", "      requeue(id, seq + 1)", "      requeue(id, seq + 0)"),
    Mutation("reap leaves the countdown set", "reap", "    leave_countdown(id, found[7])\n", ""),
    Mutation("reap never tires of a poison event", "reap", "if lapses >= broken_after", "if false"),
    Mutation("reap raises seq of QUEUED", "reap", "queue(id, seq, longer)", "queue(id, seq + 1, longer)"),
    Mutation(
        "reap forgets to publish",
        "reap",
        "  to_publish(id, seq)\nend\n\nlocal function handle",
        "end\n\nlocal function handle",
    ),
    Mutation(
        "sweep forgets what is by hand",
        "reap",
        "{ prefix .. 'parked:' .. deleted, prefix .. 'by-hand:' .. deleted }",
        "{ prefix .. 'parked:' .. deleted }",
    ),
    Mutation("ingest ignores the generation", "ingest", "~= ARGV[8] then", "== 'never' then"),
    Mutation("ingest ignores the position", "ingest", "return { 'position' }", "stored[4] = nil"),
    Mutation("ingest ignores the cursor", "ingest", " or stored[3] ~= ARGV[4] then", " then"),
    Mutation("ingest overwrites what it has", "ingest", "if redis.call('EXISTS', delivery) == 1 or", "if false or"),
    Mutation("ingest forgets what is parked", "ingest", " or redis.call('HEXISTS', DEAD_LETTERS, id) == 1", ""),
    Mutation("ingest sets no deadline", "ingest", "      redis.call('ZADD', DEADLINES, now + patience, id)\n", ""),
    Mutation("ingest does not move the position", "ingest", "'offset', ARGV[6]", "'offset', ARGV[3]"),
    Mutation("retry ignores the lease", "fail", "or found[2] ~= lease then", "then"),
    Mutation(
        "retry does not raise seq",
        "fail",
        "local seq = lease + 1\nredis.call('SADD'",
        "local seq = lease + 0\nredis.call('SADD'",
    ),
    Mutation("retry ignores the cap", "fail", "or redis.call('SCARD', countdowns) >= tonumber(ARGV[7])", ""),
    Mutation("retry is in no countdown set", "fail", "redis.call('SADD', countdowns, id)\n", ""),
    Mutation("fail parks for a deleted subscription", "fail", "if action ~= 'release' and", "if false and"),
    Mutation("release counts the attempt", "fail", "found[3] - 1", "found[3] - 0"),
    Mutation("a lapsed lease still holds", "holds", "<= now_ms()", "<= 0"),
)


class MutatedScripts(Scripts):
    """
    The scripts with one of them broken.
    """

    mutation: Mutation

    def _load(self, name: str) -> str:
        folder = files("odim_relay.adapters.redis") / "scripts"
        text = ""
        for part in ("_ledger", name):
            text += self._broken(part, (folder / f"{part}.lua").read_text())
        digest = str(self.client.script_load(text))
        self._digests[name] = digest
        return digest

    def _broken(self, part: str, text: str) -> str:
        if part != self.mutation.script:
            return text
        if text.count(self.mutation.right) != 1:
            raise LookupError(f"{part}.lua has not exactly one {self.mutation.right!r} to break")
        return text.replace(self.mutation.right, self.mutation.wrong)

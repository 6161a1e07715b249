# ruff: noqa: E501 - a table row is one line
"""
Every key that odim-relay keeps in Redis. All start with `REDIS__KEY_PREFIX`, `odim-relay:` by default.

| key | type | holds | lifetime |
|---|---|---|---|
| `birth` | string | a uuid4 that tells this ledger from an emptied one (L12) | for ever |
| `subscriptions` | hash | subscription id -> JSON document; its secrets in one member `sealed`, encrypted, where `SECRETS__ENCRYPTION_KEYS` is set | until deleted |
| `subscriptions:generation` | string | number of the last change; rises by the clock, so that none is given twice | for ever |
| `subscriptions:generations` | zset | the last 1,000 of them: a cache of another one is of a change that was lost | for ever |
| `subscriptions:changes` | zset | subscription id, scored with the generation of its last change, deleted ones too | the last 1,000 |
| `subscriptions:deleted` | zset | ids whose parked deliveries are still to be swept (L8), scored with the generation of the deletion | until swept |
| `event-service` | string | JSON document of what an administrator says for all subscriptions: `version`, and what is not as by default of `is_enabled`, `retry_attempts`, `retry_interval_s`, `keeps_journal` | for ever |
| `inventory:sources:{keeper}` | hash | address -> URI of what is there, as one keeper says: `own` or `odim` | until it is taken out |
| `inventory:aggregates:{keeper}` | hash | URI of an aggregate -> JSON array of the URIs of its elements | until it is taken out |
| `inventory:version` | string | generation of their last change, so that it is never given again either | for ever |
| `inventory:staged:{uuid}:sources`, `inventory:staged:{uuid}:aggregates` | hash | what is about to stand instead of all that one keeper said | until it does; 10 minutes |
| `inventory:reading` | string | when ODIM's tables were read last, ms, a blank, and the JSON document of what was found | for ever |
| `position:{topic}:{partition}` | hash | `topic_epoch`, `offset`, `cursor`: how far the partition was taken in (L9) | for ever |
| `partitions` | set | `{topic}:{partition}` of every position | for ever |
| `topic:{topic}` | hash | `topic_epoch` and what it was concluded from (L11) | for ever |
| `starts:{topic}:{partition}` | hash | `offset`, `count`: bridge starts without progress (L16) | until the offset moves |
| `delivery:{id}` | hash | one delivery that is not parked; fields below | until it leaves the ledger |
| `body:{event id}` | hash | `payload`, `record`, `recorded_at_ms`, `traceparent` where the record had one, and one empty field per delivery that needs it (L7) | as the last of them |
| `deadlines` | zset | delivery id, scored with when the reaper must look at it, ms | as the delivery is not parked, or has a due time |
| `bytes` | string | size of all payloads in bodies (L15) | for ever |
| `dead-letters` | hash | delivery id -> JSON document with its forwarding information: everything PARKED | until it leaves |
| `parked:{subscription}` | zset | ids of its parked deliveries that go as soon as their turn comes, scored with their ingest number: first in, first out; not of ordered ones: what is `urgent` has 2^50 less, what is `live` 2^49, to stand before the others | as they |
| `delayed:{subscription}` | zset | the same for those that wait for a time of their own (L32); they have a deadline | as they |
| `by-hand:{subscription}` | zset | the same for `rejected` and `broken`, which only a person sends again (L32), and what a newer version wrote | as they |
| `parked-counts:{subscription}` | hash | reason -> how many of its deliveries are parked for it | as they |
| `backlogs` | zset | subscription id, scored with the bytes that what is parked for it takes, about (L15) | as anything is parked |
| `flow:{subscription}` | hash | how its deliveries flow; fields below | as the subscription, and until nothing of it is under way |
| `due` | zset | ids of subscriptions with deliveries in `parked` that are not suspended, scored with when the replay looks at them again, ms (L4) | as they |
| `waiting:{destination}` | set | the same ids, by destination: who may probe it, and who is let go when it answers | as they |
| `destination:{destination}` | hash | its breaker (L29, L30), and how it answered lately (L18); fields below | for ever |
| `inflight:{destination}` | zset | `{delivery}:{lease}` of each request under way, scored with when it must have ended; lapsed ones do not count (L18) | until its outcome, else the next claim after it lapsed |
| `countdowns:{destination}` | set | ids of deliveries that wait in a countdown for one destination (L22) | as they wait |
| `workers` | zset | `{name} {slots}` of each worker process, scored with its last claim, ms | a minute after it |
| `slots` | string | sum of the slots in `workers`, as the reaper found it last | for ever |
| `tickets` | string | number of the last published task; the first of a delivery is its ingest number (L27) | for ever |
| `watermark` | string | highest ticket among started tasks | for ever |
| `turn:{name}` | string | who does what only one is to do: `beat` sends the schedule, a duty runs, a warning was told (L28) | it expires |
| `accounts` | hash | account id -> JSON document, with the argon2 hash of its password | until deleted |
| `session:{id}` | string | JSON document; the id is a hash of the token, which is stored nowhere | expires when it is not used |
| `sessions` | zset | session id, scored with when it began, s; expired ones leave when they are listed | until ended |
| `session-timeout` | string | how long a session lasts without use, s; absent is the default | for ever |
| `service:uuid` | string | the UUID of the API's service root | for ever |
| `service:certificate` | string | the self-signed certificate of the API and its key, PEM; encrypted where `SECRETS__ENCRYPTION_KEYS` is set | until it is renewed |
| `counters` | hash | `name` or `name:label` -> count, by all processes | for ever |
| `measures` | hash | sums of what all workers measured of attempts, by the names of domain/measures.py -> count | for ever |
| `attempts:delivery:{id}` | list | JSON arrays, the newest first: the last attempts of a delivery that failed at least once | HISTORY__RETENTION_S after the last |
| `attempts:subscription:{id}` | list | the same of a subscription, successes too | the same |
| `attempts:deliveries` | zset | ids of deliveries with such a list, scored with when it was written last, ms: over HISTORY__DELIVERIES the oldest leave | as they |
| `attempts:kept:{worker}` | string | number of the last batch that a worker process told of its attempts: none is kept twice | an hour after it |
| `quarantine` | hash | entry id -> JSON document | until discarded, replayed or over quota |
| `quarantine:values` | hash | entry id -> the record's bytes | as the entry |
| `quarantine:order` | zset | entry id, scored with when it came, ms | as the entry |
| `quarantine:bytes` | string | size of all values | for ever |
| `quarantine:growth` | hash | `told` (how many there were when that was last told, or how few since), `at_ms` (when the last one came) | for ever |
| `notices` | hash | number -> JSON document of a change that is to be told: `name`, `subject`, `detail` where there is any, `noted_at_ms` | until it is told; of more than 10,000 the oldest leave |
| `notices:order` | zset | the same numbers | as they |
| `notices:state` | hash | `last` (number of the newest there ever was) · `logged` (up to which they were) · `at` and `after` (the one that was told to its readers up to this subscription last) | for ever |
| `notices:told:{topic}` | string | how many changes of a topic (`breaker:`, `subscription:`, `buffer:` with the id, `quarantine:`) were told in the spell that runs | 10 minutes |
| `journal` | stream | `event`, `payload`, `recorded_at_ms` of each event that was taken in while somebody followed a stream; ids by Redis's clock | over its quota the oldest leave; gone when nobody follows for long |
| `journal:state` | hash | `end` (id of the newest entry there ever was, or of when it was begun after that) · `since` (when it was begun last) · `left` (the last entry that left) · `bytes` · `used_at_ms` (when somebody last followed) | for ever |
| `samples` | list | JSON documents, one each 10 s: how everything stood, for plots (domain/sample.py) | the last 8,640: a day |
| `audit` | stream | what people did: `action`, `actor`, `channel`, `client`, `subject`, `count`, `detail`, `error`, each where there is any; ids by Redis's clock | the newest `AUDIT__MAX_ENTRIES`, none longer than `AUDIT__RETENTION_S` |
| `audit:refused` | stream | the same, of log-ins that were refused | as many again |
| `imported` | zset | ids of events that were imported, scored with when that was noted last, ms: none is imported twice | 30 days after it was noted last |

`{destination}` is the id that domain/destination_identity.py gives to a URL with its headers, backups, verification and
authentication.

Fields of `delivery:{id}`, and members of a dead letter's document:
`state` · `seq` (raised by each claim, retry and lapse; a task message is good for one value of it) · `ticket` · `number` (ingest
number) · `subscription` · `event` · `shape` (JSON, empty for the whole payload) · `attempts` · `lapses` (of SENDING, since the
last outcome) · `patience_ms` (until the reaper doubts that its task will come) · `taken_ms` (when it was taken in) · `due_ms` ·
`last` (JSON of the last failed attempt) · `countdown` (key part of the `countdowns` set it is in) · `replay` (1 when it was parked
after an attempt: it has one attempt, L24) · `replays` (how often it ran out of attempts: each time its wait doubles) · `urgent`
(1 when one of its records is Critical) · `live` (1 when it came while others of its subscription went out) · `together` (in how large a batch it may go at most: halved by each request that failed with it) · `leader` (`{delivery}:{lease}`: it is SENDING in
the request, and under the lease, of that one, and takes no place of its own in its window) and `passengers` (ids, the other way
round), both only in `delivery:{id}`. A dead
letter adds `version` (of the document's form) · `reason` · `parked_at_ms` · `record` · `index` (`ready`, `delayed` or `by_hand`: the
sorted set it stands in) · `size` (bytes it counts for in `backlogs`); `due_ms` is there only when it waits for that time.

Fields of `flow:{subscription}`; absent is none, or 0:
`destination` · `mode` · `policy` (`suspend`, `terminate` or empty) · `active` (how many are QUEUED, or SENDING in a request of their
own) · `counting` (how many are RETRYING) · `suspended` (reason) · `suspended_at_ms` · `allowance` (how many may be under way while it recovers; absent is the window) · `shrunk_at_ms` (when
that was last halved because its receiver could not keep up)
· `failures` and `failed_at_ms` (consecutive ones, and the last, while there is a policy, L25) · `next_at_ms` (when its rate, or the
drain's, allows the next) · `recall` (after a recovery: number of the last one in `delayed` that was sent before its time) · `since_ms` (what
was taken in earlier is discarded when its turn comes) · `max_in_flight`, `rate` (per second), `retention_ms` and `batch` (what the
subscription itself says; absent is as the settings say) · `passed` (how many
new or urgent ones went since the last of the others that wait) · `lost` (events that left unsent and that the subscriber is not told of, L15)
· `telling_until_ms` (one sender is telling it).

Fields of `destination:{destination}`; absent is none, or 0:
`state` (absent is closed, else `open` or `half_open`) · `generation` (raised when it opens or closes; outcomes of claims made under
another one do not count) · `failures` (consecutive ones) · `interval_ms` (between probes) · `probe_at_ms` (of the next one) · `probe`
and `probe_until_ms` (the delivery that probes it, and when that is given up) · `cursor` and
`end_cursor` (number of the last delivery that probed from the old and from the new end) · `tries` (how often one was chosen)
· `unreachable` (1 when it takes no connections) · `opened_at_ms` · `fast_at_ms` (last fast 2xx) · `success_at_ms` (last 2xx, to the second) · `crowded_at_ms` (last claim refused
because too much was in flight).

All times are Redis `TIME`, in milliseconds (L6).
"""

BIRTH = "birth"
SUBSCRIPTIONS = "subscriptions"
GENERATION = "subscriptions:generation"
GENERATIONS = "subscriptions:generations"
CHANGES = "subscriptions:changes"
DELETED = "subscriptions:deleted"
EVENT_SERVICE = "event-service"
INVENTORY_VERSION = "inventory:version"
INVENTORY_READING = "inventory:reading"
PARTITIONS = "partitions"
POSITION = "position:"
DEAD_LETTERS = "dead-letters"
DEADLINES = "deadlines"
COUNTERS = "counters"
MEASURES = "measures"
BYTES = "bytes"
ACCOUNTS = "accounts"
SESSIONS = "sessions"
SESSION_TIMEOUT = "session-timeout"
SERVICE_UUID = "service:uuid"
CERTIFICATE = "service:certificate"
BACKLOGS = "backlogs"
WORKERS = "workers"
SLOTS = "slots"
QUARANTINE = "quarantine"
QUARANTINE_VALUES = "quarantine:values"
QUARANTINE_ORDER = "quarantine:order"
QUARANTINE_BYTES = "quarantine:bytes"
NOTICES = "notices"
NOTICES_ORDER = "notices:order"
NOTICES_STATE = "notices:state"
JOURNAL = "journal"
JOURNAL_STATE = "journal:state"
IMPORTED = "imported"
SAMPLES = "samples"
AUDIT = "audit"
AUDIT_REFUSED = "audit:refused"
ATTEMPTED_DELIVERIES = "attempts:deliveries"


def sources(keeper: str) -> str:
    """
    Key of the sources that one keeper tells of.
    """
    return f"inventory:sources:{keeper}"


def aggregates(keeper: str) -> str:
    """
    Key of the aggregates that one keeper tells of.
    """
    return f"inventory:aggregates:{keeper}"


def staged_sources(name: str) -> str:
    """
    Key of sources that are to stand instead of others.
    """
    return f"inventory:staged:{name}:sources"


def staged_aggregates(name: str) -> str:
    """
    Key of aggregates that are to stand instead of others.
    """
    return f"inventory:staged:{name}:aggregates"


def position(topic: str, partition: int) -> str:
    """
    Key of a partition's position.
    """
    return f"{POSITION}{topic}:{partition}"


def topic(name: str) -> str:
    """
    Key of a topic's epoch.
    """
    return f"topic:{name}"


def starts(topic_name: str, partition: int) -> str:
    """
    Key of the count of starts without progress.
    """
    return f"starts:{topic_name}:{partition}"


def delivery(delivery_id: str) -> str:
    """
    Key of a delivery that is not parked.
    """
    return f"delivery:{delivery_id}"


def body(event_id: str) -> str:
    """
    Key of an event's payload.
    """
    return f"body:{event_id}"


def parked(subscription_id: str) -> str:
    """
    Key of a subscription's parked deliveries.
    """
    return f"parked:{subscription_id}"


def by_hand(subscription_id: str) -> str:
    """
    Key of a subscription's deliveries that only a person sends again.
    """
    return f"by-hand:{subscription_id}"


def delayed(subscription_id: str) -> str:
    """
    Key of a subscription's parked deliveries that wait for a time of their own.
    """
    return f"delayed:{subscription_id}"


def parked_counts(subscription_id: str) -> str:
    """
    Key of how many deliveries of a subscription are parked, by reason.
    """
    return f"parked-counts:{subscription_id}"


def flow(subscription_id: str) -> str:
    """
    Key of how a subscription's deliveries flow.
    """
    return f"flow:{subscription_id}"


def destination(destination_id: str) -> str:
    """
    Key of a destination's breaker.
    """
    return f"destination:{destination_id}"


def in_flight(destination_id: str) -> str:
    """
    Key of the requests that are in flight to a destination.
    """
    return f"inflight:{destination_id}"


def attempts_of_delivery(delivery_id: str) -> str:
    """
    Key of the last attempts of a delivery.
    """
    return f"attempts:delivery:{delivery_id}"


def attempts_of_subscription(subscription_id: str) -> str:
    """
    Key of the last attempts of a subscription.
    """
    return f"attempts:subscription:{subscription_id}"


def notices_told(topic: str) -> str:
    """
    Key of how many changes of a topic were told lately.
    """
    return f"notices:told:{topic}"


def session(session_id: str) -> str:
    """
    Key of a session.
    """
    return f"session:{session_id}"


def turn(name: str) -> str:
    """
    Key of a turn: who does what only one is to do.
    """
    return f"turn:{name}"

"""
Subscriptions, in Redis.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.adapters.redis.subscription_codec import SubscriptionCodec
from odim_relay.adapters.security.sealing import AesGcmSealer
from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.subscription import RetryPolicy, Subscription
from odim_relay.ports import Sealer, SealState

_POLICIES = {RetryPolicy.SUSPEND: "suspend", RetryPolicy.TERMINATE: "terminate"}


class RedisSubscriptionStore:
    """
    `SubscriptionStore` and `SealedStore` over Redis. What an update compares is the document as it stands, so it does
    not matter that the same secrets are another document each time they are sealed.
    """

    def __init__(self, scripts: Scripts, sealer: Sealer | None = None) -> None:
        """
        Args:
            sealer: encrypts secrets; None leaves them as they are, and opens none.
        """
        self._scripts = scripts
        self._codec = SubscriptionCodec(sealer or AesGcmSealer())

    def save(self, subscription: Subscription) -> None:
        """
        See `SubscriptionStore.save`.
        """
        self._save(subscription, stands="")

    def update(self, subscription_id: str, change: Callable[[Subscription], Subscription]) -> Subscription | None:
        """
        See `SubscriptionStore.update`.
        """
        while (document := self._document(subscription_id)) is not None:
            changed = change(self._codec.decode(document))
            if self._save(changed, stands=document):
                return changed
        return None

    def _save(self, subscription: Subscription, *, stands: str | bytes) -> bool:
        policy = _POLICIES.get(subscription.retry_policy, "")
        generation = self._scripts.run(
            "save_subscription",
            subscription.subscription_id,
            self._codec.encode(subscription),
            stands,
            destination_id(subscription),
            subscription.mode,
            policy,
            *("" if limit is None else limit for limit in (subscription.max_in_flight, subscription.rate_per_s)),
            "" if subscription.retention_s is None else subscription.retention_s * 1000,
            "" if subscription.batch_size is None else subscription.batch_size,
        )
        return int(generation) > 0

    def delete(self, subscription_id: str, check: Callable[[Subscription], object] | None = None) -> bool:
        """
        See `SubscriptionStore.delete`.
        """
        if check is None:
            return bool(self._scripts.run("delete_subscription", subscription_id, ""))
        while (document := self._document(subscription_id)) is not None:
            check(self._codec.decode(document))
            if self._scripts.run("delete_subscription", subscription_id, document):
                return True
        return False

    def get(self, subscription_id: str) -> Subscription | None:
        """
        See `SubscriptionStore.get`.
        """
        document = self._document(subscription_id)
        return None if document is None else self._codec.decode(document)

    def ids(self) -> Sequence[str]:
        """
        See `SubscriptionStore.ids`.
        """
        with translated("listing subscriptions"):
            ids: Any = self._scripts.client.hkeys(self._key(keys.SUBSCRIPTIONS))
        return [text(id_) for id_ in ids]

    def count(self) -> int:
        """
        See `SubscriptionStore.count`.
        """
        with translated("counting subscriptions"):
            return int(self._scripts.client.hlen(self._key(keys.SUBSCRIPTIONS)))

    def generation(self) -> int:
        """
        See `SubscriptionStore.generation`.
        """
        with translated("reading the subscriptions' generation"):
            return int(self._scripts.client.get(self._key(keys.GENERATION)) or 0)

    def changes_since(self, generation: int) -> tuple[int, Sequence[Subscription], Sequence[str] | None]:
        """
        See `SubscriptionStore.changes_since`.
        """
        with translated("reading subscriptions"):
            # In a transaction: what is read belongs to the generation that is read with it.
            pipe = self._scripts.client.pipeline(transaction=True)
            pipe.get(self._key(keys.GENERATION))
            if generation == 0:
                pipe.hgetall(self._key(keys.SUBSCRIPTIONS))
                now, everything = pipe.execute()
                return int(now or 0), [self._codec.decode(document) for document in everything.values()], None
            pipe.zscore(self._key(keys.GENERATIONS), str(generation))
            pipe.zrangebyscore(self._key(keys.CHANGES), f"({generation}", "+inf")
            now, known, changed = pipe.execute()
            if known is None:
                return self.changes_since(0)
            # What changes between here and there is of a later generation, and read again with that.
            documents = self._scripts.client.hmget(self._key(keys.SUBSCRIPTIONS), changed) if changed else []
        saved = [self._codec.decode(document) for document in documents if document is not None]
        deleted = [id_.decode() for id_, document in zip(changed, documents, strict=True) if document is None]
        return int(now or 0), saved, deleted

    def seal_states(self) -> Mapping[str, SealState]:
        """
        See `SealedStore.seal_states`; the names are the subscriptions' ids.
        """
        with translated("reading subscriptions"):
            documents: Any = self._scripts.client.hgetall(self._key(keys.SUBSCRIPTIONS))
        states = {text(id_): self._codec.state(document) for id_, document in documents.items()}
        return {id_: state for id_, state in states.items() if state is not None}

    def reseal(self, name: str) -> bool:
        """
        See `SealedStore.reseal`.
        """
        while (document := self._document(name)) is not None:
            if self._codec.state(document) in {None, SealState.CURRENT}:
                return False
            if self._save(self._codec.decode(document), stands=document):
                return True
        return False

    def _document(self, subscription_id: str) -> bytes | None:
        with translated("reading a subscription"):
            document: bytes | None = self._scripts.client.hget(self._key(keys.SUBSCRIPTIONS), subscription_id)  # type: ignore[assignment]
        return document

    def _key(self, name: str) -> str:
        return self._scripts.prefix + name
